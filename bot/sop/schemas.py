"""JSON Schemas of the operators' files, so that an editor completes, explains and underlines as they type.

They are made from the models that the loader checks with. Where the loader takes every scalar as it was
typed, an editor's YAML has numbers, true and null: so a text may be any of them, and a number a text.
What a schema cannot see (references, variables, pictures) is the loader's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema as core

from bot.errors import Unusable
from bot.sop.library import bank_model
from bot.sop.parts import POST_ID
from bot.sop.schema import Calendar, HolidaysFile, Kinds, Post, variables

FOLDER = "schema"
SUFFIX = ".schema.json"

_DIALECT = "http://json-schema.org/draft-07/schema#"
_DEFS = "definitions"
_WHOLE = r"^\s*[+-]?\d+\s*$"

_TEXT = {"type": ["string", "number", "boolean"]}

Schema = dict[str, Any]


def schemas(kinds: Kinds, settings: type[BaseModel]) -> dict[str, str]:
    """Return the text of each schema file, by its name; `settings` is the model of config.yaml."""
    made = {
        "activity": _by("kind", "种类", kinds.activities),
        "calendar": _one(Calendar),
        "questions": _by("game", "玩法", {name: bank_model(game) for name, game in kinds.games.items()}),
        "texts": _texts(kinds.texts),
        "holidays": _one(HolidaysFile),
        "config": _one(settings),
    }
    return {
        name + SUFFIX: json.dumps({"$schema": _DIALECT, **schema}, ensure_ascii=False, indent=1) + "\n"
        for name, schema in made.items()
    }


def write(folder: Path, kinds: Kinds, settings: type[BaseModel]) -> list[Path]:
    """Write the schema files, and return their paths. Raises Unusable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = {folder / name: text for name, text in schemas(kinds, settings).items()}
        for path, text in made.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unusable(f"写不了 {folder}：{error.strerror}。") from None
    return list(made)


def properties(schema: object, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Return every key that a schema knows, with what is said of it, wherever it stands."""
    if isinstance(schema, dict):
        for name, value in schema.items():
            if name == "properties":
                yield from ((f"{path}/{key}", one) for key, one in value.items())
            yield from properties(value, f"{path}/{name}")
    elif isinstance(schema, list):
        for value in schema:
            yield from properties(value, path)


class _AsTyped(GenerateJsonSchema):
    """Scalars as an editor reads what the loader takes as text; unknown keys are wrong everywhere."""

    def str_schema(self, schema: core.StringSchema) -> JsonSchemaValue:
        made = super().str_schema(schema)
        empty = [] if schema.get("min_length") else ["null"]
        return made if "pattern" in made else {**made, "type": ["string", "number", "boolean", *empty]}

    def int_schema(self, schema: core.IntSchema) -> JsonSchemaValue:
        return {**super().int_schema(schema), "type": ["integer", "string"], "pattern": _WHOLE}

    def bool_schema(self, schema: core.BoolSchema) -> JsonSchemaValue:  # noqa: ARG002
        return {"enum": [True, False, "true", "false", "yes", "no", "on", "off"]}

    def dict_schema(self, schema: core.DictSchema) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        return {**made, "additionalProperties": False} if "patternProperties" in made else made

    def nullable_schema(self, schema: core.NullableSchema) -> JsonSchemaValue:
        """None is a key that is left out; a key with nothing behind it is an empty text."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core.WithDefaultSchema) -> JsonSchemaValue:
        """Without the default: durations and times are kept otherwise than they are written."""
        return self.generate_inner(schema["schema"])

    def model_schema(self, schema: core.ModelSchema) -> JsonSchemaValue:
        """A model that looks at its data before all else takes a bare text for its first key."""
        made = super().model_schema(schema)
        made.pop("description", None)  # the docstring is ours
        return {"anyOf": [_TEXT, made]} if schema["schema"]["type"] == "function-before" else made

    def dataclass_schema(self, schema: core.DataclassSchema) -> JsonSchemaValue:
        made = super().dataclass_schema(schema)
        made.pop("description", None)
        return {**made, "additionalProperties": False}


def _schemas(models: Iterable[type[BaseModel]]) -> tuple[list[Schema], Schema]:
    """Return the schema of each model, which refer to the definitions that come with them."""
    mode: Literal["validation"] = "validation"
    asked = [(model, mode) for model in models]
    found, shared = models_json_schema(asked, ref_template=f"#/{_DEFS}/{{model}}", schema_generator=_AsTyped)
    return [_untitled(found[model, mode]) for model, _ in asked], _untitled(shared.get("$defs", {}))


def _untitled(schema: Any) -> Any:  # noqa: ANN401
    """Leave out the titles that pydantic makes from the names of keys."""
    if isinstance(schema, list):
        return [_untitled(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _untitled(value) for key, value in schema.items() if key != "title" or not isinstance(value, str)
    }


def _one(model: type[BaseModel]) -> Schema:
    (schema,), definitions = _schemas([model])
    return {**schema, _DEFS: definitions}


def _by(key: str, noun: str, models: Mapping[str, type[BaseModel]]) -> Schema:
    """Return the schema of files whose `key` says which of the models they are."""
    found, definitions = _schemas(models.values())
    return {
        "type": "object",
        "properties": {key: {"enum": list(models), "description": noun}},
        "required": [key],
        "allOf": [
            {"if": {"properties": {key: {"const": name}}, "required": [key]}, "then": schema}
            for name, schema in zip(models, found, strict=True)
        ],
        _DEFS: definitions,
    }


def _texts(texts: Mapping[str, str]) -> Schema:
    """Return the schema of texts/: posts by their names, and our own sentences, with how they are now."""
    (post,), definitions = _schemas([Post])
    return {
        "type": "object",
        "properties": {key: {**_TEXT, "description": _explained(text)} for key, text in texts.items()},
        "patternProperties": {f"^{POST_ID.pattern}$": post},
        "additionalProperties": False,
        "minProperties": 1,
        _DEFS: definitions,
    }


def _explained(text: str) -> str:
    names = " ".join(f"{{{name}}}" for name in variables(text))
    return f"小二的话，原来是：{text.strip()}\n可用的变量：{names or '没有'}"
