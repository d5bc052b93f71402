"""The same tests on every engine; IOTISTIC_ENGINES=simulated picks some."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import docker.errors
import pytest

from tests.behaviour.device import Device, device
from tests.behaviour.grounds import DockerGround, Ground, SimulatedGround, docker_ground

ENGINES = ("simulated", "docker")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "ground" in metafunc.fixturenames:
        marks = {"docker": [pytest.mark.docker]}
        asked = os.environ.get("IOTISTIC_ENGINES", " ".join(ENGINES)).split()
        wanted = [pytest.param(name, marks=marks.get(name, [])) for name in ENGINES if name in asked]
        metafunc.parametrize("ground", wanted, indirect=True)


@pytest.fixture(scope="session")
def real_ground() -> Iterator[DockerGround]:
    """The Docker engine of this machine."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(docker_ground())
        except (docker.errors.DockerException, RuntimeError) as error:
            if os.environ.get("CI") == "true":
                pytest.fail(f"no Docker engine, and in CI there must be one: {error}")
            pytest.skip(f"no Docker engine (hack/docker up): {error}")
        yield found


@pytest.fixture(scope="session")
def ground(request: pytest.FixtureRequest) -> Ground:
    """One engine after the other."""
    if request.param == "docker":
        found: Ground = request.getfixturevalue("real_ground")
        return found
    return SimulatedGround()


@pytest.fixture
def stopped(ground: Ground) -> Iterator[Device]:
    """A new device whose agent has not been started yet."""
    with device(ground) as made:
        yield made


@pytest.fixture
def box(stopped: Device) -> Device:
    """A new device whose agent runs."""
    stopped.start()
    return stopped
