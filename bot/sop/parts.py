"""What all parts of the operators' files are made of."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

NAME = re.compile(r"[\w-]+")
_POST_ID = re.compile(r"[a-z0-9][a-z0-9-]*", re.ASCII)


class Part(BaseModel):
    """Anything in a file that has keys of its own: handlers build theirs on it."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Words = Annotated[str, Field(min_length=1)]


def is_post_id(text: str) -> bool:
    """Whether a slot's `post` names a post, rather than being the text itself."""
    return _POST_ID.fullmatch(text) is not None


def digest(value: object) -> str:
    """Return 12 hex digits that stand for plain data."""
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
