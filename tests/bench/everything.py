"""Resident memory with all of it in use: ten services, updates before, readers, pages, metrics."""

from __future__ import annotations

import contextlib
import time

import httpx
from figure import Figure
from process import Agent

BAR_MB = 90
READERS = 20
ROUNDS = 20
PAGES = ("/", "/docs", "/openapi.json", "/metrics", "/v1/apps", "/v1/events", "/v1/healthy")


def measure(agent: Agent) -> list[Figure]:
    """The largest amount while event streams and an agent log are followed and every page is asked for."""
    largest = agent.resident_kb()
    with contextlib.ExitStack() as stack:
        transport = httpx.HTTPTransport(uds=str(agent.data / "agent.sock"))
        client = stack.enter_context(httpx.Client(transport=transport, base_url="http://agent", timeout=60))
        for path in ("/v1/events", "/v1/logs", *["/v1/events"] * READERS):
            stream = stack.enter_context(client.stream("GET", path, params={"follow": "true"}))
            stream.raise_for_status()
        answered = set()
        for _ in range(ROUNDS):
            answered |= {path for path in PAGES if agent.api.get(path).is_success}
            largest = max(largest, agent.resident_kb())
            time.sleep(0.2)
    memory = largest / 1000 * 1.024
    return [
        Figure(
            name="everything in use: resident memory",
            value=memory,
            bar=BAR_MB,
            text=f"{memory:.1f} MB",
            unit="MB",
            note=f"ten services, {READERS + 2} streams, {', '.join(sorted(answered))}; children included; "
            f"{agent.peak_kb() / 1000 * 1.024:.1f} MB at its peak since the start",
        )
    ]
