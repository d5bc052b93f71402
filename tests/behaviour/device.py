"""A device: the agent as a real process with a data directory of its own, and what may be asked of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import httpx

from iotistic.store.sqlite import open_store
from tests.behaviour.grounds import Ground, Seen

BIN = Path(sys.executable).parent
START_SECONDS = 120.0
STOP_SECONDS = 60.0
POLL_SECONDS = 0.02

T = TypeVar("T")
Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How one `iotctl` ended, and what it said."""

    code: int
    out: str
    err: str


class Device:
    """One install on one engine. Not running before `start`."""

    def __init__(self, ground: Ground, data: Path) -> None:
        self.ground = ground
        self.data = data
        self.log = data.with_name(data.name + ".log")
        self.process: subprocess.Popen[bytes] | None = None
        transport = httpx.HTTPTransport(uds=str(data / "agent.sock"))
        self.http = httpx.Client(transport=transport, base_url="http://agent", timeout=30)

    def start(
        self, *, program: Sequence[str | Path] | None = None, wait: bool = True, **settings: str
    ) -> None:
        """Start the agent; `wait`: until its API answers.

        Args:
            program: instead of `iotistic-edge agent --engine ...`.
            settings: variables of its environment.
        """
        assert not self.runs, "it runs already"
        own = {"CONFIG_DIR": str(self.data), "DEVICE_API_PORT": "0"}
        environment = {**os.environ, **own, **self.ground.settings(), **settings}
        command = program or [BIN / "iotistic-edge", "agent", "--engine", self.ground.name]
        self.data.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if wait:
            self.until(self.answers, "its API answers", seconds=START_SECONDS)

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> int:
        """Ask it to end as a supervisor does (SIGTERM); its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End it as a power cut does (SIGKILL)."""
        if self.process is not None and self.runs:
            self.process.kill()
            self.process.wait(STOP_SECONDS)

    def restart(self, **settings: str) -> None:
        """Stop it, and start it again."""
        assert self.stop() == 0, self.said()
        self.start(**settings)

    def said(self, lines: int = 60) -> str:
        """The end of its log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def api(self, method: str, path: str, **more: Any) -> Any:
        """What the Device API answers. Raises AssertionError for an error."""
        answer = self.http.request(method, path, **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def iotctl(self, *arguments: str, documents: Sequence[Document] = (), seconds: float = 120) -> Ran:
        """Run `iotctl` as a person would; `documents` come on standard input."""
        done = subprocess.run(
            [BIN / "iotctl", *arguments],
            env={**os.environ, "CONFIG_DIR": str(self.data), "COLUMNS": "200"},
            input="\n---\n".join(json.dumps(document) for document in documents),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Ran(code=done.returncode, out=done.stdout, err=done.stderr)

    def apply(self, *documents: Document, ready: bool = True, seconds: float = 90) -> None:
        """Apply these; `ready`: wait until the Apps among them are."""
        self.api("POST", "/v1/apply", json={"documents": list(documents)})
        for document in documents:
            if ready and document["kind"] == "App":
                self.ready(document["metadata"]["name"], seconds=seconds)

    def app(self, name: str) -> Any:
        """An App as the agent shows it."""
        return self.api("GET", f"/v1/apps/{name}")

    def states(self) -> dict[str, str]:
        """The state, in one word, of each App that the agent shows."""
        items = self.api("GET", "/v1/apps")["items"]
        return {item["metadata"]["name"]: item["status"]["state"] for item in items}

    def apps(self) -> set[str]:
        """Names of all Apps that the agent shows."""
        return set(self.states())

    def service(self, app: str, service: str) -> Any:
        """Status of one service."""
        [found] = [one for one in self.app(app)["status"]["services"] if one["name"] == service]
        return found

    def events(self, app: str = "") -> list[Any]:
        """Events since the agent started, oldest first."""
        answer = self.http.get("/v1/events", params={"app": app} if app else {})
        assert answer.is_success, answer.text
        return list(answer.json()["items"])

    def ready(self, *names: str, seconds: float = 90) -> None:
        """Wait until these Apps are ready, all of their newest specs, with nothing left to do."""
        for name in names:
            self.until(lambda name=name: _settled(self.app(name)), f"App {name} is ready", seconds=seconds)

    def settled(self) -> bool:
        """Whether all Apps are ready and nothing is left to do, as far as the agent knows."""
        items = self.api("GET", "/v1/apps")["items"]
        return all(map(_settled, items)) and not self.api("POST", "/v1/plan")["rounds"]

    def gone(self, name: str, *, seconds: float = 90) -> None:
        """Wait until the agent knows nothing of this App any more."""
        self.until(lambda: name not in self.apps(), f"App {name} is gone", seconds=seconds)

    def containers(self, app: str = "", service: str = "") -> list[Seen]:
        """Containers on the engine, of all Apps or of one."""
        found = self.ground.containers(self.data)
        return [one for one in found if app in {"", one.app} and service in {"", one.service}]

    def container(self, app: str, service: str) -> Seen:
        """The only container of a service."""
        found = self.containers(app, service)
        assert len(found) == 1, f"{len(found)} containers of {app}/{service}: {found}\n{self.said()}"
        return found[0]

    def ids(self, app: str = "") -> dict[str, str]:
        """Ids of containers by `app/service`; one each."""
        found = self.containers(app)
        ids = {f"{one.app}/{one.service}": one.id for one in found}
        assert len(ids) == len(found), f"several containers of one service: {found}"
        return ids

    def until(self, so: Callable[[], T], what: str, *, seconds: float = 60) -> T:
        """Wait until something is so, and return its value; what is wrong in words otherwise."""
        deadline = time.monotonic() + seconds
        while True:
            found = so()
            if found:
                return found
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(
                    f"the agent ended ({self.process.returncode}) before {what}:\n{self.said()}"
                )
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {what}\n{self._state()}\n{self.said()}")
            time.sleep(POLL_SECONDS)

    def answers(self) -> bool:
        """Whether its API answers now."""
        try:
            return self.http.get("/ping").is_success
        except httpx.TransportError:
            return False

    def _state(self) -> str:
        try:
            items = self.http.get("/v1/apps").json()["items"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            return f"(the API: {error!r})"
        lines = []
        for item in items:
            status = item["status"]
            lines.append(f"{item['metadata']['name']}: {status['state']} {status['ready']} {status['why']}")
            lines += [
                f"  {one['name']}: {one['state']} ready={one['ready']} {one['reason']}"
                for one in status["services"]
            ]
        return "\n".join(lines)


def _settled(app: Mapping[str, Any]) -> bool:
    conditions = {one["type"]: one["status"] for one in app["status"]["conditions"]}
    return (
        app["status"]["observedGeneration"] == app["metadata"].get("generation")
        and conditions["Ready"] == "True"
        and conditions["Reconciling"] == "False"
    )


@cache
def _empty_database() -> bytes:
    """A database of today's schema: to make one takes as long as all else at an agent's start."""
    with tempfile.TemporaryDirectory(prefix="iot-") as folder:
        open_store(Path(folder) / "device.sqlite").close()
        return (Path(folder) / "device.sqlite").read_bytes()


@contextmanager
def device(ground: Ground) -> Iterator[Device]:
    """A device that is not running yet; at the end its process, its containers and its files go."""
    folder = Path(tempfile.mkdtemp(prefix="iot-"))
    made = Device(ground, folder / "data")
    made.data.mkdir(mode=0o750)
    (made.data / "device.sqlite").write_bytes(_empty_database())
    try:
        yield made
    finally:
        made.kill()
        made.http.close()
        ground.clean_up(made.data)
        print(f"--- log of the agent\n{made.said(200)}")
        shutil.rmtree(folder, ignore_errors=True)


def is_alive(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, signal.SIG_DFL)
    except ProcessLookupError:
        return False
    return True


def app(name: str, *services: Document, **spec: Any) -> Document:
    """An App document whose updates are done as soon as they are ready."""
    update = {"minReadySeconds": 0, "progressDeadlineSeconds": 300} | spec.pop("update", {})
    return {
        "apiVersion": "iotistic.io/v1alpha1",
        "kind": "App",
        "metadata": {"name": name},
        "spec": {"services": list(services), "update": update} | spec,
    }
