"""The Docker engine stops, is killed, or comes late: the agent says so, waits, and goes on where it was."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.behaviour.device import BIN, Device, app, device
from tests.behaviour.grounds import DockerGround, docker_ground
from tests.faults.engines import OwnEngine, own_engine

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def engine() -> Iterator[OwnEngine]:
    try:
        with own_engine() as started:
            yield started
    except RuntimeError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def own_ground(engine: OwnEngine) -> Iterator[DockerGround]:
    with docker_ground(engine.address) as ground:
        ground.image("web")
        ground.image("db")
        yield ground


@pytest.fixture
def box(engine: OwnEngine, own_ground: DockerGround) -> Iterator[Device]:
    with device(own_ground) as made:
        yield made
        if not engine.runs:
            engine.start()


def start(box: Device, engine: OwnEngine) -> None:
    """Start an agent that reaches the containers of this engine."""
    box.start(program=[*engine.within, BIN / "iotistic-edge", "agent", "--engine", "docker"])


def shop(ground: DockerGround, services: int = 2) -> dict[str, Any]:
    """An App with probes."""
    probe = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    several = [
        {"name": f"web{number}", "image": ground.image("web"), "readinessProbe": probe}
        for number in range(services)
    ]
    return app("shop", *several)


def healthy(box: Device) -> bool:
    """What a supervisor would be told."""
    return box.http.get("/v1/healthy").is_success


def test_an_engine_that_restarts_is_waited_for(
    box: Device, engine: OwnEngine, own_ground: DockerGround
) -> None:
    start(box, engine)
    box.apply(shop(own_ground))
    before = box.ids()

    engine.stop()
    box.until(lambda: not healthy(box), "it says that the engine is gone")
    refused = box.iotctl("status")
    assert refused.code == 1
    assert "engine" in refused.out.lower()
    began = time.monotonic()
    engine.start()
    box.until(lambda: healthy(box), "it says that the engine is back", seconds=30)
    box.ready("shop")

    assert time.monotonic() - began < 30
    assert box.ids() == before
    reasons = [one["reason"] for one in box.events()]
    assert reasons.count("EngineUnreachable") == 1
    assert reasons.count("EngineBack") == 1
    assert "CrashLoop" not in reasons


def test_an_engine_that_is_killed_in_the_middle_of_an_apply(
    box: Device, engine: OwnEngine, own_ground: DockerGround
) -> None:
    start(box, engine)
    box.apply(shop(own_ground, 8), ready=False)
    box.until(box.containers, "the first containers are there")

    engine.kill()
    box.until(lambda: not healthy(box), "it says that the engine is gone")
    engine.start()
    box.ready("shop", seconds=60)

    assert len(box.ids()) == 8
    assert {one.status for one in box.containers()} == {"running"}


def test_an_agent_may_be_there_before_the_engine(
    box: Device, engine: OwnEngine, own_ground: DockerGround
) -> None:
    document = shop(own_ground)
    engine.stop()
    try:
        start(box, engine)
        assert box.iotctl("apply", "-f", "-", documents=[document]).code == 0
        assert not healthy(box)
        assert box.stop() == 0, "what was taken is durable"
        start(box, engine)
    finally:
        engine.start()

    box.ready("shop", seconds=40)

    assert set(box.ids()) == {"shop/web0", "shop/web1"}


def test_everything_is_killed_at_once_and_comes_back(
    box: Device, engine: OwnEngine, own_ground: DockerGround
) -> None:
    start(box, engine)
    box.apply(shop(own_ground))
    before = box.ids()

    box.kill()
    engine.kill()
    start(box, engine)
    engine.start()
    box.ready("shop", seconds=60)

    assert box.ids() == before
    assert {one.status for one in box.containers()} == {"running"}
