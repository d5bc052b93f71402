"""An agent that ends as by a power cut, at a chosen moment of its work: it sends itself SIGKILL.

Nothing of the product knows of it: only the engine that it is given counts steps.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from iotistic.agent import run_agent
from iotistic.engines.base import Engine, StepContext
from iotistic.engines.docker import DockerEngine
from iotistic.engines.simulated import SimulatedEngine
from iotistic.engines.simulated.engine import Pace
from iotistic.logging import set_up_logging
from iotistic.planning.values import Step
from iotistic.settings import Settings

PACE = Pace(pull=0.05, start=0.02, stop=0.02)
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["__main__", __name__, "iotistic.device_api.app"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """When the agent ends."""

    number: int = 0
    """At this step that its engine is asked for, counted from 1; 0: at none."""
    moment: str = "after"
    """before, during, or after that step."""
    delay: float = 0.0
    """Of `during`: seconds from the step's beginning; at the latest at its end."""

    def __str__(self) -> str:
        at = f" ({self.delay * 1000:.0f} ms)" if self.moment == "during" else ""
        return f"{self.moment} step {self.number}{at}"


class CuttingEngine:
    """An engine that counts the steps it is asked for, writes them down, and ends the process at one."""

    def __init__(self, engine: Engine, cut: Cut, told: Path) -> None:
        self._engine = engine
        self._cut = cut
        self._told = told
        self._count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def execute(self, step: Step, context: StepContext) -> None:
        self._count += 1
        here = self._count == self._cut.number
        with self._told.open("a") as told:
            told.write(step.text + "\n")
        if here and self._cut.moment == "before":
            _die()
        if here and self._cut.moment == "during":
            asyncio.get_running_loop().call_later(self._cut.delay, _die)
        await self._engine.execute(step, context)
        if here:
            _die()


def begin(data: Path, engine: str, cut: Cut = Cut(), **settings: str) -> ForkServerProcess:
    """Start such an agent. It is forked from a process that has everything imported: a tenth of the time.

    Its log is beside `data`, and in `<data>.steps` is a line for each step that it began.
    """
    process = _processes.Process(target=_run, args=(data, engine, cut, settings), daemon=True)
    process.start()
    return process


def steps_of(data: Path) -> list[str]:
    """The steps that agents on this data directory have begun."""
    path = data.with_name(data.name + ".steps")
    return path.read_text().splitlines() if path.exists() else []


def cuts(seed: int, steps: int, longest: float) -> list[Cut]:
    """A cut before the first step, and during and after each of so many.

    Args:
        seed: of the moments in `during`.
        steps: how many steps there are.
        longest: seconds; a cut during a step comes at a moment of these, or at the step's end.
    """
    chance = random.Random(seed)
    found = [Cut(number=1, moment="before")]
    for number in range(1, steps + 1):
        found += [Cut(number=number, moment="during", delay=chance.uniform(0, longest)), Cut(number=number)]
    return found


def _run(data: Path, engine: str, cut: Cut, settings: Mapping[str, str]) -> None:
    log = data.with_name(data.name + ".log").open("a")
    os.dup2(log.fileno(), sys.stdout.fileno())
    os.dup2(log.fileno(), sys.stderr.fileno())
    os.environ.update({"CONFIG_DIR": str(data), "DEVICE_API_PORT": "0", "ENGINE": engine} | settings)
    told = data.with_name(data.name + ".steps")

    def make_engine(settings: Settings, install: str) -> Engine:
        made: Engine
        if engine == "simulated":
            made = SimulatedEngine(settings.config_dir, pace=PACE)
        else:
            made = DockerEngine(
                address=settings.docker_host,
                install=install,
                config_dir=settings.config_dir,
                docker_config=settings.docker_config,
            )
        return CuttingEngine(made, cut, told)  # type: ignore[return-value]  # the rest is handed through

    set_up_logging(level="info", form="text")
    run_agent(Settings(), make_engine)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
