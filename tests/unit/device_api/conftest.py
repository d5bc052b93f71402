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
from tests.unit.device_api.memory import Memory

KEY = "a-key-of-the-tests"


@dataclass(kw_only=True)
class Api:
    """A served API."""

    control: Memory
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


@contextlib.asynccontextmanager
async def running(folder: Path, *, bus: Bus | None = None, **options: Any) -> AsyncIterator[Api]:
    """Serve an empty device below `folder`."""
    control, bus = Memory(), bus or Bus()
    keep_alive = options.pop("keep_alive_seconds", 15.0)
    app = create_app(control=control, bus=bus, version="1.2.3", install="abc", keep_alive_seconds=keep_alive)
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
            yield Api(control=control, bus=bus, app=app, listening=listening, unix=unix, tcp=tcp)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data directory with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="iot") as path:
        yield Path(path)


@pytest.fixture
async def api(folder: Path) -> AsyncIterator[Api]:
    async with running(folder) as served:
        yield served
