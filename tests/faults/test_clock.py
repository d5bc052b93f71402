"""The wall clock jumps by a day, as on a board without a clock battery: waiting is not measured by it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.behaviour.device import Device, app, device
from tests.behaviour.grounds import SimulatedGround

LIBRARIES = [
    *Path("/usr/lib").glob("*/faketime/libfaketime.so.1"),
    *Path("/usr/lib/faketime").glob("libfaketime.so.1"),
]
FIRST_WAIT_SECONDS = 10.0
SLACK_SECONDS = 3.0


def start_with_clock(box: Device, clock: Path) -> None:
    """Start an agent whose wall clock is off by what a file says; its database is there already."""
    box.start()
    assert box.stop() == 0
    clock.write_text("+0d")
    faked = {
        "LD_PRELOAD": str(LIBRARIES[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    box.start(**faked)


def failures(box: Device) -> int:
    """How often the start of web has failed."""
    return sum(
        one["type"] == "Warning" and one["data"].get("action") == "start" for one in box.events("shop")
    )


def date_of(box: Device, name: str) -> str:
    """The day on which the agent takes a new App."""
    box.apply(app(name, {"name": "web", "image": "web:1"}), ready=False)
    return str(box.api("GET", f"/v1/apps/{name}")["metadata"]["creationTimestamp"][:10])


@pytest.mark.skipif(not LIBRARIES, reason="no libfaketime (apt-get install faketime)")
def test_a_back_off_is_as_long_when_the_clock_jumps(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    with device(SimulatedGround()) as box:
        start_with_clock(box, clock)
        (box.data / "simulated-faults.yaml").write_text(
            json.dumps({"failingStart": [{"service": "shop/web"}]})
        )
        today = date_of(box, "shop")
        box.until(lambda: failures(box) == 1, "the start has failed")
        failed = time.monotonic()

        clock.write_text("+1d")
        tomorrow = date_of(box, "forward")
        clock.write_text("-1d")
        yesterday = date_of(box, "back")
        assert yesterday < today < tomorrow, "the clock has jumped"
        assert time.monotonic() - failed < FIRST_WAIT_SECONDS - 1, "both jumps are in the waiting"
        assert failures(box) == 1, "it is not tried early"

        box.until(lambda: failures(box) >= 2, "it is tried again", seconds=FIRST_WAIT_SECONDS + SLACK_SECONDS)
        assert time.monotonic() - failed > FIRST_WAIT_SECONDS - 0.5
