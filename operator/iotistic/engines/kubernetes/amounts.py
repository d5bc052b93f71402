"""Amounts in the one spelling that the API server keeps them in."""

from __future__ import annotations

import math

from iotistic.api.quantity import cpu_nanos, duration_seconds, memory_bytes
from iotistic.api.service import Amounts, Resources
from iotistic.engines.kubernetes.values import Object

_UNITS = tuple((f"{letter}i", 1024**power) for power, letter in enumerate("KMGTPE", start=1))


def memory_text(amount: str | int | float) -> str:
    """Bytes, in the largest unit that leaves a whole number: `64Mi`."""
    count = memory_bytes(amount)
    unit, size = max(
        ((name, size) for name, size in (("", 1), *_UNITS) if count and count % size == 0),
        key=lambda pair: pair[1],
        default=("", 1),
    )
    return f"{count // size}{unit}"


def cpu_text(amount: str | int | float) -> str:
    """Cores, in thousandths where they are not whole, rounded up: `1500m`."""
    thousandths = math.ceil(cpu_nanos(amount) / 10**6)
    return str(thousandths // 1000) if thousandths % 1000 == 0 else f"{thousandths}m"


def seconds(duration: str | int | float) -> int:
    """Whole seconds, rounded up."""
    return math.ceil(duration_seconds(duration))


def resources(written: Resources) -> Object:
    """Limits and requests of a container.

    A limit without a request reserves nothing, as on Docker: Kubernetes would set aside the whole limit,
    and what runs on a small Docker host would find no room here.
    """
    limits, requests = _amounts(written.limits), _amounts(written.requests)
    requests = {what: "0" for what in limits} | requests
    return {key: value for key, value in (("limits", limits), ("requests", requests)) if value}


def _amounts(written: Amounts) -> Object:
    amounts: Object = {}
    if written.cpu is not None:
        amounts["cpu"] = cpu_text(written.cpu)
    if written.memory is not None:
        amounts["memory"] = memory_text(written.memory)
    return amounts
