"""A device that ran the original agent is taken over while its containers run."""

from __future__ import annotations

import contextlib
import copy
import random
import socket
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker.errors
import pytest

from tests.behaviour.device import Device, device
from tests.behaviour.grounds import DockerGround
from tests.docker.rig import IMAGE
from tests.unit.store.originals import dump, make_original

FAST = {"minReadySeconds": 0, "progressDeadlineSeconds": 60}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass(slots=True)
class OriginalDevice:
    """What an original agent has made of two Apps, by the docker client, and its database."""

    api: Any
    data: Path
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:6])
    number: int = field(default_factory=lambda: random.randrange(10**8, 10**9))
    port: int = field(default_factory=free_port)

    @property
    def line(self) -> str:
        return f"Line-{self.token}"

    @property
    def app(self) -> str:
        """Name of the App here."""
        return f"line-{self.token}"

    @property
    def volume(self) -> str:
        return f"data_{self.token}"

    @property
    def network(self) -> str:
        return f"{self.number}_floor"

    @property
    def target(self) -> dict[str, Any]:
        """What the cloud wants: as it runs."""
        web = {
            "image": IMAGE,
            "ports": [f"{self.port}:8080"],
            "volumes": [f"{self.volume}:/data", "/etc/hostname:/site:ro"],
            "networks": ["floor"],
            "environment": {"GREETING": "hello"},
            "labels": {"team": "ot"},
            "resources": {"limits": {"memory": "64Mi"}},
            "livenessProbe": {"type": "http", "path": "/", "port": 8080},
        }
        services = [("web", 1, web), ("side", 2, {"image": IMAGE, "environment": {"PORT": "8081"}})]
        return {
            "apps": {
                str(self.number): {
                    "appId": self.number,
                    "appName": self.line,
                    "services": [
                        {"serviceId": n, "serviceName": name, "imageName": IMAGE, "config": config}
                        for name, n, config in services
                    ],
                }
            }
        }

    def runs(self, target: dict[str, Any] | None = None) -> None:
        """Make the containers, networks and volumes as the original does, and its database."""
        docker_command("network", "create", *self._managed(), self.network)
        docker_command("volume", "create", *self._managed(), f"{self.number}_{self.volume}")
        self.run(
            "web", 1, "-p", f"{self.port}:8080", "-v", f"{self.volume}:/data", "-v", "/etc/hostname:/site:ro",
            "-e", "GREETING=hello", "-l", "team=ot", "-m", "64m",
        )  # fmt: skip
        docker_command("network", "connect", self.network, self.name("web", 1))
        self.run("side", 2, "-e", "PORT=8081")
        docker_command(
            "run", "-d", "--name", f"foreign-{self.token}", "-v", f"foreign_{self.token}:/data", IMAGE
        )
        docker_command("exec", self.name("web", 1), "sh", "-c", "echo before > /data/file")
        make_original(self.data / "device.sqlite", target or self.target)

    def run(self, service: str, number: int, *more: str) -> None:
        """One container as the original makes it."""
        labels = {"app-id": self.number, "app-name": self.line, "service-id": number, "service-name": service}
        words = [word for key, value in labels.items() for word in ("-l", f"iotistic.{key}={value}")]
        name = self.name(service, number)
        docker_command("run", "-d", "--name", name, "--restart", "unless-stopped", *words, *more, IMAGE)

    def name(self, service: str, number: int) -> str:
        return f"{self.line}_{service}_{number}"

    def seen(self, name: str) -> dict[str, Any]:
        """A container by name or id."""
        found: dict[str, Any] = self.api.inspect_container(name)
        return found

    def lives(self) -> dict[str, tuple[str, str]]:
        """Id and start of each container that was there before."""
        names = [self.name("web", 1), self.name("side", 2), f"foreign-{self.token}"]
        found = {name: self.seen(name) for name in names}
        return {name: (one["Id"], one["State"]["StartedAt"]) for name, one in found.items()}

    def has(self, kind: str, name: str) -> bool:
        """Whether the engine has it."""
        try:
            {"volume": self.api.inspect_volume, "network": self.api.inspect_network}[kind](name)
        except docker.errors.NotFound:
            return False
        return True

    def file(self, box: Device) -> str:
        """The file that was written before, as the service sees it now."""
        [web] = box.containers(self.app, "web") or [None]
        id = web.id if web else self.name("web", 1)
        return docker_command("exec", id, "cat", "/data/file")

    def clean_up(self) -> None:
        """Whatever is left of it."""
        for row in self.api.containers(all=True):
            if any(self.token in name for name in row["Names"]):
                with contextlib.suppress(docker.errors.APIError):
                    self.api.remove_container(row["Id"], force=True, v=True)
        for name in (self.network, f"{self.app}_default", f"{self.app}_floor"):
            with contextlib.suppress(docker.errors.APIError):
                self.api.remove_network(name)
        for name in (self.volume, f"{self.number}_{self.volume}", f"foreign_{self.token}"):
            with contextlib.suppress(docker.errors.APIError):
                self.api.remove_volume(name)

    def _managed(self) -> list[str]:
        return ["--label", "iotistic.managed=true", "--label", f"iotistic.app-id={self.number}"]


