"""Where an App file may run, as tests that know of no engine see it: apply, wait, ask, look inside.

A place on a device is in this file, one on a cluster in cluster_place.py.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from tests.behaviour.device import Device, Document, Ran, device
from tests.behaviour.grounds import DockerGround, Ground, Seen

T = TypeVar("T")
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 300.0
"""For what takes some seconds on an idle machine."""
READY_FILE = "/tmp/ready"


class Place(ABC):
    """One engine with something that runs Apps on it."""

    real = True
    """Its containers are processes that answer and write."""
    is_cluster = False
    """What docs/kubernetes-fields.md says of Kubernetes holds here."""
    address = "127.0.0.1"
    """Where ports of its host answer."""

    @abstractmethod
    def image(self, name: str, version: int = 1) -> str:
        """An image that can be had here; it serves a page that says `<name> <version>` on port 8080."""

    @abstractmethod
    def iotctl(self, *arguments: str, documents: Sequence[Document] = ()) -> Ran:
        """Run `iotctl` as a person would; `documents` come on standard input."""

    @abstractmethod
    def api(self, method: str, path: str, body: object = None, **query: object) -> Any:
        """What is answered to a question of the Device API. Raises an error for an error."""

    @abstractmethod
    def running(self, app: str) -> list[Seen]:
        """Containers of an App that run, as somebody beside us sees them."""

    @abstractmethod
    def volumes(self) -> set[str]:
        """All volumes of Apps, as `app/name`, seen in the same way."""

    @abstractmethod
    def run_in(self, app: str, service: str, *command: str) -> str:
        """What a command in the container of a service writes; nothing where containers are not real."""

    @abstractmethod
    def set_healthy(self, app: str, service: str, healthy: bool) -> None:
        """Whether the probe `healthy_probe` of a service holds from now on. At first it does not."""

    @abstractmethod
    def ending(self, app: str, service: str, code: int) -> Mapping[str, Any]:
        """What a service needs so that its containers end by themselves with this exit code."""

    @abstractmethod
    def said(self) -> str:
        """The end of the log of what runs Apps here."""

    def apply(self, *documents: Document, ready: bool = True) -> None:
        """Apply these; `ready`: wait until the Apps among them are."""
        self.api("POST", "/v1/apply", {"documents": list(documents)})
        for document in documents:
            if ready and document["kind"] == "App":
                self.ready(document["metadata"]["name"])

    def app(self, name: str) -> Any:
        """An App as it is shown."""
        return self.api("GET", f"/v1/apps/{name}")

    def status(self, name: str) -> dict[str, Any]:
        """Its status; empty as long as it speaks of an older spec."""
        found = self.app(name)
        status = found.get("status") or {}
        return status if status.get("observedGeneration") == found["metadata"].get("generation") else {}

    def apps(self) -> set[str]:
        """Names of all Apps."""
        return {one["metadata"]["name"] for one in self.api("GET", "/v1/apps")["items"]}

    def service(self, app: str, service: str) -> dict[str, Any]:
        """Status of one service; empty before there is one."""
        found = self.status(app).get("services", ())
        return next((one for one in found if one["name"] == service), {})

    def history(self, app: str) -> dict[str, str]:
        """The standing of each remembered release."""
        items = self.api("GET", f"/v1/apps/{app}/history")["items"]
        return {item["release"]: item["state"] for item in items}

    def explained(self, app: str) -> dict[str, Any]:
        """What `iotctl explain` says, as JSON."""
        ran = self.iotctl("explain", "app", app, "-o", "json")
        assert ran.code == 0, ran.err
        found: dict[str, Any] = json.loads(ran.out)
        return found

    def ready(self, name: str) -> None:
        """Wait until an App is ready, all of its newest spec, with nothing left to do."""
        self.until(lambda: _settled(self.status(name)), f"App {name} is ready")

    def until_state(self, name: str, state: str) -> dict[str, Any]:
        """Wait for a state of an App. Returns: its status."""
        return self.until(
            lambda: found if (found := self.status(name)).get("state") == state else {},
            f"App {name} is {state}",
        )

    def until_running(self, app: str, *services: str) -> dict[str, Seen]:
        """Wait until these services have one container that runs each, and no others have any."""

        def look() -> dict[str, Seen]:
            found = self.running(app)
            right = sorted(one.service for one in found) == sorted(services)
            return {one.service: one for one in found} if right else {}

        if services:
            return self.until(look, f"{', '.join(services)} of App {app} run, and nothing else")
        self.until(lambda: not self.running(app), f"nothing of App {app} runs")
        return {}

    def page(self, app: str, service: str) -> str:
        """What the service's container serves; its image says it where containers are not real."""
        if self.real:
            # It runs, which is all that was waited for: it may not listen yet.
            fetch = ("sh", "-c", "timeout 5 wget -qO- http://127.0.0.1:8080/ 2>/dev/null")
            return self.until(lambda: self.run_in(app, service, *fetch).strip(), f"{app}/{service} answers")
        [found] = [one for one in self.running(app) if one.service == service]
        return found.image.replace(":", " ")

    def until(self, so: Callable[[], T], what: str) -> T:
        """Wait until something is so, and return its value; what is wrong in words otherwise."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := so()):
            if time.monotonic() > deadline:
                states = [(one["metadata"]["name"], one.get("status")) for one in self._items()]
                shown = json.dumps(states, indent=1)
                raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what}\n{shown}\n{self.said()}")
            time.sleep(POLL_SECONDS)
        return found

    def _items(self) -> list[Any]:
        return list(self.api("GET", "/v1/apps")["items"])


class DevicePlace(Place):
    """An agent on one of the engines of a device."""

    def __init__(self, box: Device, ground: Ground) -> None:
        self.box = box
        self.ground = ground
        self.real = ground.real

    def image(self, name: str, version: int = 1) -> str:
        return self.ground.image(name, version)

    def iotctl(self, *arguments: str, documents: Sequence[Document] = ()) -> Ran:
        return self.box.iotctl(*arguments, documents=documents, seconds=PATIENCE_SECONDS)

    def api(self, method: str, path: str, body: object = None, **query: object) -> Any:
        asked = {name: json.dumps(value) for name, value in query.items()}
        return self.box.api(method, path, params=asked, **({} if body is None else {"json": body}))

    def running(self, app: str) -> list[Seen]:
        return [one for one in self.box.containers(app) if one.status == "running"]

    def volumes(self) -> set[str]:
        return self.ground.volumes(self.box.data)

    def run_in(self, app: str, service: str, *command: str) -> str:
        if not isinstance(self.ground, DockerGround):
            return ""
        [found] = [one for one in self.running(app) if one.service == service]  # not one that is leaving
        return self.ground.run_in(found, *command)

    def set_healthy(self, app: str, service: str, healthy: bool) -> None:
        if self.real:
            set_file(self, app, service, healthy)
            return
        path = self.box.data / "simulated-faults.yaml"
        faults = json.loads(path.read_text()) if path.exists() else {}
        others = set(faults.get("unhealthy", ())) - {f"{app}/{service}"}
        faults["unhealthy"] = sorted(others if healthy else {*others, f"{app}/{service}"})
        path.write_text(json.dumps(faults))

    def ending(self, app: str, service: str, code: int) -> Mapping[str, Any]:
        return self.ground.ending(self.box.data, app, service, code)

    def said(self) -> str:
        return self.box.said()


def healthy_probe() -> Document:
    """A probe that holds as `set_healthy` says."""
    return {"exec": {"command": ["test", "-e", READY_FILE]}, "periodSeconds": 1, "failureThreshold": 1}


def set_file(place: Place, app: str, service: str, there: bool) -> None:
    """Make or remove the file that the probe looks at, where the service runs."""
    if any(one.service == service for one in place.running(app)):
        place.run_in(app, service, *(("touch",) if there else ("rm", "-f")), READY_FILE)


def _settled(status: Mapping[str, Any]) -> bool:
    conditions = {one["type"]: one["status"] for one in status.get("conditions", ())}
    return conditions.get("Ready") == "True" and conditions.get("Reconciling") == "False"


@contextmanager
def device_place(ground: Ground) -> Iterator[Place]:
    """A device of its own with an agent that runs."""
    with device(ground) as box:
        box.start()
        yield DevicePlace(box, ground)
