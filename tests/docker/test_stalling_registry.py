"""A registry that goes silent in the middle of a layer: the connection stays, nothing comes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import docker.errors
import pytest

from tests.behaviour.device import Device, app, device
from tests.behaviour.grounds import DockerGround, docker_ground
from tests.docker.registry import Registry, Wire, push
from tests.docker.rig import make_image

MB = 1_000_000
NAME = "stalling"


@pytest.fixture
def ground(api: Any) -> Iterator[DockerGround]:
    with docker_ground() as found:
        yield found


@pytest.fixture
def box(ground: DockerGround) -> Iterator[Device]:
    """A quiet device: it looks by itself once in an hour."""
    with device(ground) as made:
        made.start(RESYNC_SECONDS="3600")
        yield made


@pytest.fixture
def image(api: Any, registry: Registry, wire: Wire) -> Iterator[str]:
    """An image that is to be had through the wire only."""
    make_image(api, "iotistic-test/stalling:1", 6 * MB)
    push(api, "iotistic-test/stalling:1", f"{registry.plain}/team/stalling:1")
    api.remove_image("iotistic-test/stalling:1")
    image = f"{wire.address}/team/stalling:1"
    yield image
    with contextlib.suppress(docker.errors.APIError):
        api.remove_image(image, force=True)


def web(image: str) -> dict[str, Any]:
    """One service; an update has five seconds beside what its download takes."""
    return app(NAME, {"name": "web", "image": image}, update={"progressDeadlineSeconds": 5})


def test_an_update_whose_download_stalls_is_undone_though_nothing_else_happens(
    box: Device, ground: DockerGround, wire: Wire, image: str
) -> None:
    box.apply(web(ground.image("web")))
    before = box.container(NAME, "web")
    wire.stall_after = 2 * MB

    box.apply(web(image), ready=False)
    asked = time.monotonic()
    box.until(lambda: wire.carried >= 2 * MB, "the registry has gone silent", seconds=60)
    quietly_undone(box)

    assert time.monotonic() - asked > 30, "a slow line is not the release's fault"
    shown = box.app(NAME)["status"]
    assert shown["state"] == "Undone"
    assert f"web never became ready (pulling {image}" in shown["why"]
    assert box.container(NAME, "web") == before


def quietly_undone(box: Device) -> None:
    """Wait for the undo without asking the agent for anything: its log says it."""
    deadline = time.monotonic() + 120
    while "release 2 was undone" not in box.said():
        assert time.monotonic() < deadline, box.said()
        time.sleep(0.5)
