"""Where the containers of a device run: looking at them from outside, and doing things to them by hand.

Another engine is one more class here and one more name in conftest.py; no test changes.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import tarfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).parents[2]
HELLO = "iotistic/hello:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One container, as somebody beside the agent sees it."""

    id: str
    app: str
    service: str
    status: str
    image: str
    started: str


class Ground(Protocol):
    """One kind of engine. `data` is the data directory of the device that is meant."""

    name: str
    """As `iotistic-edge agent --engine` says it."""
    real: bool
    """Its containers are processes that answer and write."""

    def settings(self) -> Mapping[str, str]:
        """What the agent needs in its environment to reach it."""
        ...

    def image(self, name: str, version: int = 1) -> str:
        """An image that can be had here; it serves a page that says `<name> <version>` on port 8080."""
        ...

    def containers(self, data: Path) -> list[Seen]:
        """All containers of the device."""
        ...

    def networks(self, data: Path) -> set[str]:
        """All networks of the device, as `app/name`."""
        ...

    def volumes(self, data: Path) -> set[str]:
        """All volumes of the device, as `app/name`."""
        ...

    def stop(self, data: Path, container: Seen) -> None:
        """Stop a container, not through the agent."""
        ...

    def remove(self, data: Path, container: Seen) -> None:
        """Remove a container, not through the agent."""
        ...

    def ending(self, data: Path, app: str, service: str, code: int) -> Mapping[str, Any]:
        """What a service document needs so that its containers end by themselves with this exit code."""
        ...

    def clean_up(self, data: Path) -> None:
        """Remove everything that the device has here."""
        ...


class SimulatedGround:
    """The simulated engine: its world is a file."""

    name = "simulated"
    real = False

    def settings(self) -> Mapping[str, str]:
        return {"RESYNC_SECONDS": "1"}  # it tells no events of what is changed in its file by hand

    def image(self, name: str, version: int = 1) -> str:
        return f"{name}:{version}"

    def containers(self, data: Path) -> list[Seen]:
        return [
            Seen(
                id=one["id"],
                app=one["app"],
                service=one["service"],
                status=one.get("status", "running"),
                image=one["record"]["image"],
                started=one.get("started", ""),
            )
            for one in _world(data)["containers"]
        ]

    def networks(self, data: Path) -> set[str]:
        return {f"{one['app']}/{one['name']}" for one in _world(data)["networks"]}

    def volumes(self, data: Path) -> set[str]:
        return {f"{one['app']}/{one['name']}" for one in _world(data)["volumes"]}

    def stop(self, data: Path, container: Seen) -> None:
        self._change(data, container, lambda one: one | {"status": "exited", "exitCode": 137})

    def remove(self, data: Path, container: Seen) -> None:
        self._change(data, container, lambda one: None)

    def ending(self, data: Path, app: str, service: str, code: int) -> Mapping[str, Any]:
        path = data / "simulated-faults.yaml"
        faults = {"crashLoop": []} | (json.loads(path.read_text()) if path.exists() else {})
        faults.setdefault("crashLoop", []).append(
            {"service": f"{app}/{service}", "exitCode": code, "afterSeconds": 0.2}
        )
        path.write_text(json.dumps(faults))
        return {}

    def clean_up(self, data: Path) -> None:
        """It goes with its file."""

    def _change(self, data: Path, container: Seen, change: Any) -> None:
        from iotistic.engines.simulated.world import alone

        path = data / "simulated.json"
        with alone(path):
            world = _world(data)
            changed = [change(one) if one["id"] == container.id else one for one in world["containers"]]
            world["containers"] = [one for one in changed if one is not None]
            beside = path.with_suffix(".by-hand")
            beside.write_text(json.dumps(world))
            beside.replace(path)


def _world(data: Path) -> dict[str, Any]:
    path = data / "simulated.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"version": 1}
    return {"containers": [], "networks": [], "volumes": [], "images": []} | found


