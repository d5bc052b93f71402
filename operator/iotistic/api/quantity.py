"""Amounts as Kubernetes writes them (64Mi, 500m) and durations (10s, 1m30s)."""

from __future__ import annotations

import re
from decimal import Decimal

_SUFFIXES = {"": Decimal(1), "m": Decimal("0.001")}
_SUFFIXES |= {letter: Decimal(1000**power) for power, letter in enumerate("kMGTPE", start=1)}
_SUFFIXES |= {f"{letter}i": Decimal(1024**power) for power, letter in enumerate("KMGTPE", start=1)}
_AMOUNT = r"([0-9]{1,19}(?:\.[0-9]{0,19})?|\.[0-9]{1,19})(?:([eE][+-]?[0-9]{1,2})|(m|[kMGTPE]|[KMGTPE]i))?"
_QUANTITY = re.compile(_AMOUNT)
_NUMBER = r"([0-9]{1,12}(?:\.[0-9]{1,9})?)"
_SPELLED = rf"(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?(?:{_NUMBER}ms)?"
_DURATION = re.compile(_SPELLED)
WRITTEN = rf"^{_AMOUNT}$"
"""A written quantity as a pattern, for schemas."""
WRITTEN_DURATION = rf"^(?:{_NUMBER}|{_SPELLED})$"
"""A written duration as one; empty text is none."""
LARGEST = 2**63 - 1
"""As in Kubernetes."""
MOST_CORES = 10_000
LONGEST_SECONDS = 10 * 365 * 86400
"""Ten years; beyond that somebody mistook the unit."""


def parse_quantity(text: str | int | float) -> Decimal:
    """The plain number behind a quantity: bytes, cores.

    Raises: ValueError when it is none.
    """
    match = _QUANTITY.fullmatch(str(text))
    if not match:
        raise ValueError(f"{text!r} is no quantity: expected like 64Mi, 0.5 or 500m")
    number, exponent, suffix = match.groups()
    value = Decimal(number + (exponent or "")) * _SUFFIXES[suffix or ""]
    if value > LARGEST:
        raise ValueError(f"{text!r} is too much: at most {LARGEST}")
    return value


def memory_bytes(text: str | int | float) -> int:
    """Bytes, rounded up to whole ones."""
    value = parse_quantity(text)
    return int(value.to_integral_value(rounding="ROUND_CEILING"))


def cpu_nanos(text: str | int | float) -> int:
    """Billionths of a core, as Docker counts them."""
    cores = parse_quantity(text)
    if cores > MOST_CORES:
        raise ValueError(f"{text!r} is too much: at most {MOST_CORES} cores")
    return int(cores * 10**9)


def duration_seconds(text: str | int | float) -> float:
    """Seconds of a duration such as 90, "90s" or "1m30s".

    Raises: ValueError when it is none.
    """
    total = float(text) if isinstance(text, int | float) else _spelled_seconds(text)
    if not 0 <= total <= LONGEST_SECONDS:
        raise ValueError(f"{text!r} is no sensible duration: expected from 0 to ten years")
    return total


def _spelled_seconds(text: str) -> float:
    if re.fullmatch(_NUMBER, text, re.ASCII):
        return float(text)
    match = _DURATION.fullmatch(text)
    if not match or not text:
        raise ValueError(f"{text!r} is no duration: expected like 10, 10s or 1m30s")
    hours, minutes, seconds, millis = (float(part) if part else 0.0 for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds + millis / 1000
