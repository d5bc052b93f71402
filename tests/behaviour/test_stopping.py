"""Stopping an App at a bad moment: in the middle of an update, of an undo, under a lock."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.behaviour.device import Device, Document, app
from tests.behaviour.grounds import DockerGround, Ground


def good(ground: Ground, name: str, **update: Any) -> Document:
    """Release 1."""
    return app(name, {"name": "web", "image": ground.image("web", 1)}, update=update)


def bad(device: Device, ground: Ground, name: str, **update: Any) -> Document:
    """Another release, whose probe never answers well."""
    probe = {"tcpSocket": {"port": 81}, "periodSeconds": 1, "failureThreshold": 1}
    if not isinstance(ground, DockerGround):
        faults = json.dumps({"unhealthy": [f"{name}/web"]})
        (device.data / "simulated-faults.yaml").write_text(faults)
    web = {"name": "web", "image": ground.image("web", 2), "readinessProbe": probe}
    return app(name, web, update=update)


def states(device: Device, name: str) -> dict[str, str]:
    """The standing of each remembered release."""
    items = device.api("GET", f"/v1/apps/{name}/history")["items"]
    return {item["release"]: item["state"] for item in items}


def stopped_in_the_middle(box: Device, ground: Ground, name: str) -> None:
    """A bad update has begun, and somebody stops the App to have a look."""
    box.apply(good(ground, name))
    box.apply(bad(box, ground, name, progressDeadlineSeconds=10), ready=False)
    box.until(lambda: box.service(name, "web")["image"] == ground.image("web", 2), "release 2 runs")
    assert box.iotctl("apps", "stop", name).code == 0
    box.until(lambda: box.states()[name] == "Stopped", "it is stopped", seconds=60)


def test_a_bad_update_that_is_stopped_does_not_become_the_good_one(
    box: Device, ground: Ground, name: str
) -> None:
    stopped_in_the_middle(box, ground, name)
    assert states(box, name) == {"1": "good", "2": "updating"}
    assert "web was stopped by hand before the release was good" in box.app(name)["status"]["why"]
    said = box.iotctl("explain", "app", name).out
    assert f"{name} was stopped by hand; release 2 can't be good before it has run" in said

    assert box.iotctl("apps", "start", name).code == 0

    box.until(lambda: box.states()[name] == "Undone", "release 2 was undone", seconds=60)
    assert box.container(name, "web").image == ground.image("web", 1)
    assert states(box, name) == {"1": "serving", "2": "quarantined"}


def test_waiting_for_a_stopped_app_says_that_it_is_stopped(box: Device, ground: Ground, name: str) -> None:
    box.apply(good(ground, name))
    box.iotctl("apps", "stop", name)
    box.until(lambda: box.states()[name] == "Stopped", "it is stopped")

    ran = box.iotctl("wait", f"app/{name}", "--timeout", "30s")

    assert ran.code == 1
    assert f"App {name} is stopped, as somebody asked." in ran.err
    assert f"iotctl apps start {box.app(name)['spec']['appId']} --wait" in ran.err


def test_an_app_whose_newest_release_was_undone_is_waited_for_when_it_starts_again(
    box: Device, ground: Ground, name: str
) -> None:
    box.apply(good(ground, name))
    box.apply(bad(box, ground, name, progressDeadlineSeconds=2), ready=False)
    box.until(lambda: box.states()[name] == "Undone", "release 2 was undone", seconds=60)
    box.iotctl("apps", "stop", name)
    box.until(lambda: box.container(name, "web").status == "exited", "it is stopped", seconds=60)

    ran = box.iotctl("apps", "start", name, "--wait")

    assert ran.code == 0, ran.err
    assert f"App {name} serves release 1 (1 of 1 services" in ran.out
    assert "undone as before: release 2" in ran.out
    assert box.container(name, "web").status == "running"


@pytest.mark.parametrize("on", ["the whole App", "a service"])
def test_a_stop_under_a_users_lock_says_whose_it_is_and_how_to_release_it(
    box: Device, ground: Ground, name: str, on: str
) -> None:
    db = {"name": "db", "image": ground.image("db")}
    box.apply(app(name, {"name": "web", "image": ground.image("web")}, db))
    service = ("--service", "db") if on == "a service" else ()
    assert box.iotctl("lock", name, *service, "--reason", "batch 7", "--until", "2h").code == 0
    started = {one.id: one.started for one in box.containers(name)}

    ran = box.iotctl("apps", "stop", name)
    assert ran.code == 0
    where = f"{name}/db" if service else name
    assert ran.err.startswith(f"That waits: {where} is locked by "), ran.err
    unlock = " ".join(["iotctl unlock", name, *service])
    assert "batch 7, until 2" in ran.err
    assert f"({unlock})" in ran.err
    box.until(lambda: f"{where} is locked by" in box.app(name)["status"]["why"], "it waits")
    assert unlock in box.iotctl("explain", "app", name).out
    assert {one.id: one.started for one in box.containers(name)} == started

    assert box.iotctl(*unlock.split()[1:]).code == 0
    box.until(lambda: box.states()[name] == "Stopped", "it is stopped", seconds=60)


def test_a_restart_under_a_users_lock_is_refused(box: Device, ground: Ground, name: str) -> None:
    box.apply(app(name, {"name": "web", "image": ground.image("web")}))
    before = box.container(name, "web")
    box.iotctl("lock", name, "--reason", "batch 7")

    for words in (("apps", "restart", name), ("services", "restart", f"{name}-web")):
        ran = box.iotctl(*words)
        assert ran.code == 1
        assert "batch 7; nothing was restarted" in ran.err
        assert f"iotctl unlock {name}" in ran.err
    assert box.container(name, "web") == before

    box.iotctl("unlock", name)
    assert box.iotctl("apps", "restart", name).code == 0
    box.until(lambda: box.container(name, "web").started > before.started, "it was restarted", seconds=60)
