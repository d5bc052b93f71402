"""What needs a Docker engine is left out where there is none; in CI it must be there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest

from tests.docker.registry import Registry, Wire, serving, why_not
from tests.docker.rig import IMAGE, Rig

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.docker)


def missing(what: str) -> None:
    """Leave a test out, or fail where everything has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}; in CI it must be there")
    pytest.skip(what)


@pytest.fixture(scope="session")
def api() -> Iterator[Any]:
    """The engine by the SDK, with the image that tests use."""
    try:
        client: Any = docker.APIClient(version="auto", timeout=60)
        client.ping()
    except docker.errors.DockerException as error:
        missing(f"no Docker engine answers (hack/docker up): {error}")
    made = subprocess.run([ROOT / "hack" / "hello-image"], capture_output=True, text=True, check=False)
    if made.returncode:
        missing(f"image {IMAGE} can't be made: {made.stderr}")
    yield client
    client.close()


@pytest.fixture
async def rig(tmp_path: Path, api: Any) -> AsyncIterator[Rig]:
    """An install of its own on the engine; all that it made goes at the end."""
    rig = Rig(tmp_path, api)
    yield rig
    await rig.engine.close()
    rig.clean_up()


@pytest.fixture(scope="session")
def registry(api: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry behind TLS and a password, and a plain one of the same images."""
    reason = why_not()
    if reason:
        missing(f"no registry: {reason}")
    bridge = api.inspect_network("bridge")["IPAM"]["Config"][0].get("Gateway") or "172.17.0.1"
    with serving(tmp_path_factory.mktemp("registry"), bridge) as registry:
        yield registry


@pytest.fixture
def wire(registry: Registry) -> Iterator[Wire]:
    """A wire to the plain registry."""
    wire = Wire(registry.plain_port)
    yield wire
    wire.close()
