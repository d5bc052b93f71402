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

from iotistic.device_api.access import access_of
from iotistic.device_api.frame import Frame
from iotistic.device_api.listeners import bind_tcp, bind_unix, file_identity, remove_own
from iotistic.device_api.security import Guard

HEADER_SECONDS = 30.0
"""A connection that has sent no whole request head by then is closed."""
IDLE_SECONDS = 75
"""The same for the next request on a connection."""
STOP_SECONDS = 3.0
"""For requests under way when the agent stops."""
FLUSH_SECONDS = 0.5
"""For readers to take what was sent to them."""
MOST_CONNECTIONS = 384
"""Per listener; both together stay below the 1024 files that a process may usually open."""
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
        """Address for browsers and programs on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


@contextlib.asynccontextmanager
async def serve(
    app: FastAPI,
    *,
    socket_path: Path,
    port: int,
    key: str,
    mode: str = "LOCALHOST_ONLY",
    host: str = "",
    allowed_hosts: Collection[str] = (),
    require_key: bool = True,
) -> AsyncIterator[Listening]:
    """Answer requests inside this context; at its end streams end, requests under way are finished.

    Args: see `access.access_of`; they are about TCP, the Unix socket is for its group.

    Raises: ConflictError when the port or the socket is taken; EdgeError when one can't be used, and for a
        mode that does not exist or would open more than it says.
    """
    access = access_of(mode, require_key=require_key, host=host, allowed_hosts=allowed_hosts)
    guard = Guard(app, key=key, access=access)
    if not access.require_key:
        log.warning(
            "api_without_key", host=access.host, why="ENABLE_AUTH=false: every local user may do everything"
        )
    if access.mode == "OPEN":
        log.warning(
            "api_open", host=access.host, why="API_SECURITY_MODE=OPEN: every network may knock, with the key"
        )
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(contextlib.closing(bind_tcp(access.host, port)))
        unix = stack.enter_context(contextlib.closing(bind_unix(socket_path)))
        stack.callback(remove_own, socket_path, file_identity(socket_path))
        servers = [_Server(app, unix), _Server(guard, tcp)]
        try:
            for server in servers:
                await server.open()
            yield Listening(socket_path=socket_path, host=access.host, port=tcp.getsockname()[1])
        finally:
            app.state.closing.set()
            await asyncio.gather(*(server.close() for server in servers))


class _Protocol(H11Protocol):
    """HTTP/1.1 that waits for a whole request head for a bounded time, and makes room for newcomers."""

    _give_up_at: asyncio.TimerHandle | None = None
    _waits_since = 0.0
    """Of a connection without a request under way: when it began to wait for one."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_request(HEADER_SECONDS)
        if len(self.connections) > MOST_CONNECTIONS:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        answered = self.cycle
        super().on_response_complete()
        # uvicorn's own timer ends with the first byte that comes; half a head must not wait for ever.
        if self.cycle is answered:
            self._wait_for_request(IDLE_SECONDS)

    @property
    def _is_waiting(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait_for_request(self, seconds: float) -> None:
        self._stop_waiting()
        self._waits_since = self.loop.time()
        self._give_up_at = self.loop.call_later(seconds, self._give_up, self.cycle)

    def _stop_waiting(self) -> None:
        if self._give_up_at is not None:
            self._give_up_at.cancel()

    def _give_up(self, last: object) -> None:
        if self.cycle is last and not self.transport.is_closing():
            self.transport.abort()

    def _make_room(self) -> None:
        """Close the connection that has waited longest; if none waits, this new one."""
        waiting = [one for one in self.connections if isinstance(one, _Protocol) and one._is_waiting]
        longest = min(waiting, key=lambda one: one._waits_since)
        self.connections.discard(longest)
        longest.transport.abort()


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
