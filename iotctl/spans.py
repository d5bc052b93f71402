"""Lengths of time: as people write them and as tables show them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")


def seconds_of(text: str) -> float:
    """Seconds of `60s`, `1m30s`, `2h` or `60`.

    Raises: ValueError for anything else.
    """
    text = text.strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return float(text)
    if not re.fullmatch(rf"({_PART.pattern})+", text):
        raise ValueError(f"{text!r} is no length of time: expected like 60s, 1m30s or 2h")
    return sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text))


def short(seconds: float) -> str:
    """`0.4 s`, `12 s`, `5 m`, `3 h`, `2 d`: one number, the way tables show it."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    for limit, unit, size in ((120, "s", 1), (7200, "m", 60), (172800, "h", 3600)):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86400:.0f} d"


def clock_time(moment: str, now: datetime | None = None) -> str:
    """An RFC 3339 moment by the clock of this machine: `14:02` of today, else with its date; empty when it
    is none."""
    then = _read(moment)
    if then is None:
        return ""
    then, here = then.astimezone(), (now or datetime.now(UTC)).astimezone()
    return f"{then:%H:%M}" if then.date() == here.date() else f"{then:%Y-%m-%d %H:%M}"


def age(moment: str, now: datetime | None = None) -> str:
    """Time since an RFC 3339 moment; empty when there is none, or none that can be read."""
    then = _read(moment)
    if then is None:
        return ""
    seconds = ((now or datetime.now(UTC)) - then).total_seconds()
    return f"{max(seconds, 0):.0f} s" if seconds < 10 else short(seconds)


def _read(moment: str) -> datetime | None:
    try:
        then = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return then if then.tzinfo else then.replace(tzinfo=UTC)