def docker_command(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()


@pytest.fixture
def box(api: Any) -> Iterator[Device]:
    """A device whose agent was never started."""
    ground = DockerGround()
    with device(ground) as made:
        yield made
    ground.close()


@pytest.fixture
def original(api: Any, box: Device) -> Iterator[OriginalDevice]:
    made = OriginalDevice(api, box.data)
    yield made
    box.kill()
    made.clean_up()


def taken_over(box: Device, app: str) -> None:
    """Start the agent, and wait until nothing is left to do."""
    box.start()
    box.until(lambda: app in box.apps(), "the App is taken over")
    box.ready(app)
    box.until(box.settled, "nothing is left to do")


def changed(box: Device, app: str, **fields: Any) -> dict[str, Any]:
    """The App's document with other fields in its service web."""
    shown = box.app(app)
    document = {key: copy.deepcopy(shown[key]) for key in ("apiVersion", "kind", "spec")}
    document["metadata"] = {key: shown["metadata"][key] for key in ("name", "annotations")}
    document["spec"]["update"] = FAST
    web = next(one for one in document["spec"]["services"] if one["name"] == "web")
    web.update(fields)
    return document


def test_its_containers_run_on_and_stay_ours(original: OriginalDevice, box: Device) -> None:
    original.runs()
    before, tables = original.lives(), dump(box.data / "device.sqlite")

    taken_over(box, original.app)
    assert original.lives() == before
    box.restart()
    box.ready(original.app)
    box.until(box.settled, "nothing is left to do")

    assert original.lives() == before
    assert dump(box.data / "device.sqlite") == tables, "identity, target and queue lie where they lay"
    status = box.app(original.app)["status"]
    assert {one["name"]: one["state"] for one in status["services"]} == {"web": "Running", "side": "Running"}
    assert box.containers(original.app) == [], "none was made beside them"
    assert original.file(box) == "before"


def test_an_update_keeps_the_data_and_replaces_what_it_changes_only(
    original: OriginalDevice, box: Device
) -> None:
    original.runs()
    before = original.lives()
    taken_over(box, original.app)

    box.apply(changed(box, original.app, env=[{"name": "GREETING", "value": "again"}]))

    web = box.container(original.app, "web")
    assert "GREETING=again" in original.seen(web.id)["Config"]["Env"]
    assert original.file(box) == "before"
    assert original.network in original.seen(web.id)["NetworkSettings"]["Networks"]
    names = {row["Names"][0] for row in original.api.containers(all=True)}
    assert f"/{original.name('web', 1)}" not in names
    untouched = original.name("side", 2), f"foreign-{original.token}"
    assert {name: one for name, one in before.items() if name in untouched} == {
        name: (original.seen(name)["Id"], original.seen(name)["State"]["StartedAt"]) for name in untouched
    }
    box.restart()
    box.ready(original.app)
    assert box.container(original.app, "web").id == web.id
    assert original.seen(original.name("side", 2))["Id"] == before[original.name("side", 2)][0]
