"""A real Docker engine with an install of its own, so that tests disturb nobody and leave nothing."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import random
import tarfile
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
import docker.errors

from iotistic.api.app import App
from iotistic.engines.base import Progress, StepContext
from iotistic.engines.docker import DockerEngine
from iotistic.planning.normal import references, target_of
from iotistic.planning.release import digest_contents
from iotistic.planning.values import Action, AppTarget, Container, Observed, Step

IMAGE = "iotistic/hello:1"
FULL = "docker.io/iotistic/hello:1"
SLEEP = ["sleep", "86400"]
KEY = b"k" * 32


class Kept:
    """Secrets and ConfigMaps in memory: `engines.base.Contents`."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], dict[str, bytes]] = {}
        self.types: dict[str, str] = {}

    def put(self, kind: str, name: str, type: str = "Opaque", /, **values: str | bytes) -> None:
        """Keep one; `_` in a key's name stands for `.`."""
        self.values[kind, name] = {
            key.replace("_", "."): value.encode() if isinstance(value, str) else value
            for key, value in values.items()
        }
        self.types[name] = type

    def contents(self, kind: str, name: str) -> Mapping[str, bytes] | None:
        return self.values.get((kind, name))

    def secret_type(self, name: str) -> str:
        return self.types.get(name, "")


