"""Serves one app on a Unix socket (no key) and on TCP (behind the guard), in the agent's own loop.

Signals belong to the agent; leaving the context stops everything.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from iotistic.device_api.frame import Frame
from iotistic.device_api.listeners import bind_tcp, bind_unix, file_identity, remove_own
from iotistic.device_api.security import LOOPBACK_HOSTS, Guard

HEADER_SECONDS = 30.0
"""A connection that has sent no request by then is closed."""
IDLE_SECONDS = 75
STOP_SECONDS = 3.0
"""For requests under way when the agent stops."""
FLUSH_SECONDS = 0.5
"""For readers to take what was sent to them."""
MOST_CONNECTIONS = 256
LARGEST_HEADERS = 32 * 1024
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where the API answers."""

    socket_path: Path
    host: str
    port: int
    """The real one, also when a free one was asked for."""

    @property
    def url(self) -> str:
        """Address for browsers and programs."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


@contextlib.asynccontextmanager
async def serve(
    app: FastAPI,
    *,
    socket_path: Path,
    host: str = "127.0.0.1",
    port: int,
    key: str,
    allowed_hosts: Collection[str] = (),
    require_key: bool = True,
) -> AsyncIterator[Listening]:
    """Answer requests inside this context; at its end streams end, requests under way are finished.

    Raises: ConflictError when the port or the socket is taken; EdgeError when one can't be used;
        ValueError for a TCP address beyond loopback without a key.
    """
    if not require_key and host not in LOOPBACK_HOSTS:
        raise ValueError(f"without a key the API listens on loopback only, not on {host}")
    guard = Guard(app, key=key, allowed_hosts=allowed_hosts, require_key=require_key)
    if not require_key:
        log.warning("api_without_key", host=host, why="ENABLE_AUTH=false: every local user may do everything")
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(contextlib.closing(bind_tcp(host, port)))
        unix = stack.enter_context(contextlib.closing(bind_unix(socket_path)))
        stack.callback(remove_own, socket_path, file_identity(socket_path))
        servers = [_Server(app, unix), _Server(guard, tcp)]
        try:
            for server in servers:
                await server.open()
            yield Listening(socket_path=socket_path, host=host, port=tcp.getsockname()[1])
        finally:
            app.state.closing.set()
            await asyncio.gather(*(server.close() for server in servers))


class _Protocol(H11Protocol):
    """HTTP/1.1 that does not wait for ever for a first request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.abort()


class _Server(uvicorn.Server):
    """uvicorn on one bound socket, without its main loop: that wakes ten times a second for nothing."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                Frame(app),
                http=_Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",  # Frame tells what goes wrong; uvicorn would tell it again
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=IDLE_SECONDS,
                h11_max_incomplete_event_size=LARGEST_HEADERS,
            )
        )
        self._listener = listener

    async def open(self) -> None:
        """Listen."""
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup(sockets=[self._listener])

    async def close(self) -> None:
        """Stop listening, let requests under way end, then cut what is left."""
        if not self.started:
            return
        connections, tasks = self.server_state.connections, self.server_state.tasks
        for listening in self.servers:
            listening.close()
        for connection in list(connections):
            connection.shutdown()
        if tasks:
            await asyncio.wait(set(tasks), timeout=STOP_SECONDS)
        for task in set(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                # transports tell nobody when they are empty
                while any(c.transport.get_write_buffer_size() for c in connections):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        for connection in list(connections):
            connection.transport.abort()
