"""The real server on a Unix socket and a free port, and clients for both."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from iotistic.bus import Bus
from iotistic.device_api.app import create_app
from iotistic.device_api.server import Listening, serve
from tests.unit.device_api.memory import Memory, shop
from tests.unit.device_api.memory_more import MemoryDevice, MemoryInside, MemoryReleases

KEY = "a-key-of-the-tests"


@dataclass(kw_only=True)
class Api:
    """A served API."""

    control: Memory
    releases: MemoryReleases
    inside: MemoryInside
    device: MemoryDevice
    bus: Bus
    app: FastAPI
    listening: Listening
    unix: httpx.AsyncClient
    """Through the socket, without a key."""
    tcp: httpx.AsyncClient
    """Through the port, with the key."""

    def say(self, reason: str, *, app: str = "", **more: Any) -> None:
        """Something happens."""
        self.bus.publish(
            time="2026-01-01T00:00:00Z",
            type=more.pop("type", "Normal"),
            reason=reason,
            message=reason,
            app=app,
            **more,
        )


def make_app(control: Memory, bus: Bus, **options: Any) -> FastAPI:
    """The whole app around parts in memory."""
    more: dict[str, Any] = {
        "dashboard": Path(__file__).parent / "no-dashboard",
        "releases": MemoryReleases(control),
        "inside": MemoryInside(control),
        "device": MemoryDevice(),
        "connection": lambda: {"status": "offline", "uptime": 3.5, "pollSuccessRate": 0.0},
    }
    return create_app(control=control, bus=bus, version="1.2.3", install="abc", **more | options)


@contextlib.asynccontextmanager
async def running(folder: Path, *, bus: Bus | None = None, **options: Any) -> AsyncIterator[Api]:
    """Serve an empty device below `folder`."""
    control, bus, device = Memory(), bus or Bus(), MemoryDevice()
    releases, inside = MemoryReleases(control), MemoryInside(control)
    app = make_app(
        control,
        bus,
        releases=releases,
        inside=inside,
        device=device,
        **{name: options.pop(name) for name in ("keep_alive_seconds", "dashboard") if name in options},
    )
    options = {"port": 0, "key": KEY, **options}
    async with contextlib.AsyncExitStack() as stack:
        listening = await stack.enter_async_context(serve(app, socket_path=folder / "agent.sock", **options))
        unix = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(listening.socket_path), verify=False),
            base_url="http://agent",
            timeout=10,
        )
        tcp = httpx.AsyncClient(
            base_url=listening.url, headers={"X-API-Key": KEY}, timeout=10, trust_env=False, verify=False
        )
        async with unix, tcp:
            yield Api(
                control=control,
                releases=releases,
                inside=inside,
                device=device,
                bus=bus,
                app=app,
                listening=listening,
                unix=unix,
                tcp=tcp,
            )


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data directory with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="iot") as path:
        yield Path(path)


@pytest.fixture
async def api(folder: Path) -> AsyncIterator[Api]:
    async with running(folder) as served:
        yield served


@pytest.fixture
async def shop_api(api: Api) -> Api:
    """With one App: shop (1001), of web and db."""
    await api.control.apply([shop()])
    return api
