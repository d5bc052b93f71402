"""How much the properties are tried: a little each time, a lot with IOTISTIC_FULL=1."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

FULL = os.environ.get("IOTISTIC_FULL") == "1"
QUICK = settings(
    max_examples=1500 if FULL else 60,
    deadline=None,
    derandomize=not FULL,
    suppress_health_check=[HealthCheck.too_slow],
)
"""For the properties of random worlds: the same examples each time, others with IOTISTIC_FULL."""
