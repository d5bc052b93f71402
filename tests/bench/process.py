"""The agent as a real process, and what the kernel says about it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

PROGRAM = Path(sys.executable).with_name("iotistic-edge")
STOP_SECONDS = 30


class Agent:
    """One running agent, its data directory and its API on the Unix socket."""

    def __init__(self, process: subprocess.Popen[bytes], data: Path) -> None:
        self.pid = process.pid
        self.data = data
        self._process = process
        transport = httpx.HTTPTransport(uds=str(data / "agent.sock"))
        self.api = httpx.Client(transport=transport, base_url="http://agent", timeout=60)

    def wait_for_api(self, seconds: float = 30) -> None:
        """Return at the first answer. Raises RuntimeError with the log's end when there is none."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self.api.get("/ping").raise_for_status()
                return
            except httpx.TransportError:
                time.sleep(0.005)
        log = (self.data.parent / "agent.log").read_text(errors="replace")
        raise RuntimeError(f"the agent did not answer within {seconds} s:\n{log[-2000:]}")

    def put(self, app: dict[str, Any]) -> None:
        answer = self.api.put(f"/v1/apps/{app['metadata']['name']}", json=app)
        if answer.is_error:
            raise RuntimeError(f"the agent refused the App: {answer.text}")

    def bring_up(self, app: dict[str, Any], seconds: float = 120) -> None:
        """Put an App and wait until it is ready."""
        self.put(app)
        name, deadline = app["metadata"]["name"], time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = self.api.get(f"/v1/apps/{name}").raise_for_status().json()["status"]
            if status["state"] == "Ready":
                return
            time.sleep(0.1)
        raise RuntimeError(f"App {name} was not ready within {seconds} s: {status}")

    def delete(self, name: str) -> None:
        """Delete an App and wait until the agent knows nothing of it any more."""
        self.api.delete(f"/v1/apps/{name}", params={"purge": "true"}).raise_for_status()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            names = [item["metadata"]["name"] for item in self.api.get("/v1/apps").json()["items"]]
            if name not in names:
                return
            time.sleep(0.1)
        raise RuntimeError(f"App {name} was still there a minute after it was deleted")

    def resident_kb(self) -> int:
        """Resident memory of the process and its children, kB."""
        return sum(memory_kb(pid, "VmRSS") for pid in (self.pid, *children(self.pid)))

    def peak_kb(self) -> int:
        """The largest resident memory of the process since its start, kB."""
        return memory_kb(self.pid, "VmHWM")

    def cpu_seconds(self) -> float:
        """Processor time so far, with children that have ended."""
        return cpu_seconds(self.pid)

    def written_bytes(self) -> int:
        """Bytes that the process has sent to disks so far."""
        lines = Path(f"/proc/{self.pid}/io").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))

    def stop(self) -> None:
        self.api.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def agent(data: Path, *, engine: str = "docker", **settings: str) -> Iterator[Agent]:
    """A running agent whose API answers; stopped at the end, its containers are not."""
    process = launch(data, engine=engine, **settings)
    running = Agent(process, data)
    try:
        running.wait_for_api()
        yield running
    finally:
        running.stop()


def launch(data: Path, *, engine: str, **settings: str) -> subprocess.Popen[bytes]:
    """Start the process and return at once."""
    data.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"CONFIG_DIR": str(data), "DEVICE_API_PORT": "0"} | settings
    with (data.parent / "agent.log").open("ab") as log:
        return subprocess.Popen(
            [PROGRAM, "agent", "--engine", engine],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def children(pid: int) -> tuple[int, ...]:
    """Direct children of a process."""
    return tuple(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def ten_services(image: str, name: str = "bench") -> dict[str, Any]:
    """An App of ten services that do nothing."""
    service = {"image": image, "command": ["sleep", "86400"], "stopGracePeriod": 1}
    return {
        "apiVersion": "iotistic.io/v1alpha1",
        "kind": "App",
        "metadata": {"name": name},
        "spec": {"services": [{"name": f"s{number}", **service} for number in range(10)]},
    }


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of the last change of every file below a folder."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far, with children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def memory_kb(pid: int, field: str) -> int:
    """What the kernel says of a process's memory, kB: VmRSS what is resident, VmHWM its largest so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise RuntimeError(f"/proc/{pid}/status says nothing about {field}")
