"""What 2,000 updates leave behind in the agent's memory: a day of a busy device, on the simulated engine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from figure import Figure
from process import Agent

UPDATES = int(os.environ.get("BENCH_UPDATES", "2000"))
WARM_UP = 100
GROWTH_BAR_MB = 3
AT_ONCE = """
from iotistic.main import _leave_out_what_libraries_try_to_import
_leave_out_what_libraries_try_to_import()
from iotistic.agent import run_agent
from iotistic.engines.simulated.engine import AT_ONCE, SimulatedEngine
from iotistic.logging import set_up_logging
from iotistic.settings import Settings
set_up_logging(level="warning", form="text")
run_agent(Settings(engine="simulated"), lambda s, *_: SimulatedEngine(s.config_dir, pace=AT_ONCE))
"""
"""The agent as it is, with an engine whose steps take no time."""


def measure(data: Path) -> list[Figure]:
    """Bring in one release after the other, each once the one before is good."""
    data.mkdir(parents=True)
    environment = os.environ | {"CONFIG_DIR": str(data), "DEVICE_API_PORT": "0"}
    with (data.parent / "agent.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", AT_ONCE], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    running = Agent(process, data)
    try:
        running.wait_for_api()
        for number in range(WARM_UP):
            _update(running, number)
        before, began = running.resident_kb(), time.monotonic()
        for number in range(WARM_UP, WARM_UP + UPDATES):
            _update(running, number)
        seconds, grown = time.monotonic() - began, (running.resident_kb() - before) * 1.024 / 1000
    finally:
        running.stop()
    return [
        Figure(
            name=f"{UPDATES} updates: growth of resident memory",
            value=grown,
            bar=GROWTH_BAR_MB,
            text=f"{grown:.1f} MB",
            unit="MB",
            note=f"after {WARM_UP} to warm up; {1000 * seconds / UPDATES:.0f} ms an update",
        )
    ]


def _update(agent: Agent, number: int) -> None:
    agent.put(_app(number))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        status = agent.api.get("/v1/apps/churn").json()["status"]
        if status["state"] == "Ready" and status["release"] == str(number + 1):
            return
        time.sleep(0.002)
    raise RuntimeError(f"release {number + 1} was not ready within 30 s: {status}")


def _app(number: int) -> dict[str, Any]:
    services = [{"name": name, "image": f"{name}:{number}"} for name in ("web", "api", "db")]
    return {
        "apiVersion": "iotistic.io/v1alpha1",
        "kind": "App",
        "metadata": {"name": "churn"},
        "spec": {"services": services, "update": {"minReadySeconds": 0, "progressDeadlineSeconds": 30}},
    }
