"""The Docker engine stops, is killed, or comes late: the agent says so, waits, and goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.behaviour.device import Device, app
from tests.behaviour.grounds import DockerGround
from tests.faults.engines import OwnEngine

pytestmark = pytest.mark.docker


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
    box.start(program=engine.agent())
    box.apply(shop(own_ground), seconds=180)
    before = box.ids()

    engine.stop()
    box.until(lambda: not healthy(box), "it says that the engine is gone", seconds=180)
    refused = box.iotctl("status")
    assert refused.code == 1
    assert "engine" in refused.out.lower()
    engine.start()
    box.until(lambda: healthy(box), "it says that the engine is back", seconds=180)
    box.ready("shop", seconds=180)

    assert box.ids() == before
    reasons = [one["reason"] for one in box.events()]
    assert reasons.count("EngineUnreachable") == 1
    assert reasons.count("EngineBack") == 1
    assert "CrashLoop" not in reasons


@pytest.mark.parametrize("ends", [OwnEngine.stop, OwnEngine.kill], ids=["stopped", "killed"])
def test_an_engine_that_goes_in_the_middle_of_an_apply(
    box: Device, engine: OwnEngine, own_ground: DockerGround, ends: Callable[[OwnEngine], None]
) -> None:
    box.start(program=engine.agent())
    box.apply(shop(own_ground, 8), ready=False)
    box.until(box.containers, "the first containers are there", seconds=180)

    ends(engine)
    box.until(lambda: not healthy(box), "it says that the engine is gone", seconds=180)
    engine.start()
    box.ready("shop", seconds=180)

    assert len(box.ids()) == 8
    assert {one.status for one in box.containers()} == {"running"}


def test_an_agent_may_be_there_before_the_engine(
    box: Device, engine: OwnEngine, own_ground: DockerGround
) -> None:
    document = shop(own_ground)
    engine.stop()
    try:
        box.start(program=engine.agent())
        assert box.iotctl("apply", "-f", "-", documents=[document]).code == 0
        assert not healthy(box)
        assert box.stop() == 0, "what was taken is durable"
        box.start(program=engine.agent())
    finally:
        engine.start()

    box.ready("shop", seconds=180)

    assert set(box.ids()) == {"shop/web0", "shop/web1"}


def test_everything_is_killed_at_once_and_comes_back(
    box: Device, engine: OwnEngine, own_ground: DockerGround
) -> None:
    box.start(program=engine.agent())
    box.apply(shop(own_ground), seconds=180)
    before = box.ids()

    box.kill()
    engine.kill()
    box.start(program=engine.agent())
    engine.start()
    box.ready("shop", seconds=180)

    assert box.ids() == before
    assert {one.status for one in box.containers()} == {"running"}
