"""Limits of one request, and the last net for defects: around the app, on every listener."""

from __future__ import annotations

import asyncio

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from iotistic.device_api.problems import problem

MAX_BODY_BYTES = 10 * 1024 * 1024
BODY_SECONDS = 30.0
log = structlog.get_logger()


class Frame:
    """Refuses bodies that are too large (413) or too slow (408).

    Args:
        body_seconds: longest pause between two pieces of a body.
    """

    def __init__(
        self, app: ASGIApp, *, max_body_bytes: int = MAX_BODY_BYTES, body_seconds: float = BODY_SECONDS
    ) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand over to the app, unless the body is announced as too large."""
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdigit() or int(announced) > self._max_body_bytes:
            await problem(413, self._too_large)(scope, receive, send)
            return
        try:
            await self._app(scope, self._limited(receive), send)
        except Exception:
            log.exception("api_stream_failed", method=scope["method"], path=scope["path"])

    @property
    def _too_large(self) -> str:
        return f"the body is larger than {self._max_body_bytes // (1024 * 1024)} MB"

    def _limited(self, receive: Receive) -> Receive:
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
            if received > self._max_body_bytes:
                complete = True
                raise HTTPException(413, self._too_large)
            return message

        return limited
