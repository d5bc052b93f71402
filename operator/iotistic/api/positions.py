"""A text's documents as plain data, with the line of everything in it; and how paths in them are written.

Apart from `reading`, which needs a YAML parser: an agent gets its documents as JSON and never loads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_DEEP = 60
"""Levels of nesting; the deepest sensible App has about ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that no document may have, wherever it stands."""

    path: str
    line: int
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """One document of a text."""

    data: Any
    """None, bool, int, float, str, list, and dict with keys of text; None when it can't be read at all."""
    lines: Mapping[str, int]
    """Line of each path, from 1; that of the document under the empty path."""
    faults: tuple[Fault, ...] = ()


def member(path: str, key: str | int) -> str:
    """Path of a member: `spec` and `services` give `spec.services`, and 0 on top `spec.services[0]`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key