class Rig:
    """An engine under test, and the same engine by the SDK to look at it from outside."""

    def __init__(self, config_dir: Path, api: Any, docker_config: Path | None = None) -> None:
        self.api = api
        self.config_dir = config_dir
        self.install = f"test-{uuid.uuid4()}"
        self.kept = Kept()
        self.docker_config = docker_config or config_dir / "no-docker-config"
        self.engine = self.another()
        self.progress: list[Progress] = []
        self.target: AppTarget | None = None
        self.await_ready: Callable[[str], Awaitable[None]] | None = None
        self.wanted: frozenset[str] = frozenset({FULL})
        self._foreign: list[tuple[str, str]] = []

    def another(self, install: str = "") -> DockerEngine:
        """Another engine object: an agent that was started again, or another install."""
        return DockerEngine(
            address="",
            install=install or self.install,
            config_dir=self.config_dir,
            docker_config=self.docker_config,
        )

    def app(self, name: str, *services: dict[str, Any], release: str = "1", **spec: Any) -> AppTarget:
        """Make this the target; a service without a command sleeps."""
        document = {"metadata": {"name": name}, "spec": {"services": [_filled(s) for s in services]} | spec}
        app = App.model_validate(document)
        volumes = {volume.name: volume for volume in app.spec.volumes}
        digests = {}
        for reference in {r for service in app.spec.services for r in references(service, volumes)}:
            kind, _, of = reference.partition("/")
            values = self.kept.contents(kind, of)
            if values is not None:
                digests[reference] = digest_contents(KEY, kind, of, values)
        self.target = target_of(app, release=release, contents=digests)
        return self.target

    @property
    def context(self) -> StepContext:
        services = self.target.services if self.target else ()
        return StepContext(
            target=self.target,
            service_ids={service.name: number for number, service in enumerate(services, start=1)},
            app_id=1001,
            contents=self.kept,
            progress=self.progress.append,
            await_ready=self.await_ready,
        )

    def step(self, action: Action, service: str = "", *, name: str = "", container: str = "") -> Step:
        """A step on the App."""
        app = self.target.name if self.target else ""
        subject = name if action in {Action.FETCH, Action.REMOVE_IMAGE} else f"{app}/{service or name}"
        return Step(action=action, subject=subject, app=app, service=service, name=name, container=container)

    async def do(self, action: Action, service: str = "", *, name: str = "", container: str = "") -> None:
        """Carry out a step."""
        await self.engine.execute(self.step(action, service, name=name, container=container), self.context)

    async def observe(self, *, full: bool = False) -> Observed:
        return await self.engine.observe(self.wanted, full=full)

    async def up(self, *services: str) -> list[Container]:
        """Networks and volumes of the App, then these services (all); their containers."""
        assert self.target is not None
        seen = await self.observe()
        there = {(network.app, network.name) for network in seen.networks}
        for name in self.target.networks:
            if (self.target.name, name) not in there:
                await self.do(Action.CREATE_NETWORK, name=name)
        for name in self.target.volumes:
            if not any((v.app, v.name) == (self.target.name, name) for v in seen.volumes):
                await self.do(Action.CREATE_VOLUME, name=name)
        wanted = services or tuple(service.name for service in self.target.services)
        await asyncio.gather(*(self.do(Action.START, name) for name in wanted))
        return [await self.container(name) for name in wanted]

    async def container(self, service: str) -> Container:
        """The newest container of a service."""
        assert self.target is not None
        seen = (await self.observe()).containers
        return [one for one in seen if (one.app, one.service) == (self.target.name, service)][-1]

    def inspect(self, container: Container | str) -> Any:
        return self.api.inspect_container(container if isinstance(container, str) else container.id)

    def exec(self, container: Container | str, *command: str) -> str:
        """What a command inside a container writes."""
        id = container if isinstance(container, str) else container.id
        made = self.api.exec_create(id, list(command))
        return str(self.api.exec_start(made["Id"]).decode().strip())

    def foreign(self, name: str, *, start: bool = True, **config: Any) -> str:
        """A container of somebody else's; goes with the rig."""
        content = {"Image": IMAGE, "Cmd": SLEEP, "HostConfig": {}} | config
        self.goes("container", name)
        id = self.api.create_container_from_config(content, name)["Id"]
        if start:
            self.api.start(id)
        return str(id)

    def foreign_network(self, name: str, **options: Any) -> str:
        """A network of somebody else's; goes with the rig."""
        self.goes("network", name)
        return str(self.api.create_network(name, **options)["Id"])

    def foreign_volume(self, name: str, **options: Any) -> None:
        """A volume of somebody else's; goes with the rig."""
        self.goes("volume", name)
        self.api.create_volume(name, **options)

    def image(self, name: str, *, architecture: str = "amd64") -> str:
        """An image of its own of a few random bytes; its id. Goes with the rig."""
        self.goes("image", name)
        return make_image(self.api, name, 10, architecture=architecture)

    def goes(self, kind: str, name: str) -> None:
        """A container, network, volume or image goes with the rig."""
        self._foreign.append((kind, name))

    def clean_up(self) -> None:
        """Remove all that this install has, and what was asked to go with it."""
        mine = {"label": [f"iotistic.io/install={self.install}"]}
        ids = [row["Id"] for row in self.api.containers(all=True, filters=mine)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda id: self._remove_quietly("container", id), ids))
        for kind, name in sorted(self._foreign, key=lambda one: ORDER.index(one[0])):
            self._remove_quietly(kind, name)
        for row in self.api.networks(filters=mine):
            self._remove_quietly("network", row["Id"])
        for row in self.api.volumes(filters=mine)["Volumes"] or ():
            self._remove_quietly("volume", row["Name"])

    def _remove_quietly(self, kind: str, name: str) -> None:
        with contextlib.suppress(docker.errors.APIError):
            self._remove(kind, name)

    def _remove(self, kind: str, name: str) -> None:
        match kind:
            case "container":
                self.api.remove_container(name, force=True, v=True)
            case "network":
                self.api.remove_network(name)
            case "volume":
                self.api.remove_volume(name)
            case "image":
                self.api.remove_image(name, force=True)


def make_image(api: Any, name: str, size: int, *, architecture: str = "amd64") -> str:
    """An image of one file, /content, of so many random bytes; its id."""
    layer = tarred({"content": random.randbytes(size)})
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    files = {"config.json": config, "manifest.json": manifest}
    archive = tarred({key: json.dumps(value).encode() for key, value in files.items()} | {"layer.tar": layer})
    list(api.load_image(archive))
    return str(api.inspect_image(name)["Id"])


def tarred(files: Mapping[str, bytes]) -> bytes:
    """A tar archive."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


ORDER = ["container", "network", "volume", "image"]


def _filled(service: dict[str, Any]) -> dict[str, Any]:
    plain = {"image": IMAGE, "stopGracePeriod": 0}
    if "command" not in service and "args" not in service:
        plain["command"] = SLEEP  # ends at once when it is told to, as its grace period is 0
    return plain | service


async def until(true: Callable[[], Any], *, seconds: float = 10) -> Any:
    """Wait until something is so; its value."""
    end = time.monotonic() + seconds
    while True:
        found = true()
        if found:
            return found
        assert time.monotonic() < end, f"not so within {seconds} s"
        await asyncio.sleep(0.02)
