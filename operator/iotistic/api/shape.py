"""The JSON Schemas of the kinds, asked as a person asks: what is expected here, what is known there.

Made from the models on first use: nobody who writes correct documents pays for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from iotistic.api.base import Model

Schema = Mapping[str, Any]
Where = tuple[str | int, ...]
"""Keys and indices from the document down."""

_PLAIN = {"string": "text", "boolean": "true or false", "array": "a list", "object": "a mapping", "null": ""}


@lru_cache(maxsize=8)
def schema_of(model: type[Model]) -> Schema:
    """The schema of what may be written for a kind, names as on the wire."""
    return model.model_json_schema(by_alias=True, mode="validation")


def at(root: Schema, where: Where) -> Schema:
    """The schema of one place; empty for one that no schema describes."""
    node = resolved(root, root)
    for part in where:
        node = _member(root, node, part)
    return node


def known_fields(root: Schema, where: Where) -> list[str]:
    """The fields that a mapping may have there; empty where any key will do."""
    return list(at(root, where).get("properties", {}))


def expected(root: Schema, where: Where) -> str:
    """What may stand there, in words: `a whole number from 1 to 65535`."""
    return in_words(root, at(root, where))


def in_words(root: Schema, node: Schema) -> str:
    """What a schema takes, in words; empty for anything."""
    options = [node] if "patternErrorMessage" in node else options_of(root, node)
    words = [_option_in_words(option) for option in options]
    return " or ".join(dict.fromkeys(word for word in words if word))


def without_nulls(root: Schema, data: Any, where: Where = ()) -> Any:
    """The data without fields that are null, where that means the same as absent (as in Kubernetes)."""
    if isinstance(data, list):
        return [without_nulls(root, item, (*where, index)) for index, item in enumerate(data)]
    if not isinstance(data, dict):
        return data
    known = set(known_fields(root, where))
    return {
        key: without_nulls(root, value, (*where, key))
        for key, value in data.items()
        if value is not None or key not in known
    }


def has_null(data: Any) -> bool:
    """Whether there is a null anywhere."""
    if isinstance(data, dict):
        return any(has_null(value) for value in data.values())
    if isinstance(data, list):
        return any(has_null(item) for item in data)
    return data is None


def resolved(root: Schema, node: Schema) -> Schema:
    """The schema that a reference stands for, with what is said beside it."""
    while "$ref" in node:
        target: Schema = root["$defs"][str(node["$ref"]).rpartition("/")[2]]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def options_of(root: Schema, node: Schema) -> Iterable[Schema]:
    """The schemas of which one has to hold: the node itself where there is no choice."""
    return [resolved(root, option) for option in node.get("anyOf", [node])]


def _member(root: Schema, node: Schema, part: str | int) -> Schema:
    for option in options_of(root, node):
        if isinstance(part, int) and "items" in option:
            return resolved(root, option["items"])
        if part in option.get("properties", {}):
            return resolved(root, option["properties"][part])
        values = [*option.get("patternProperties", {}).values(), option.get("additionalProperties")]
        if isinstance(values[0], Mapping):
            return resolved(root, values[0])
    return {}


def _option_in_words(node: Schema) -> str:
    if "enum" in node:
        return f"one of {', '.join(str(choice) or repr('') for choice in node['enum'])}"
    if "const" in node:
        return str(node["const"])
    if "patternErrorMessage" in node:
        return str(node["patternErrorMessage"])
    kind = str(node.get("type", ""))
    if kind in {"integer", "number"}:
        return _number_in_words("a whole number" if kind == "integer" else "a number", node)
    if kind == "string" and node.get("minLength") == 1 and "maxLength" in node:
        return f"text of at most {node['maxLength']} characters"
    return _PLAIN.get(kind, "")


def _number_in_words(words: str, node: Schema) -> str:
    low, high = node.get("minimum"), node.get("maximum")
    if low is not None and high is not None and high < 2**31 - 1:
        return f"{words} from {low} to {high}"
    if high is not None and low is None:
        return f"{words} up to {high}"
    return f"{words} from {low}" if low is not None else words
