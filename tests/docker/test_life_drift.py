"""The whole agent on a real engine: what somebody changes by hand is set right, and its cause is told; what
only looks different is left alone.
"""

from __future__ import annotations

import json
import os
import signal
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.behaviour.device import Device, app, device
from tests.behaviour.grounds import DockerGround, Seen, docker_ground


@pytest.fixture(scope="module")
def ground(api: Any) -> Iterator[DockerGround]:
    with docker_ground() as found:
        yield found


@pytest.fixture(scope="module")
def running(ground: DockerGround) -> Iterator[Device]:
    with device(ground) as made:
        made.start()
        yield made


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """Name of an App that no other test has."""
    return f"drift-{zlib.crc32(request.node.name.encode()):08x}"


@pytest.fixture
def box(running: Device) -> Iterator[Device]:
    """A device whose agent runs; Apps that a test makes go."""
    if not running.runs:
        running.start()
    yield running
    if not running.runs:
        running.start()
    for name in running.apps():
        running.api("DELETE", f"/v1/apps/{name}", params={"purge": "true"})
        running.gone(name)


def web(ground: DockerGround, name: str, **fields: Any) -> dict[str, Any]:
    """An App of two services, of which web has more fields."""
    db = {"name": "db", "image": ground.image("db")}
    return app(name, {"name": "web", "image": ground.image("web")} | fields, db)


def causes(box: Device, name: str) -> list[str]:
    """Causes of steps on web, in the order in which they were done."""
    return [
        one["data"]["cause"]
        for one in box.events(name)
        if one["service"] == "web" and one["reason"] == "Killed"
    ]


def replaced(box: Device, before: Seen) -> Seen:
    """Wait until web is another container, and everything is well again."""

    def other() -> Seen | None:
        found = [one for one in box.containers(before.app, "web") if one.status == "running"]
        return found[0] if len(found) == 1 and found[0].id != before.id else None

    now = box.until(other, "web was made anew")
    box.ready(before.app)
    return now


def test_a_changed_limit_is_set_right(box: Device, ground: DockerGround, name: str) -> None:
    box.apply(web(ground, name, resources={"limits": {"memory": "64Mi"}}))
    before, db = box.container(name, "web"), box.container(name, "db")

    ground.api.update_container(before.id, mem_limit="32m", memswap_limit="64m")

    now = replaced(box, before)
    assert ground.inspect(now)["HostConfig"]["Memory"] == 64 * 2**20
    assert causes(box, name) == ["resources changed"]
    assert "resources changed" in box.said()
    assert box.container(name, "db") == db


def test_a_changed_restart_policy_is_set_right(box: Device, ground: DockerGround, name: str) -> None:
    box.apply(web(ground, name))
    before = box.container(name, "web")

    ground.api.update_container(before.id, restart_policy={"Name": "no"})

    now = replaced(box, before)
    assert ground.inspect(now)["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert causes(box, name) == ["restart policy changed"]


def test_a_container_that_was_disconnected_is_connected_again(
    box: Device, ground: DockerGround, name: str
) -> None:
    box.apply(web(ground, name))
    before = box.container(name, "web")

    ground.api.disconnect_container_from_network(before.id, f"{name}_default")

    now = replaced(box, before)
    assert list(ground.inspect(now)["NetworkSettings"]["Networks"]) == [f"{name}_default"]
    [cause] = causes(box, name)
    assert "network default joined" in cause


def test_a_network_that_was_removed_comes_back_with_its_services(
    box: Device, ground: DockerGround, name: str
) -> None:
    box.apply(web(ground, name))
    before = box.container(name, "web")
    assert box.process is not None
    os.kill(box.process.pid, signal.SIGSTOP)  # what is done by hand is done before it sees any of it
    for one in box.containers(name):
        ground.api.disconnect_container_from_network(one.id, f"{name}_default", force=True)
    ground.api.remove_network(f"{name}_default")
    os.kill(box.process.pid, signal.SIGCONT)

    replaced(box, before)

    assert ground.networks(box.data) == {f"{name}/default"}
    made, fetch = box.container(name, "web"), ("wget", "-qO-", "http://db:8080/")
    box.until(lambda: ground.run_in(made, *fetch) == "db 1\n", "web finds db")


@pytest.mark.parametrize(
    ("more", "less"),
    [
        pytest.param(
            {"restartPolicy": "Always", "stopGracePeriod": 10, "networks": {"default": {}}}, (), id="more"
        ),
        pytest.param({"tty": False, "extraHosts": [], "securityContext": {}}, (), id="fields of another age"),
        pytest.param({}, ("ports", "stopGracePeriod"), id="fewer"),
    ],
)
def test_another_agent_that_writes_defaults_otherwise_recreates_nothing(
    box: Device, ground: DockerGround, name: str, more: dict[str, Any], less: tuple[str, ...]
) -> None:
    box.apply(
        web(ground, name, stopGracePeriod=10, ports=[{"containerPort": 8080, "protocol": "TCP"}][: not less])
    )
    assert box.stop() == 0
    twin = _twin(ground, box.container(name, "web"), more, less)

    box.start()
    box.ready(name)

    assert box.container(name, "web").id == twin
    assert [one["reason"] for one in box.events(name) if one["type"] == "Normal"] == []


def test_a_container_that_is_killed_for_its_memory_says_so(
    box: Device, ground: DockerGround, name: str
) -> None:
    eats = ["sh", "-c", "sleep 0.3; dd if=/dev/zero of=/dev/null bs=300M count=1"]
    limits = {"limits": {"memory": "16Mi"}}

    box.apply(web(ground, name, command=eats, resources=limits), ready=False)

    box.until(lambda: "OOMKilled" in box.service(name, "web")["reason"], "the reason is told", seconds=30)


def _twin(ground: DockerGround, of: Seen, more: dict[str, Any], less: tuple[str, ...]) -> str:
    """The same container, made by an agent that writes its record in another way; it runs instead."""
    shown = ground.inspect(of)
    config = {key: value for key, value in shown["Config"].items() if key != "Hostname"}
    label = json.loads(config["Labels"]["iotistic.io/spec"])
    record = {key: value for key, value in label["record"].items() if key not in less} | more
    config["Labels"]["iotistic.io/spec"] = json.dumps(label | {"record": record})
    [(network, joined)] = shown["NetworkSettings"]["Networks"].items()
    aliases = [one for one in joined["Aliases"] if not shown["Id"].startswith(one)]
    config["HostConfig"] = shown["HostConfig"]
    config["NetworkingConfig"] = {"EndpointsConfig": {network: {"Aliases": aliases}}}
    ground.api.remove_container(of.id, force=True)
    made = str(ground.api.create_container_from_config(config, shown["Name"].removeprefix("/"))["Id"])
    ground.api.start(made)
    return made
