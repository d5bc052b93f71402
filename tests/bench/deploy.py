"""Ten containers of one local image: the agent, the docker SDK with 8 threads, and compose.

All three are timed alike: from the call until the engine says that the tenth container started, by the
engine's own stamps. The SDK makes what the agent made, option by option, under foreign labels. While
another one is timed the agent is frozen, so that it neither helps nor disturbs.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
from figure import Figure, Skipped
from process import Agent, ten_services

SERVICES = 10
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
SETTLE_SECONDS = 1.0
SDK_BAR = 1.15
COMPOSE_BAR = 1.0
NAMES = ("10 services: PUT to the tenth running, vs SDK", "same, vs docker compose up -d")


class Bench:
    """What the three ways share: an engine, an image, and the agent's containers as the pattern."""

    def __init__(self, agent: Agent, image: str, work: Path) -> None:
        self._agent = agent
        self._app = ten_services(image)
        self._client = docker.from_env(timeout=60, max_pool_size=16)
        self._work = work
        self._pattern: list[dict[str, Any]] = []
        self._network: dict[str, Any] = {}

    def by_agent(self) -> float:
        """Seconds from PUT to the tenth start."""
        seconds = self._until_started("iotistic.io/app=bench", lambda: self._agent.put(self._app))
        if not self._pattern:
            self._take_pattern()
        self._agent.delete("bench")
        return seconds

    def by_sdk(self) -> float:
        """Seconds of the same ten by the docker SDK and 8 threads."""

        def make_all() -> None:
            created = self._client.api.create_network("sdk_default", **self._network)
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda item: self._make(*item, created["Id"]), enumerate(self._pattern)))

        with self._frozen_agent():
            seconds = self._until_started("baseline.io/app=bench", make_all)
            self._remove("baseline.io/app=bench")
            self._client.api.remove_network("sdk_default")
        return seconds

    def by_compose(self, tool: str) -> float:
        """Seconds of `docker compose up -d` of the same ten."""
        compose = [tool, "-p", "composed", "-f", str(self._compose_file())]
        with self._frozen_agent():
            seconds = self._until_started(
                "com.docker.compose.project=composed",
                lambda: subprocess.run([*compose, "up", "-d"], check=True, capture_output=True),
            )
            subprocess.run([*compose, "down", "-t", "0"], check=True, capture_output=True)
        return seconds

    def _until_started(self, label: str, call: Callable[[], object]) -> float:
        """Time `call` until the tenth container with that label has started."""
        filters = {"type": "container", "event": "start", "label": label}
        stream = self._client.api.events(filters=filters, decode=True)
        stamps: list[float] = []
        done = threading.Event()

        def collect() -> None:
            for event in stream:
                stamps.append(event["timeNano"] / 1e9)
                if len(stamps) == SERVICES:
                    done.set()
                    return

        threading.Thread(target=collect, daemon=True).start()
        time.sleep(SETTLE_SECONDS)
        started = time.time()
        call()
        if not done.wait(60):
            raise RuntimeError(
                f"only {len(stamps)} of {SERVICES} containers with {label} started in a minute"
            )
        stream.close()
        return max(stamps) - started

    def _take_pattern(self) -> None:
        containers = self._client.containers.list(filters={"label": "iotistic.io/app=bench"})
        self._pattern = [self._client.api.inspect_container(one.id) for one in containers]
        [name] = self._pattern[0]["NetworkSettings"]["Networks"]
        network = self._client.api.inspect_network(name)
        self._network = {
            "driver": network["Driver"],
            "options": network["Options"],
            "labels": _foreign(network["Labels"]),
            "check_duplicate": True,
        }

    def _make(self, number: int, seen: dict[str, Any], network: str) -> None:
        config = {key: value for key, value in seen["Config"].items() if key != "Hostname"}
        config["Labels"] = _foreign(config["Labels"])
        config["HostConfig"] = seen["HostConfig"] | {"NetworkMode": "sdk_default"}
        [joined] = seen["NetworkSettings"]["Networks"].values()
        aliases = [alias for alias in joined["Aliases"] or () if not seen["Id"].startswith(alias)]
        config["NetworkingConfig"] = {"EndpointsConfig": {"sdk_default": {"Aliases": aliases}}}
        made = self._client.api.create_container_from_config(config, f"sdk-{number}")
        self._client.api.start(made["Id"])

    def _compose_file(self) -> Path:
        """The same App in compose's words."""
        limits = self._pattern[0]["HostConfig"]["LogConfig"]
        service = {
            "image": self._app["spec"]["services"][0]["image"],
            "entrypoint": ["sleep", "86400"],
            "restart": self._pattern[0]["HostConfig"]["RestartPolicy"]["Name"],
            "logging": {"driver": limits["Type"], "options": limits["Config"]},
            "pull_policy": "never",
        }
        path = self._work / "compose.json"
        path.write_text(json.dumps({"services": {f"s{number}": service for number in range(SERVICES)}}))
        return path

    def _remove(self, label: str) -> None:
        containers = self._client.api.containers(all=True, filters={"label": label})
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda one: self._client.api.remove_container(one["Id"], force=True), containers))

    @contextmanager
    def _frozen_agent(self) -> Iterator[None]:
        os.kill(self._agent.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._agent.pid, signal.SIGCONT)
            time.sleep(SETTLE_SECONDS)


def measure(agent: Agent, image: str, work: Path, compose: str | None) -> list[Figure | Skipped]:
    """Alternating rounds, the first of each left out; medians and their ratios."""
    bench = Bench(agent, image, work)
    ways: dict[str, Callable[[], float]] = {"agent": bench.by_agent, "SDK": bench.by_sdk}
    if compose:
        ways["compose"] = lambda: bench.by_compose(compose)
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(ROUNDS + 1):
        for way, run in ways.items():
            took = run()
            if number:
                seconds[way].append(took)
    medians = {way: statistics.median(rounds) for way, rounds in seconds.items()}
    spread = "; ".join(f"{way} {min(took):.2f}-{max(took):.2f} s" for way, took in seconds.items())
    note = f"medians of {ROUNDS} alternating rounds ({spread})"
    figures: list[Figure | Skipped] = [_ratio(NAMES[0], medians, "SDK", SDK_BAR, note)]
    if compose:
        return [*figures, _ratio(NAMES[1], medians, "compose", COMPOSE_BAR, "")]
    return [
        *figures,
        Skipped(name=NAMES[1], note="no docker compose; to have it: hack/compose-tool (needs Go)"),
    ]


def _ratio(name: str, medians: dict[str, float], other: str, bar: float, note: str) -> Figure:
    return Figure(
        name=name,
        value=medians["agent"] / medians[other],
        bar=bar,
        text=f"{medians['agent']:.2f} s",
        against=f"{medians[other]:.2f} s",
        note=note,
    )


def _foreign(labels: dict[str, str]) -> dict[str, str]:
    """The same labels under names that the agent doesn't take for its own."""
    return {key.replace("iotistic.io/", "baseline.io/"): value for key, value in labels.items()}
