"""The operator: one process that keeps the Apps of a cluster running. The one place that knows which API
server, watches and controller are real.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, Protocol

import structlog

from iotistic import __version__
from iotistic.engines.kubernetes.lean import leave_out
from iotistic.settings import OperatorSettings

leave_out()

from iotistic.controllers.cluster.controller import Controller  # noqa: E402
from iotistic.controllers.cluster.effective import ClusterOptions  # noqa: E402
from iotistic.controllers.cluster.ports import Key  # noqa: E402
from iotistic.controllers.cluster.queue import TurnQueue  # noqa: E402
from iotistic.engines.kubernetes.cache import WatchedCache  # noqa: E402
from iotistic.engines.kubernetes.client import Client  # noqa: E402
from iotistic.engines.kubernetes.connection import load_configuration  # noqa: E402
from iotistic.engines.kubernetes.resolving import dns_of  # noqa: E402
from iotistic.handlers.watching import Watching  # noqa: E402
from iotistic.health.figures import Figures  # noqa: E402
from iotistic.health.lag import Beat  # noqa: E402
from iotistic.health.server import HealthServer  # noqa: E402
from iotistic.health.state import Health  # noqa: E402
from iotistic.memory import set_aside, settle  # noqa: E402

log = structlog.get_logger()
ENDING_SECONDS = 3.0
"""For what is under way at the end."""
LAST_SECONDS = 4.5
"""After the signal the process ends by force: everything can be taken up again."""
RESOLV_CONF = Path("/etc/resolv.conf")


class Turns(Protocol):
    """What gives an App its turn: the controller, in tests also something smaller."""

    async def reconcile(self, key: Key) -> float | None: ...

    def content_changed(self, kind: str, namespace: str, name: str) -> Iterable[Key]: ...


MakeTurns = Callable[[OperatorSettings, Client, WatchedCache], Turns]


def run_operator(settings: OperatorSettings, make_turns: MakeTurns | None = None) -> None:
    """Run until SIGTERM or SIGINT; what runs on the cluster goes on when it ends.

    Raises: NoConnectionError; OSError when the health port is taken.
    """
    set_aside()
    asyncio.run(_run(settings, make_turns or turns_of))


def turns_of(settings: OperatorSettings, client: Client, cache: WatchedCache) -> Turns:
    """The controller of Apps."""
    resolv_conf = RESOLV_CONF.read_text(encoding="utf-8") if RESOLV_CONF.exists() else ""
    dns = dns_of(resolv_conf, nameservers=settings.nameservers, domain=settings.cluster_domain)
    log.debug("cluster_dns", nameservers=list(dns.nameservers), domain=dns.cluster_domain)
    return Controller(client, cache, ClusterOptions(dns=dns, registry_override=settings.registry_override))


async def _run(settings: OperatorSettings, make_turns: MakeTurns) -> None:
    client = Client(await load_configuration(settings.kubeconfig))
    try:
        cache, figures, beat = WatchedCache(), Figures(client.writes), Beat()
        turns = make_turns(settings, client, cache)

        async def turn(key: Key) -> float | None:
            await watching.checks.synced.wait()
            with figures.turn_seconds.time():
                return await turns.reconcile(key)

        queue = TurnQueue(turn)
        stopping = asyncio.Event()
        watching = Watching(
            client, cache, settings.namespaces, queue.add, turns.content_changed, lambda: _heed(stopping)
        )
        health = Health(watching, client.writes, beat, queue, figures, __version__)
        server = HealthServer(
            settings.health_host,
            settings.health_port,
            alive=health.ailments,
            ready=health.hindrances,
            metrics=health.page,
        )
        _heed(stopping)
        log.info("operator_started", version=__version__, server=client.server, health=server.url)
        await _until(
            stopping,
            beat.run(),
            queue.run(),
            watching.run(settings.watch_check_seconds),
            settle(watching.checks.synced, queue.idle),
        )
        server.close()
    finally:
        await client.close()
    log.info("operator_stopped", apps="they go on as they are")


def _heed(stopping: asyncio.Event) -> None:
    """Make SIGTERM and SIGINT end the operator (kopf takes them for itself when it starts)."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if not stopping.is_set():
            last = threading.Timer(LAST_SECONDS, os._exit, (0,))
            last.daemon = True
            last.start()
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


async def _until(stopping: asyncio.Event, *works: Coroutine[Any, Any, None]) -> None:
    """Do all this until it is to stop. Raises: what any of it raises, which is a defect."""
    tasks = [asyncio.ensure_future(work) for work in works]
    stop = asyncio.ensure_future(stopping.wait())
    try:
        ended: set[asyncio.Future[Any]] = set()
        while not stopping.is_set():
            left = {task for task in tasks if task not in ended}
            done, _ = await asyncio.wait({stop, *left}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stop}:
                task.result()
            ended |= done
    finally:
        for task in [stop, *tasks]:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ENDING_SECONDS):
                await asyncio.gather(stop, *tasks, return_exceptions=True)
