"""What somebody does to containers by hand is set right, and the cause is told."""

from __future__ import annotations

import pytest

from tests.behaviour.device import Device, app
from tests.behaviour.grounds import Ground


@pytest.mark.parametrize("what", ["stop", "remove"])
def test_a_container_that_goes_by_hand_comes_back(box: Device, ground: Ground, name: str, what: str) -> None:
    box.apply(
        app(name, {"name": "web", "image": ground.image("web")}, {"name": "db", "image": ground.image("db")})
    )
    before = box.ids(name)
    web = box.container(name, "web")
    box.until(box.settled, "nothing is left to do")

    {"stop": ground.stop, "remove": ground.remove}[what](box.data, web)
    box.until(
        lambda: (
            [one.status for one in box.containers(name, "web") if one.started != web.started] == ["running"]
        ),
        "web runs again",
    )
    box.ready(name)

    after = box.ids(name)
    assert after[f"{name}/db"] == before[f"{name}/db"]
    assert (after[f"{name}/web"] == web.id) is (what == "stop")
    cause = [one["data"]["cause"] for one in box.events(name) if one["reason"] == "Started"][-1]
    assert cause.startswith("exited with" if what == "stop" else "no container yet")


def test_what_went_while_the_agent_was_away_comes_back(box: Device, ground: Ground, name: str) -> None:
    box.apply(app(name, {"name": "web", "image": ground.image("web")}))
    assert box.stop() == 0
    ground.remove(box.data, box.container(name, "web"))

    box.start()

    box.until(lambda: [one.status for one in box.containers(name)] == ["running"], "web runs again")
    box.ready(name)
