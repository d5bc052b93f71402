"""The same tests on every engine; IOTISTIC_ENGINES=simulated picks some."""

from __future__ import annotations

import itertools
import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import ExitStack

import docker.errors
import pytest

from tests.behaviour.cluster_place import cluster_place
from tests.behaviour.device import Device, device
from tests.behaviour.grounds import DockerGround, Ground, SimulatedGround, docker_ground
from tests.behaviour.places import Place, device_place

ENGINES = {"simulated": SimulatedGround.real, "docker": DockerGround.real}
MARKS = {"docker": [pytest.mark.docker], "kubernetes": [pytest.mark.cluster]}
_numbers = itertools.count(1)
_token = uuid.uuid4().hex[:4]
"""What another run has left behind, or has beside this one, must not stand in the way."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    real_only = "on_real" in metafunc.fixturenames
    engines = [name for name, real in ENGINES.items() if real or not real_only]
    for fixture, names in (("ground", engines), ("place", [*engines, "kubernetes"])):
        if fixture in metafunc.fixturenames:
            asked = os.environ.get("IOTISTIC_ENGINES", " ".join(names)).split()
            wanted = [pytest.param(name, marks=MARKS.get(name, [])) for name in names if name in asked]
            metafunc.parametrize(fixture, wanted, indirect=True, scope="session")


@pytest.fixture(scope="session", autouse=True)
def told_to_end() -> Iterator[None]:
    """A run that is told to end (SIGTERM) cleans up as one that is interrupted by hand does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)


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
def on_real() -> None:
    """For tests of what only processes do: not on engines that have none."""


@pytest.fixture(scope="session")
def long_running(ground: Ground) -> Iterator[Device]:
    """One device for most tests: starting an agent takes longer than they do."""
    with device(ground) as made:
        made.start()
        yield made


@pytest.fixture
def box(long_running: Device) -> Iterator[Device]:
    """A device whose agent runs, without Apps; those that the test makes go with their volumes."""
    if not long_running.runs:
        long_running.start()
    yield long_running
    if not long_running.runs:
        long_running.start()
    (long_running.data / "simulated-faults.yaml").unlink(missing_ok=True)
    for name in long_running.apps():
        long_running.api("DELETE", f"/v1/apps/{name}", params={"purge": "true"})
    for name in long_running.apps():
        long_running.gone(name)
    print(long_running.said())


@pytest.fixture(scope="session")
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """One engine after the other, with what runs Apps on it: an agent, or on Kubernetes an operator."""
    if request.param == "kubernetes":
        with cluster_place() as found:
            yield found
        return
    docker = request.param == "docker"
    with device_place(request.getfixturevalue("real_ground") if docker else SimulatedGround()) as found:
        yield found


@pytest.fixture
def at(place: Place) -> Iterator[Place]:
    """That place; the Apps that the test leaves go with their volumes."""
    yield place
    for left in place.apps():
        place.api("DELETE", f"/v1/apps/{left}", purge=True)
    print(place.said())


@pytest.fixture
def own(ground: Ground) -> Iterator[Device]:
    """A device of the test's own, whose agent has not been started yet."""
    with device(ground) as made:
        yield made


@pytest.fixture
def name() -> str:
    """Name of an App that no other test has."""
    return f"app{_token}{next(_numbers)}"
