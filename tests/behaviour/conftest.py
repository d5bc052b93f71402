"""The same tests on every engine; IOTISTIC_ENGINES=simulated picks some."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack

import docker.errors
import pytest

from tests.behaviour.device import Device, device
from tests.behaviour.grounds import DockerGround, Ground, SimulatedGround, docker_ground

ENGINES = {"simulated": SimulatedGround.real, "docker": DockerGround.real}
_numbers = itertools.count(1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "ground" not in metafunc.fixturenames:
        return
    asked = os.environ.get("IOTISTIC_ENGINES", " ".join(ENGINES)).split()
    wanted = [
        pytest.param(name, marks=[pytest.mark.docker] if name == "docker" else [])
        for name, real in ENGINES.items()
        if name in asked and (real or "on_real" not in metafunc.fixturenames)
    ]
    metafunc.parametrize("ground", wanted, indirect=True, scope="session")


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


@pytest.fixture
def own(ground: Ground) -> Iterator[Device]:
    """A device of the test's own, whose agent has not been started yet."""
    with device(ground) as made:
        yield made


@pytest.fixture
def name() -> str:
    """Name of an App that no other test has."""
    return f"app{next(_numbers)}"
