"""What the agent costs while nothing happens: ten services run, nobody asks."""

from __future__ import annotations

import os
import time
from pathlib import Path

from figure import Figure
from process import Agent, stamps

WINDOW_SECONDS = float(os.environ.get("BENCH_IDLE_SECONDS", "300"))
SETTLE_SECONDS = min(20.0, WINDOW_SECONDS)
MEMORY_BAR_MB = 85
CPU_BAR_PERCENT = 0.3


def measure(agent: Agent) -> list[Figure]:
    """Watch the agent for WINDOW_SECONDS; its App must be up already."""
    time.sleep(SETTLE_SECONDS)
    files, cpu, written = stamps(agent.data), agent.cpu_seconds(), agent.written_bytes()
    started, resident = time.monotonic(), agent.resident_kb()
    while time.monotonic() - started < WINDOW_SECONDS:
        time.sleep(min(5.0, WINDOW_SECONDS / 10))
        resident = max(resident, agent.resident_kb())
    seconds = time.monotonic() - started
    percent = 100 * (agent.cpu_seconds() - cpu) / seconds
    written = agent.written_bytes() - written
    touched = _touched(agent.data, files)
    memory = resident / 1000 * 1.024
    return [
        Figure(
            name="idle, 10 services: resident memory",
            value=memory,
            bar=MEMORY_BAR_MB,
            text=f"{memory:.1f} MB",
            unit="MB",
            note=f"largest of the window, children included; "
            f"{agent.peak_kb() / 1000 * 1.024:.1f} MB at its peak since the start",
        ),
        Figure(
            name="idle, 10 services: CPU of a core",
            value=percent,
            bar=CPU_BAR_PERCENT,
            text=f"{percent:.2f} %",
            unit="%",
        ),
        Figure(
            name="idle, 10 services: bytes written",
            value=written + len(touched),
            bar=0,
            text=f"{written} B",
            unit="B",
            note=f"in {seconds:.0f} s; files changed: {', '.join(touched) or 'none'}",
        ),
    ]


def _touched(folder: Path, before: dict[str, tuple[int, int]]) -> list[str]:
    after = stamps(folder)
    return [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
