"""Faults: processes are killed, engines go away, clocks jump."""

from __future__ import annotations

from tests.behaviour.conftest import real_ground, told_to_end
from tests.faults.seeds import SEED

__all__ = ["real_ground", "told_to_end"]


def pytest_report_header() -> str:
    return f"faults: IOTISTIC_SEED={SEED} repeats this run"
