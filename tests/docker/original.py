"""A device of the original agent: its database by its table list, its containers made with docker."""

from __future__ import annotations

import contextlib
import random
import subprocess
import urllib.request
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker.errors

from tests.behaviour.device import Device
from tests.docker.registry import free_port
from tests.docker.rig import IMAGE
from tests.unit.store.originals import make_original


@dataclass(slots=True)
class OriginalDevice:
    """What an original agent has made of two Apps, by the docker client, and its database."""

    api: Any
    data: Path
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:6])
    number: int = field(default_factory=lambda: random.randrange(10**8, 10**9))
    port: int = field(default_factory=lambda: free_port("127.0.0.1"))
    network: str = ""

    def __post_init__(self) -> None:
        self.network = f"{self.number}_floor"

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

    def runs(
        self, target: dict[str, Any] | None = None, *, joined: bool = True, side: Sequence[str] = ()
    ) -> None:
        """Make the containers, networks and volumes as the original does, and its database.

        Args:
            target: what the cloud wants; what runs if there is none.
            joined: web is on its network.
            side: more options of the container of `side`.
        """
        docker_command("network", "create", *self._managed(), self.network)
        docker_command("volume", "create", *self._managed(), f"{self.number}_{self.volume}")
        self.run(
            "web", 1, "-p", f"{self.port}:8080", "-v", f"{self.volume}:/data", "-v", "/etc/hostname:/site:ro",
            "-e", "GREETING=hello", "-l", "team=ot", "-m", "64m",
        )  # fmt: skip
        if joined:
            docker_command("network", "connect", self.network, self.name("web", 1))
        self.run("side", 2, "-e", "PORT=8081", *side)
        docker_command(
            "run", "-d", "--name", f"foreign-{self.token}", "-v", f"foreign_{self.token}:/data", IMAGE
        )
        docker_command("exec", self.name("web", 1), "sh", "-c", "echo before > /data/file")
        make_original(self.data / "device.sqlite", target or self.target)

    def run(
        self,
        service: str,
        number: int,
        *more: str,
        app: str = "",
        number_of_app: int = 0,
        name: str = "",
    ) -> None:
        """One container as the original makes it; `name`: not the usual one."""
        app, number_of_app = app or self.line, number_of_app or self.number
        labels = {"app-id": number_of_app, "app-name": app, "service-id": number, "service-name": service}
        words = [word for key, value in labels.items() for word in ("-l", f"iotistic.{key}={value}")]
        called = f"{name}-{self.token}" if name else f"{app}_{service}_{number}"
        docker_command("run", "-d", "--name", called, "--restart", "unless-stopped", *words, *more, IMAGE)

    def name(self, service: str, number: int) -> str:
        return f"{self.line}_{service}_{number}"

    def seen(self, name: str) -> dict[str, Any]:
        """A container by name or id."""
        found: dict[str, Any] = self.api.inspect_container(name)
        return found

    def lives(self) -> dict[str, tuple[str, str]]:
        """Id and start of each container that was there before."""
        names = [self.name("web", 1), self.name("side", 2), f"foreign-{self.token}"]
        return {name: self.lives_of(name) for name in names}

    def lives_of(self, name: str) -> tuple[str, str]:
        """Id and start of a container."""
        seen = self.seen(name)
        return seen["Id"], seen["State"]["StartedAt"]

    def web_answers(self) -> bool:
        """Whether the port of the host leads to the service."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as answer:
            return "Hello" in answer.read().decode()

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
        for name in (self.network, f"{self.app}_default", f"twin-{self.token}_default"):
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
