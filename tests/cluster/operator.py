"""An operator as a process of its own, as a pod runs it: started, ended, killed, asked."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.cluster.kube import until

ROOT = Path(__file__).parents[2]
ENDING_SECONDS = 30.0
WRITES = re.compile(r"^iotistic_api_writes_total\{([^}]*)\} (\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')


class Written(NamedTuple):
    """One label set of the metric that counts writes."""

    verb: str
    kind: str
    reason: str


class RunningOperator:
    """The process, and what it says of itself."""

    def __init__(
        self,
        kubeconfig: str,
        namespaces: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        command: Sequence[str] = (),
    ) -> None:
        self.log = log
        self.url = ""
        """Where health and metrics are; another one after each start."""
        self._command = list(command) or [
            sys.executable,
            "-c",
            "from iotistic.main import main; main()",
            "operator",
        ]
        self._env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HEALTH_")},
            "PYTHONPATH": os.pathsep.join([str(ROOT / "operator"), str(ROOT)]),
            "KUBECONFIG": kubeconfig,
            "WATCH_NAMESPACES": ",".join(namespaces),
            "HEALTH_HOST": "127.0.0.1",
            "HEALTH_PORT": "0",
            "LOG_FORMAT": "json",
            **env,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until its health page is there (not until it is ready)."""
        begun = len(self.lines("operator_started"))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._env, stderr=log, stdout=log)
        until(lambda: len(self.lines("operator_started")) > begun or not self.running(), "operator starts")
        assert self.running(), self.tail()
        self.url = str(self.lines("operator_started")[-1]["health"])

    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> float:
        """End it as the kubelet would. Returns: seconds that this took."""
        assert self._process is not None
        begun = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(ENDING_SECONDS) == 0, self.tail()
        return time.monotonic() - begun

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(ENDING_SECONDS)

    def restart(self, *, ready: bool = True) -> None:
        """End it in order, start it again, and wait until it is ready."""
        self.stop()
        self.start()
        if ready:
            self.until_ready()

    def until_ready(self, seconds: float = 120) -> None:
        """Wait until all that was there has been delivered and nothing is in the way."""
        until(lambda: self.page("/readyz")[0] == 200, f"operator ready; {self.tail(5)}", seconds)

    def until_idle(self, seconds: float = 120) -> None:
        """Wait until no App waits for a turn or has one, for a second."""
        seen: list[float] = []

        def quiet() -> bool:
            time.sleep(0.25)
            busy = not self.page("/healthz")[0] or self.metric("iotistic_busy")  # no answer is no rest
            turns = -1.0 if busy else self.metric("iotistic_reconciles_total")
            seen.append(turns)
            return turns >= 0 and len(seen) > 4 and len(set(seen[-5:])) == 1

        until(quiet, "all turns end", seconds)

    def page(self, path: str) -> tuple[int, str]:
        """Status and text of /healthz, /readyz or /metrics; 0 when nothing answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def reasons(self, path: str) -> list[str]:
        """Why /healthz or /readyz does not hold."""
        status, text = self.page(path)
        return list(json.loads(text)["reasons"]) if status else ["no answer"]

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric over all label sets that have these labels; 0 where there is none."""
        total = 0.0
        for line in self.page("/metrics")[1].splitlines():
            head, _, value = line.rpartition(" ")
            if head.partition("{")[0] == name and labels.items() <= dict(LABEL.findall(head)).items():
                total += float(value)
        return total

    def writes(self) -> Counter[Written]:
        """How much this process has written so far."""
        found: Counter[Written] = Counter()
        for labels, value in WRITES.findall(self.page("/metrics")[1]):
            said = dict(LABEL.findall(labels))
            found[Written(said["verb"], said["kind"], said["reason"])] = int(float(value))
        return found

    def lines(self, event: str = "", **fields: Any) -> list[dict[str, Any]]:
        """Log lines with this name and these fields."""
        found = []
        for text in self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []:
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if event in ("", line.get("event")) and fields.items() <= line.items():
                found.append(line)
        return found

    def tail(self, lines: int = 30) -> str:
        """The end of the log, for people."""
        return "\n".join(self.log.read_text(encoding="utf-8").splitlines()[-lines:])

    def rss_megabytes(self) -> float:
        """Resident memory of the process."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


@contextlib.contextmanager
def running_operator(
    kubeconfig: str,
    namespaces: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    *,
    log: Path | None = None,
    command: Sequence[str] = (),
    ready: bool = True,
) -> Iterator[RunningOperator]:
    """An operator for these namespaces (none: the whole cluster); it is killed at the end.

    Args:
        env: further settings.
        log: its log file; in a temporary directory when absent.
        command: what to run instead of `iotistic-edge operator`.
        ready: whether to wait until it is ready.
    """
    with tempfile.TemporaryDirectory(prefix="operator-") as directory:
        path = log or Path(directory) / "operator.log"
        operator = RunningOperator(kubeconfig, namespaces, env or {}, path, command)
        try:
            operator.start()
            if ready:
                operator.until_ready()
            yield operator
        finally:
            if operator.running():
                operator.kill()
