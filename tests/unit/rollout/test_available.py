"""Whether an App is available: what it had serves, whatever the new one waits for or fails at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iotistic.rollout.status import AppFacts, ServiceFacts, app_status

NOW = "2026-11-24T10:00:00Z"


def up(**fields: Any) -> ServiceFacts:
    """A running service, with these differences."""
    facts = ServiceFacts(name="web", image="web:1", container_status="running", unchanged=True)
    return replace(facts, **fields)


@pytest.mark.parametrize(
    ("service", "available"),
    [
        (up(unchanged=False), True),
        (up(unchanged=False, waits_for="waits for db (healthy)"), True),
        (up(unchanged=False, downloading="1 of 2 MB"), True),
        (
            up(unchanged=False, failure="no image web:2", failure_reason="ImageNotFound", retry_seconds=9.0),
            True,
        ),
        (up(unchanged=False, container_status="exited", exit_code=0, restart="Never"), True),
        (up(health="starting", pod_serves=True), True),
        (up(unchanged=False, health="unhealthy", waits_for="waits for db (healthy)"), False),
        (up(unchanged=False, container_status="exited"), False),
        (up(unchanged=False, container_status="", waits_for="waits for db (healthy)"), False),
        (up(failure="exit 1", failure_reason="CrashLoop", retry_seconds=9.0), False),
        (up(health="starting"), False),
        (up(unchanged=False, run_state="Stopped"), False),
    ],
)
def test_an_app_is_available_while_what_it_had_serves(service: ServiceFacts, available: bool) -> None:
    facts = AppFacts(name="shop", generation=3, release="1", services=[service, up(name="db")])
    [said] = [one for one in app_status(facts, now=NOW).conditions if one.type == "Available"]
    expected = ("True", "Serving") if available else ("False", "NotServing")
    assert (said.status, said.reason) == expected
