"""Faults: processes are killed, engines go away, clocks jump."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.behaviour.conftest import real_ground, told_to_end
from tests.behaviour.device import Device, device
from tests.behaviour.grounds import DockerGround, docker_ground
from tests.faults.engines import OwnEngine, own_engine
from tests.faults.seeds import SEED

__all__ = ["real_ground", "told_to_end"]


def pytest_report_header() -> str:
    return f"faults: IOTISTIC_SEED={SEED} repeats this run"


@pytest.fixture(scope="module")
def engine() -> Iterator[OwnEngine]:
    """A Docker engine that tests may stop and kill; it runs."""
    try:
        with own_engine() as started:
            yield started
    except RuntimeError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def own_ground(engine: OwnEngine) -> Iterator[DockerGround]:
    """That engine, seen from outside."""
    with docker_ground(engine.address) as ground:
        for name, version in (("web", 1), ("web", 2), ("db", 1)):
            ground.image(name, version)
        yield ground


@pytest.fixture
def box(engine: OwnEngine, own_ground: DockerGround) -> Iterator[Device]:
    """A device on that engine, whose agent has not been started."""
    with device(own_ground) as made:
        yield made
        if not engine.runs:
            engine.start()
