"""Amounts as Kubernetes writes them (64Mi, 500m) and durations (10s, 1m30s)."""

from __future__ import annotations

import re
from decimal import Decimal

_SUFFIXES = {
    "": Decimal(1), "m": Decimal("0.001"),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip
_QUANTITY = re.compile(r"^(\d+(?:\.\d*)?|\.\d+)(?:([eE][+-]?\d+)|(m|[kMGTPE]|[KMGTPE]i))?$")
_DURATION = re.compile(
    r"^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$"
)


def parse_quantity(text: str | int | float) -> Decimal:
    """The plain number behind a quantity: bytes, cores.

    Raises: ValueError when it is none.
    """
    match = _QUANTITY.match(str(text))
    if not match:
        raise ValueError(f"{text!r} is no quantity: expected like 64Mi, 0.5 or 500m")
    number, exponent, suffix = match.groups()
    return Decimal(number + (exponent or "")) * _SUFFIXES[suffix or ""]


def memory_bytes(text: str | int | float) -> int:
    """Bytes, rounded up to whole ones."""
    value = parse_quantity(text)
    return int(value.to_integral_value(rounding="ROUND_CEILING"))


def cpu_nanos(text: str | int | float) -> int:
    """Billionths of a core, as Docker counts them."""
    return int(parse_quantity(text) * 10**9)


def duration_seconds(text: str | int | float) -> float:
    """Seconds of a duration such as 90, "90s" or "1m30s".

    Raises: ValueError when it is none.
    """
    if isinstance(text, int | float):
        if text < 0:
            raise ValueError("a duration is not negative")
        return float(text)
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    match = _DURATION.match(text)
    if not match or not text:
        raise ValueError(f"{text!r} is no duration: expected like 10, 10s or 1m30s")
    hours, minutes, seconds, millis = (float(part) if part else 0.0 for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds + millis / 1000
