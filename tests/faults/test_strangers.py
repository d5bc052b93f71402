"""Hundreds of containers of others on an engine: an App comes up all the same, and they are left alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.behaviour.device import Device, app
from tests.behaviour.grounds import HELLO, DockerGround
from tests.faults.engines import OwnEngine

pytestmark = pytest.mark.docker

STRANGERS = 500
RUNNING = 10
WAIT_SECONDS = 240.0


@pytest.fixture
def strangers(own_ground: DockerGround) -> dict[str, str]:
    """Containers of others by their ids, and how they are; some use the image that the App uses."""
    api = own_ground.api

    def make(number: int) -> str:
        image = HELLO if number % 2 else own_ground.image("web")
        labels = {"com.example.team": "others"}
        host = {"NetworkMode": "none"}
        content = {"Image": image, "Labels": labels, "HostConfig": host, "StopSignal": "SIGKILL"}
        id = str(api.create_container_from_config(content, f"stranger-{number}")["Id"])
        if number < RUNNING:
            api.start(id)
        return id

    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(make, range(STRANGERS)))
    return _seen(api, ids)


def test_five_hundred_containers_of_others_are_left_alone(
    box: Device, engine: OwnEngine, own_ground: DockerGround, strangers: dict[str, str]
) -> None:
    assert len(strangers) == STRANGERS
    probe = {"readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1}}
    box.start(program=engine.agent())

    box.apply(app("shop", {"name": "web", "image": own_ground.image("web")} | probe), seconds=WAIT_SECONDS)
    box.apply(app("shop", {"name": "web", "image": own_ground.image("web", 2)} | probe), seconds=WAIT_SECONDS)
    box.kill()
    box.start(program=engine.agent())
    box.ready("shop", seconds=WAIT_SECONDS)
    box.until(box.settled, "nothing is left to do", seconds=WAIT_SECONDS)

    assert box.container("shop", "web").image == own_ground.image("web", 2)
    assert own_ground.api.inspect_image(own_ground.image("web"))["Id"], "others use it"
    box.api("DELETE", "/v1/apps/shop", params={"purge": "true"})
    box.gone("shop", seconds=WAIT_SECONDS)
    assert box.containers() == []
    assert _seen(own_ground.api, list(strangers)) == strangers


def _seen(api: Any, ids: list[str]) -> dict[str, str]:
    rows = {row["Id"]: row["State"] for row in api.containers(all=True)}
    return {id: rows[id] for id in ids}
