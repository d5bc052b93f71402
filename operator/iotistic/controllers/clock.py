"""The two clocks: one for deadlines, which never jumps, and one for people, which may."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path


def monotonic() -> float:
    """Seconds of a clock that never jumps."""
    return time.monotonic()


def now_text() -> str:
    """The wall clock as RFC 3339 with milliseconds, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@lru_cache(maxsize=1)
def boot_id() -> str:
    """Differs after each start of the machine; one constant word where the kernel does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"
