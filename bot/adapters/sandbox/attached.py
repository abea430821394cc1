"""What comes with a line beside its text, as the face and the page give it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from bot.ports import SandboxMessage

SAFE = ("http://", "https://")


def attachments(message: SandboxMessage) -> Iterator[dict[str, str]]:
    """Each with its `kind`: picture, file (with its name) or card; what is no web address is no link."""
    at = f"/api/sandbox/chats/{message.chat}"
    if message.picture:
        yield {"kind": "picture", "url": f"{at}/pictures/{message.seq}"}
    if message.file:
        yield {"kind": "file", "url": f"{at}/files/{message.seq}", "name": Path(message.file).name}
    if message.card:
        card = asdict(message.card)
        for key in ("url", "thumbnail"):
            card[key] = card[key] if card[key].lower().startswith(SAFE) else ""
        yield {"kind": "card", **card}
