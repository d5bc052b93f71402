"""Answers without an end: they stop when the client goes, the source ends or the agent stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from iotistic.api.errors import EdgeError

FAREWELL_SECONDS = 0.5


class Stream(Response):
    """Sends what `source` yields, as it comes, and always closes it.

    Args:
        source: pieces of the body.
        closing: set when the agent stops.
        error: the last piece when the source fails half-way.
        silence: sent after `silence_seconds` without anything else; nothing when empty.
    """

    def __init__(
        self,
        source: AsyncGenerator[bytes],
        *,
        closing: asyncio.Event,
        media_type: str,
        error: Callable[[EdgeError], bytes],
        silence: bytes = b"",
        silence_seconds: float = 15.0,
    ) -> None:
        super().__init__(media_type=media_type, headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]
        self._source = source
        self._closing = closing
        self._error = error
        self._silence = silence
        self._silence_seconds = silence_seconds if silence else None
        self._next: asyncio.Future[bytes] | None = None

    async def begin(self, seconds: float) -> Stream:
        """Wait for the first piece, at most `seconds`: its error can still be a proper answer."""
        self._next = asyncio.ensure_future(anext(self._source))
        try:
            await asyncio.wait({self._next}, timeout=seconds)
            if self._next.done() and isinstance(self._next.exception(), EdgeError):
                self._next.result()
        except BaseException:
            await self._close()
            raise
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until one of the three ends."""
        tasks: list[asyncio.Future[object]] = [
            asyncio.ensure_future(step)
            for step in (self._copy(send), _client_is_gone(receive), self._closing.wait())
        ]
        copy, gone, _ = tasks
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await _cancel(*(task for task in tasks if not task.done()))
            if copy.done() and not copy.cancelled():
                copy.result()
            elif not gone.done() or gone.cancelled():
                await _farewell(send)
        finally:
            await _cancel(*tasks)
            await self._close()

    async def _copy(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        while True:
            self._next = self._next or asyncio.ensure_future(anext(self._source))
            done, _ = await asyncio.wait({self._next}, timeout=self._silence_seconds)
            if not done:
                await send(_piece(self._silence))
                continue
            ready, self._next = self._next, None
            try:
                await send(_piece(ready.result()))
            except StopAsyncIteration:
                break
            except EdgeError as error:
                await send(_piece(self._error(error)))
                break
        await send(_piece(b"", more=False))

    async def _close(self) -> None:
        if self._next is not None:
            await _cancel(self._next)
        await self._source.aclose()


async def _client_is_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _farewell(send: Send) -> None:
    """A proper end for a reader that listens; one that does not is cut off."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL_SECONDS):
            await send(_piece(b"", more=False))


async def _cancel(*tasks: asyncio.Future[object] | asyncio.Future[bytes]) -> None:
    waiting: list[Awaitable[object]] = [*tasks]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def _piece(body: bytes, *, more: bool = True) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": more}
