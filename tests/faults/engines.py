"""A Docker engine of the tests' own, to be stopped, killed and started again.

It lives in a network namespace of its own, so that it touches neither bridges nor rules of this machine's;
agents that are to reach its containers are started in there too.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import docker
import docker.errors

from tests.behaviour.device import BIN

OWNER = "owner"
"""A file in the engine's folder: pid of the run that has it, and the network namespace."""
START_SECONDS = 120.0
STOP_SECONDS = 60.0


class OwnEngine:
    """One dockerd, its data and its network namespace."""

    def __init__(self, folder: Path, namespace: str) -> None:
        self.folder = folder
        self.address = f"unix://{folder}/docker.sock"
        self.within = ("nsenter", f"--net=/run/netns/{namespace}")
        """Before a command that shall run where its containers are reached."""
        self._process: subprocess.Popen[bytes] | None = None

    def agent(self) -> Sequence[str | Path]:
        """The program of an agent that reaches its containers."""
        return [*self.within, BIN / "iotistic-edge", "agent", "--engine", "docker"]

    def start(self) -> None:
        """Start it, and return when it answers."""
        self.launch()
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process is not None
            ended = self._process.poll()
            if ended is not None or time.monotonic() > deadline:
                log = (self.folder / "dockerd.log").read_text(errors="replace")
                raise RuntimeError(f"dockerd does not answer ({ended}):\n{log[-2000:]}")
            time.sleep(0.05)

    def launch(self) -> None:
        """Start it, and return at once."""
        with (self.folder / "dockerd.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self.within, *self._command()], stdout=log, stderr=log, start_new_session=True
            )

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stop it as a host does that shuts down: its containers stop too."""
        if self._process is not None and self.runs:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """Kill it, and what runs its containers, as a power cut does: nothing is stopped or written."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        _kill(self.folder)
        _remove(self.folder / "run")  # as a host's /run is empty when it comes up again
        (self.folder / "pid").unlink(missing_ok=True)

    def _command(self) -> Sequence[str]:
        return (
            "dockerd",
            f"--host={self.address}",
            f"--data-root={self.folder}/data",
            f"--exec-root={self.folder}/run",
            f"--pidfile={self.folder}/pid",
        )

    def _answers(self) -> bool:
        try:
            client = docker.APIClient(base_url=self.address, version="auto", timeout=30)
            client.ping()
            client.close()
        except docker.errors.DockerException:
            return False
        return True


@contextmanager
def own_engine() -> Iterator[OwnEngine]:
    """An engine that runs; at the end it goes with all that it has.

    Raises: RuntimeError where there can be none.
    """
    missing = [name for name in ("dockerd", "nsenter", "ip") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        raise RuntimeError(
            f"an engine of one's own needs root, and here are no {', '.join(missing) or 'rights'}"
        )
    _sweep()
    namespace = f"iot-{uuid.uuid4().hex[:8]}"
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="iot-engine-"))
        (folder / OWNER).write_text(f"{os.getpid()} {namespace}")
        stack.callback(_remove, folder)
        subprocess.run(["ip", "netns", "add", namespace], check=True)
        stack.callback(subprocess.run, ["ip", "netns", "del", namespace], check=False)
        engine = OwnEngine(folder, namespace)
        subprocess.run([*engine.within, "ip", "link", "set", "lo", "up"], check=True)
        stack.callback(engine.kill)
        stack.callback(engine.stop)
        engine.start()
        yield engine


def _sweep() -> None:
    """Remove engines that runs have left behind which were killed themselves."""
    for owner in Path(tempfile.gettempdir()).glob(f"iot-engine-*/{OWNER}"):
        pid, namespace = owner.read_text().split()
        if not Path(f"/proc/{pid}").exists():
            _kill(owner.parent)
            _remove(owner.parent)
            subprocess.run(["ip", "netns", "del", namespace], check=False, capture_output=True)


def _kill(folder: Path) -> None:
    """Kill all of an engine, also what was being started while others were killed."""
    deadline = time.monotonic() + STOP_SECONDS
    while (found := _processes(folder)) and time.monotonic() < deadline:
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _processes(folder: Path) -> list[int]:
    """An engine's containerd, that one's shims, and their containers: the newest first."""
    mine = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and int(path.name) != os.getpid() and str(folder) in _words(path):
            mine.append(int(path.name))
    children = [child for pid in mine for child in _children(pid)]
    return [*children, *sorted(mine, reverse=True)]


def _remove(folder: Path) -> None:
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in sorted((one for one in mounts if one.startswith(str(folder))), reverse=True):
        subprocess.run(["umount", "-l", mount], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def _words(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
