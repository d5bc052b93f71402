"""The engine's times in one form that sorts as text. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

NEVER = "0001-01-01T00:00:00Z"
DIGITS = 9
"""The engine leaves out zeros at the end of a fraction; with all digits text sorts as time does."""


def sortable(time: str | None) -> str:
    """A time of the engine in UTC with a full fraction; empty for none."""
    if not time or time == NEVER:
        return ""
    head, dot, fraction = time.removesuffix("Z").partition(".")
    return f"{head}.{fraction.ljust(DIGITS, '0') if dot else '0' * DIGITS}Z"


def from_seconds(seconds: float) -> str:
    """Seconds since 1970 in the same form."""
    moment = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    return sortable(moment.isoformat())


def seconds(time: str) -> str:
    """A time of the engine as seconds since 1970, with all its digits: how it wants `since`."""
    head, _, fraction = time.removesuffix("Z").partition(".")
    whole = int(datetime.fromisoformat(head).replace(tzinfo=UTC).timestamp())
    return f"{whole}.{fraction or '0'}"