class DockerGround:
    """A Docker engine, seen through its SDK."""

    name = "docker"
    real = True

    def __init__(self, address: str = "") -> None:
        """Raises docker.errors.DockerException when none answers, RuntimeError without the test image."""
        import docker

        self.address = address
        more = {"base_url": address} if address else {}
        self.api: Any = docker.APIClient(version="auto", timeout=60, **more)
        self.api.ping()
        made = subprocess.run(
            [ROOT / "hack" / "hello-image"],
            env=_environment(self.settings()),
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise RuntimeError(f"image {HELLO} can't be made: {made.stderr}")
        self._token = f"tests-{uuid.uuid4().hex[:8]}"
        self._images: dict[tuple[str, int], str] = {}

    def settings(self) -> Mapping[str, str]:
        return {"DOCKER_HOST": self.address} if self.address else {}

    def image(self, name: str, version: int = 1) -> str:
        if (name, version) not in self._images:
            self._images[name, version] = self._make_image(f"{self._token}/{name}", version)
        return self._images[name, version]

    def containers(self, data: Path) -> list[Seen]:
        import docker.errors

        found = []
        for row in self.api.containers(all=True, filters=_ours(data)):
            with contextlib.suppress(docker.errors.NotFound):  # gone between the two questions
                found.append(self._seen(row["Id"]))
        return found

    def networks(self, data: Path) -> set[str]:
        return {_of(row["Labels"]) for row in self.api.networks(filters=_ours(data))}

    def volumes(self, data: Path) -> set[str]:
        return {_of(row["Labels"]) for row in self.api.volumes(filters=_ours(data))["Volumes"] or ()}

    def stop(self, data: Path, container: Seen) -> None:
        self.api.stop(container.id, timeout=1)

    def remove(self, data: Path, container: Seen) -> None:
        self.api.remove_container(container.id, force=True)

    def ending(self, data: Path, app: str, service: str, code: int) -> Mapping[str, Any]:
        return {"command": ["sh", "-c", f"echo ends; sleep 0.2; exit {code}"]}

    def clean_up(self, data: Path) -> None:
        import docker.errors

        if not (data / "install-id").exists():
            return
        gone = contextlib.suppress(docker.errors.APIError)
        for row in self.api.containers(all=True, filters=_ours(data)):
            with gone:
                self.api.remove_container(row["Id"], force=True, v=True)
        for row in self.api.networks(filters=_ours(data)):
            with gone:
                self.api.remove_network(row["Id"])
        for row in self.api.volumes(filters=_ours(data))["Volumes"] or ():
            with gone:
                self.api.remove_volume(row["Name"])

    def close(self) -> None:
        """Remove the images that were made here."""
        import docker.errors

        for image in self._images.values():
            with contextlib.suppress(docker.errors.APIError):
                self.api.remove_image(image, force=True)
        self.api.close()

    def inspect(self, container: Seen) -> dict[str, Any]:
        """All that the engine says of a container."""
        return dict(self.api.inspect_container(container.id))

    def run_in(self, container: Seen, *command: str) -> str:
        """What a command inside a container writes."""
        made = self.api.exec_create(container.id, list(command))
        return str(self.api.exec_start(made["Id"]).decode())

    def keep_image(self, repository: str, version: int) -> None:
        """Have an image of this name, as `image` makes them; it stays."""
        import docker.errors

        try:
            self.api.inspect_image(f"{repository}:{version}")
        except docker.errors.ImageNotFound:
            self._make_image(repository, version)

    def _make_image(self, repository: str, version: int) -> str:
        made = self.api.create_container(HELLO)["Id"]
        try:
            page = f"{repository.split('/')[1]} {version}\n"
            self.api.put_archive(made, "/www", _archive("index.html", page.encode()))
            self.api.commit(made, repository, str(version))
        finally:
            self.api.remove_container(made, force=True)
        return f"{repository}:{version}"

    def _seen(self, id: str) -> Seen:
        found = self.api.inspect_container(id)
        labels = found["Config"]["Labels"]
        return Seen(
            id=id,
            app=labels["iotistic.io/app"],
            service=labels["iotistic.io/service"],
            status=found["State"]["Status"],
            image=found["Config"]["Image"],
            started=found["State"]["StartedAt"],
        )


def _archive(name: str, content: bytes) -> bytes:
    """A tar archive of one file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), 0o644
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def install_of(data: Path) -> str:
    """The id of the install that has this data directory."""
    return (data / "install-id").read_text().strip()


def _ours(data: Path) -> dict[str, Any]:
    return {"label": [f"iotistic.io/install={install_of(data)}"]}


def _of(labels: Mapping[str, str]) -> str:
    return f"{labels['iotistic.io/app']}/{labels['iotistic.io/name']}"


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, **more}


@contextlib.contextmanager
def docker_ground(address: str = "") -> Iterator[DockerGround]:
    """A Docker engine; the images of tests go at the end."""
    ground = DockerGround(address)
    try:
        yield ground
    finally:
        ground.close()
