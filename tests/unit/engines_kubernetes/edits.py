"""Places in an object, and other values for them: changes by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Steps = tuple[str | int, ...]
"""The way to a place: names of fields, positions in lists."""

FIXED = {("kind",), ("apiVersion",), ("metadata", "name"), ("metadata", "namespace")}


def at(live: Any, path: Steps) -> Any:
    for step in path:
        live = live[step]
    return live


def leaves(value: Any, path: Steps = ()) -> Iterator[Steps]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path


def other(value: Any) -> Any:
    """A value of the same kind that means something else."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return "7" if value.isdigit() else f"{value}x"
    return {"matchLabels": {"other": "x"}}
