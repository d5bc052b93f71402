"""What standard output is: a terminal with colours, or something that a program reads."""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress

WIDTH = 120
STYLES = {"good": "32", "bad": "31", "busy": "33", "quiet": "2", "bold": "1", "added": "32", "removed": "31"}
GOOD = frozenset({"Ready", "Running", "Completed", "Normal", "yes", "OK", "serving"})
BAD = frozenset(
    {
        "Degraded",
        "CrashLoop",
        "Failed",
        "Unhealthy",
        "Stalled",
        "Undone",
        "Warning",
        "Dead",
        "quarantined",
        "failed",
    }
)
QUIET = frozenset({"Stopped", "Paused", "Held"})

_forbidden: list[bool] = []


def forbid_color() -> None:
    """Never colour, whatever standard output is."""
    _forbidden.append(True)


def is_terminal() -> bool:
    """Whether a person watches standard output."""
    return sys.stdout.isatty()


def width() -> int:
    """Columns of the terminal; where there is none, as many as are read with ease."""
    return shutil.get_terminal_size((WIDTH, 24)).columns


def has_color() -> bool:
    """Whether to colour standard output."""
    return is_terminal() and not _forbidden


def paint(text: str, style: str) -> str:
    """The text in that style, on a terminal."""
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if text and style and has_color() else text


def style_of(word: str) -> str:
    """Style for a word of state."""
    if word in GOOD:
        return "good"
    if word in BAD:
        return "bad"
    return "quiet" if word in QUIET else "busy" if word[:1].isupper() else ""


def say(text: str = "") -> None:
    """A line on standard output, at once."""
    print(text, flush=True)


def warn(text: str) -> None:
    """A line on standard error, after what was said before it."""
    with suppress(BrokenPipeError):
        sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)
