"""Limits of one request, and the last net for defects: around the app, on every listener."""

from __future__ import annotations

import asyncio
import math

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from iotistic.device_api.problems import problem
from iotistic.device_api.security import HEALTH_PATHS

MAX_BODY_BYTES = 10 * 1024 * 1024
UNLIMITED_PATHS = frozenset({"/v1/images/load"})
"""Their bodies are handed on piece by piece; the disk they end on is their limit."""
MOST_REQUESTS = 256
"""Under way at once on one listener, open streams included."""
BODY_SECONDS = 30.0
log = structlog.get_logger()


class Frame:
    """Refuses bodies that are too large (413) or too slow (408), and more requests than it can hold (503).

    Args:
        body_seconds: longest pause between two pieces of a body.
    """

    def __init__(
        self, app: ASGIApp, *, max_body_bytes: int = MAX_BODY_BYTES, body_seconds: float = BODY_SECONDS
    ) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._body_seconds = body_seconds
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand over to the app, unless the body is announced as too large or too much is under way."""
        path = scope["path"]
        most_bytes = math.inf if path in UNLIMITED_PATHS else self._max_body_bytes
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdigit() or int(announced) > most_bytes:
            await problem(413, self._too_large)(scope, receive, send)
            return
        if self._under_way >= MOST_REQUESTS and path not in HEALTH_PATHS:
            await _busy()(scope, receive, send)
            return
        self._under_way += 1
        try:
            await self._app(scope, self._limited(receive, most_bytes), send)
        except Exception:
            log.exception("api_stream_failed", method=scope["method"], path=path)
        finally:
            self._under_way -= 1

    @property
    def _too_large(self) -> str:
        return f"the body is larger than {self._max_body_bytes // (1024 * 1024)} MB"

    def _limited(self, receive: Receive, most_bytes: float) -> Receive:
        received = 0
        complete = False

        async def limited() -> Message:
            nonlocal received, complete
            if complete:
                return await receive()
            try:
                async with asyncio.timeout(self._body_seconds):
                    message = await receive()
            except TimeoutError:
                complete = True
                raise HTTPException(408, "the body did not arrive in time") from None
            received += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if received > most_bytes:
                complete = True
                raise HTTPException(413, self._too_large)
            return message

        return limited


def _busy() -> Response:
    return problem(
        503,
        f"{MOST_REQUESTS} requests are under way, and that is the most",
        reason="Busy",
        hint="close event streams and logs that nobody reads, then try again",
        headers={"Retry-After": "2"},
    )
