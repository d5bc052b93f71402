"""The two clocks: one for deadlines, which never jumps, and one for people, which may."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def monotonic() -> float:
    """Seconds of a clock that never jumps."""
    return time.monotonic()


def now_text() -> str:
    """The wall clock as RFC 3339 with milliseconds, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
