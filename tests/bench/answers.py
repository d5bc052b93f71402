"""How long the API takes to answer while it is asked a hundred times a second."""

from __future__ import annotations

import threading
import time

import httpx
from figure import Figure
from process import Agent

PER_SECOND = 100
SECONDS = 10
WORKERS = 8
P99_BAR_MS = 50


def measure(agent: Agent) -> list[Figure]:
    """GET /v1/apps over the socket; by the plan of when each should be sent, so that a slow answer
    makes the next ones late as well."""
    took: list[float] = []
    begin = time.monotonic() + 0.2

    def ask(worker: int) -> None:
        transport = httpx.HTTPTransport(uds=str(agent.data / "agent.sock"))
        with httpx.Client(transport=transport, base_url="http://agent") as client:
            for number in range(worker, PER_SECOND * SECONDS, WORKERS):
                planned = begin + number / PER_SECOND
                time.sleep(max(0.0, planned - time.monotonic()))
                client.get("/v1/apps").raise_for_status()
                took.append(time.monotonic() - planned)

    threads = [threading.Thread(target=ask, args=(worker,)) for worker in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took.sort()
    p99 = 1000 * took[int(len(took) * 0.99)]
    return [
        Figure(
            name=f"API at {PER_SECOND} requests/s: p99",
            value=p99,
            bar=P99_BAR_MS,
            text=f"{p99:.1f} ms",
            unit="ms",
            note=f"GET /v1/apps with ten services, {len(took)} requests, "
            f"median {1000 * took[len(took) // 2]:.1f} ms; the bar is ours",
        )
    ]
