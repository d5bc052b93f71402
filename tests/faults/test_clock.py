"""The wall clock jumps by a day, as on a board without a clock battery: waiting is not measured by it."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import packages
from tests.behaviour.device import Device, app, device
from tests.behaviour.grounds import SimulatedGround

EARLIEST_SECONDS, LATEST_SECONDS = 18.0, 22.0
"""After the second failure it is tried again."""


@pytest.fixture(scope="module")
def library() -> Path:
    """What makes a process see another wall clock."""
    packages.install("faketime", unless=_libraries)
    if not _libraries():
        if os.environ.get("CI") == "true":
            pytest.fail("no libfaketime, and in CI there must be one")
        pytest.skip("no libfaketime (apt-get install faketime)")
    return _libraries()[0]


def _libraries() -> list[Path]:
    everywhere = Path("/usr/lib")
    return [
        *everywhere.glob("*/faketime/libfaketime.so.1"),
        *everywhere.glob("faketime/libfaketime.so.1"),
    ]


def start_with_clock(box: Device, clock: Path, library: Path) -> None:
    """Start an agent whose wall clock is off by what a file says; its database is there already."""
    box.start()
    assert box.stop() == 0
    clock.write_text("+0d")
    faked = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
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


def jump(box: Device, clock: Path, to: str, so: Callable[[str], bool]) -> None:
    """Let the clock jump, and return when the agent takes new Apps on such a day."""
    clock.write_text(to)
    numbers = itertools.count()
    box.until(lambda: so(date_of(box, f"at{to[0] == '-':d}{next(numbers)}")), f"its clock is at {to}")


def test_a_back_off_is_as_long_when_the_clock_jumps(tmp_path: Path, library: Path) -> None:
    clock = tmp_path / "clock"
    with device(SimulatedGround()) as box:
        start_with_clock(box, clock, library)
        (box.data / "simulated-faults.yaml").write_text(
            json.dumps({"failingStart": [{"service": "shop/web"}]})
        )
        today = date_of(box, "shop")
        box.until(lambda: failures(box) == 2, "the start has failed twice", seconds=180)
        failed = time.monotonic()

        jump(box, clock, "+1d", lambda day: day > today)
        jump(box, clock, "-1d", lambda day: day < today)
        assert time.monotonic() - failed < EARLIEST_SECONDS - 1, "both jumps are in the waiting"
        assert failures(box) == 2, "it is not tried early"

        box.until(lambda: failures(box) == 3, "it is tried again", seconds=LATEST_SECONDS + 30)
        assert time.monotonic() - failed > EARLIEST_SECONDS - 1
