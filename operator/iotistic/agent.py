"""The agent: one process that keeps the Apps of one device running. The one place that knows which engine
and which store are real.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import structlog
from fastapi import FastAPI

from iotistic import __version__
from iotistic.bus import Bus
from iotistic.controllers.adopting import adopt_with_engine
from iotistic.controllers.apps import Apps
from iotistic.controllers.clock import monotonic, now_text
from iotistic.controllers.desired import Desired
from iotistic.controllers.device import Device
from iotistic.controllers.failures import Failures
from iotistic.controllers.inside import Inside
from iotistic.controllers.journal import Journal
from iotistic.controllers.prober import Prober
from iotistic.controllers.reconciler import LoopOptions, Reconciler
from iotistic.controllers.releases import Releases
from iotistic.controllers.world import World
from iotistic.device_api.app import create_app
from iotistic.device_api.key import load_or_make_key
from iotistic.device_api.server import serve
from iotistic.engines.base import Engine
from iotistic.logging import last_lines
from iotistic.settings import Settings
from iotistic.store.base import Locks, Store
from iotistic.store.locks import FileLocks
from iotistic.store.process_lock import only_agent
from iotistic.store.sqlite import open_store
from iotistic.supervisor import Supervisor

log = structlog.get_logger()
LOOK_SECONDS = 0.5
"""How often it is seen whether to stop, while an original device is taken over."""
MakeEngine = Callable[[Settings, str], Engine]
"""From settings and the id of this install."""


def run_agent(settings: Settings, make_engine: MakeEngine | None = None) -> None:
    """Run until SIGTERM or SIGINT; containers stay up when it ends.

    Raises: EdgeError when the agent can't start: a second one, a broken database, a taken port.
    """
    with only_agent(settings.config_dir, since=now_text()):
        store = open_store(settings.database)
        with contextlib.closing(store):
            asyncio.run(_run(settings, store, make_engine or engine_of))


def engine_of(settings: Settings, install: str) -> Engine:
    """The engine that the settings name."""
    if settings.engine == "simulated":
        from iotistic.engines.simulated import SimulatedEngine

        return SimulatedEngine(settings.config_dir)
    from iotistic.engines.docker import DockerEngine

    return DockerEngine(
        address=settings.docker_host,
        install=install,
        config_dir=settings.config_dir,
        docker_config=settings.docker_config,
    )


async def _run(settings: Settings, store: Store, make_engine: MakeEngine) -> None:
    bus = Bus()
    journal = Journal(bus)
    desired = Desired(store)
    engine = make_engine(settings, store.install)
    locks = FileLocks(settings.config_dir / "locks", install=store.install, now=lambda: datetime.now(UTC))
    try:
        loop = _loop_of(settings, store, engine, desired, locks, journal)
        app = _api_of(settings, store, engine, desired, locks, journal, bus, loop)
        async with serve(
            app,
            socket_path=settings.socket,
            host=settings.device_api_host,
            mode=settings.api_security_mode,
            port=settings.device_api_port,
            key=settings.api_key or load_or_make_key(settings.config_dir),
            allowed_hosts=settings.allowed_hosts,
            require_key=settings.enable_auth,
        ) as listening:
            log.info(
                "agent_started",
                version=__version__,
                engine=settings.engine,
                install=store.install,
                url=listening.url,
                socket=str(listening.socket_path),
            )
            with Supervisor(settings.notify_socket, settings.watchdog_usec / 1e6).told(loop.alive):
                await _until_told_to_stop(loop, adopt_with_engine(store, desired, engine))
    finally:
        await engine.close()
    log.info("agent_stopped", containers="they stay as they are")


def _api_of(
    settings: Settings,
    store: Store,
    engine: Engine,
    desired: Desired,
    locks: Locks,
    journal: Journal,
    bus: Bus,
    loop: Reconciler,
) -> FastAPI:
    failures, world = loop.failures, loop.world
    apps = Apps(engine=engine, desired=desired, world=world, failures=failures, journal=journal, loop=loop)
    return create_app(
        control=apps,
        bus=bus,
        version=__version__,
        install=store.install,
        releases=Releases(
            apps=apps,
            engine=engine,
            desired=desired,
            failures=failures,
            locks=locks,
            loop=loop,
            journal=journal,
        ),
        inside=Inside(engine=engine, store=store, desired=desired, loop=loop, journal=journal),
        device=Device(
            store=store,
            engine=engine,
            apps=apps,
            loop=loop,
            bus=bus,
            journal=journal,
            version=__version__,
            data=settings.config_dir,
            log_lines=last_lines,
        ),
    )


def _loop_of(
    settings: Settings, store: Store, engine: Engine, desired: Desired, locks: Locks, journal: Journal
) -> Reconciler:
    # The simulated engine says itself what probes would find.
    prober = None if settings.engine == "simulated" else Prober(engine.run)
    world = World(engine, store, locks, desired, prober)
    return Reconciler(
        engine=engine,
        desired=desired,
        world=world,
        locks=locks,
        store=store,
        failures=Failures(store, monotonic),
        journal=journal,
        options=LoopOptions(resync_seconds=settings.resync_seconds, keep_images=settings.keep_images),
    )


async def _until_told_to_stop(loop: Reconciler, adoption: Coroutine[Any, Any, object]) -> None:
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, loop.stop)
    adopting = asyncio.ensure_future(adoption)
    while not adopting.done() and not loop.stopping:  # it may wait for the engine
        await asyncio.wait([adopting], timeout=LOOK_SECONDS)
    if adopting.done():
        adopting.result()
    adopting.cancel()
    await loop.run()
