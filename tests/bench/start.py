"""From the start of the process to the first answer of its API."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from figure import Figure
from process import Agent, launch

STARTS = 5
BAR_SECONDS = 2.0


def measure(fresh: Path, used: Path) -> list[Figure]:
    """Time the first start on an empty data directory, and starts on one that is in use.

    Args:
        fresh: a directory for empty data directories.
        used: data directory of an agent that is not running now.
    """
    first = [_start(fresh / str(number) / "data") for number in range(STARTS)]
    again = [_start(used) for _ in range(STARTS)]
    return [_figure("first boot", first), _figure("later", again)]


def _start(data: Path) -> float:
    data.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    agent = Agent(launch(data, engine="docker"), data)
    try:
        agent.wait_for_api()
        return time.monotonic() - started
    finally:
        agent.stop()


def _figure(which: str, seconds: list[float]) -> Figure:
    median = statistics.median(seconds)
    return Figure(
        name=f"start to API ready, {which}",
        value=median,
        bar=BAR_SECONDS,
        text=f"{median:.2f} s",
        unit="s",
        note=f"median of {len(seconds)} ({min(seconds):.2f}-{max(seconds):.2f} s)",
    )
