"""Single values as the original reads them: numbers written as text, text written as numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from iotistic.cloud.notes import Notes

_MEANS_MORE_HERE = re.compile(r"\$(?=[$(])")
"""Where `$$` or `$(NAME)` begins."""


def text_of(value: Any) -> str | None:
    """A value as the original makes text of it; None for what is no single value."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value) if isinstance(value, int | float) else None


def number_of(value: Any, *, least: int = 1, most: int = 2**63 - 1) -> int | None:
    """A whole number, also one that is written as text; None for anything else."""
    text = text_of(value)
    if text is None or isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,19}", text):
        return None
    return int(text) if least <= int(text) <= most else None


def each(value: Any, notes: Notes) -> list[tuple[Notes, Any]]:
    """Members of a list with their places; of anything else none, with a warning."""
    if not isinstance(value, list):
        notes.say("not taken over: expected a list")
        return []
    return [(notes.at(number), one) for number, one in enumerate(value)]


def members(value: Any, notes: Notes) -> list[tuple[str, Any]]:
    """Members of an object; of anything else none, with a warning."""
    if not isinstance(value, Mapping):
        notes.say("not taken over: expected names with values")
        return []
    return [(str(name), one) for name, one in value.items()]


def literal(text: str) -> str:
    """A text that means itself, as it is written here: an original replaced nothing in it, while here `$$` is
    a dollar and `$(NAME)` a variable."""
    return _MEANS_MORE_HERE.sub("$$", text)


def without_escapes(text: str) -> str:
    """The other way round. A `$(NAME)` that somebody meant as such stays: an original has no word for it."""
    return text.replace("$$", "$")


def writable(value: Any) -> Any:
    """What JSON says, as text that can be written: a half of a surrogate pair, which can't, becomes `?`."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {writable(str(name)): writable(one) for name, one in value.items()}
    return [writable(one) for one in value] if isinstance(value, list) else value
