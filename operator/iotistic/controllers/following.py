"""Lines of services, on and on: when a container is replaced or started again, its successor's follow."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from iotistic.api.errors import EdgeError, EngineError, NotFoundError
from iotistic.controllers.reconciler import Reconciler
from iotistic.engines.base import Engine, LogLine
from iotistic.planning.values import Container

Line = tuple[str, LogLine]
MOST_AGAIN = 1000
"""Lines that are looked through for new ones when a container was started again."""


class Logs:
    """Reads what containers write."""

    def __init__(self, engine: Engine, loop: Reconciler) -> None:
        self._engine = engine
        self._loop = loop

    async def read(
        self, app: str, services: Sequence[str], *, follow: bool, tail: int | None
    ) -> AsyncGenerator[Line]:
        """Lines with the name of their service; of several services in the order they were written, with
        `follow` in the order they come."""
        if not follow:
            for line in await self._all(app, services, tail):
                yield line
            return
        queue: asyncio.Queue[Line | EdgeError | None] = asyncio.Queue(maxsize=1000)
        tasks = [asyncio.create_task(self._feed(app, service, tail, queue)) for service in services]
        try:
            left = len(tasks)
            while left:
                got = await queue.get()
                if isinstance(got, EdgeError):
                    raise got
                if got is None:
                    left -= 1
                else:
                    yield got
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _all(self, app: str, services: Sequence[str], tail: int | None) -> list[Line]:
        lines: list[Line] = []
        for service in services:
            container = self._container(app, service)
            if container is None:
                if len(services) == 1:
                    raise NotFoundError(
                        f"service {app}/{service} has no container yet",
                        hint=f"see why: iotctl services info {app}-{service}",
                    )
                continue
            async with contextlib.aclosing(_generator(self._stream(container, False, tail))) as stream:
                lines += [(service, line) async for line in stream]
        return sorted(lines, key=lambda line: line[1].time) if len(services) > 1 else lines

    async def _feed(
        self, app: str, service: str, tail: int | None, queue: asyncio.Queue[Line | EdgeError | None]
    ) -> None:
        """Follow one service until its App is gone; errors of the engine go to the reader."""
        id = started = last = ""
        try:
            while True:
                container = self._container(app, service)
                if container is not None and (container.id, container.started) != (id, started):
                    # A container that was started again tells its old lines once more: only new ones count.
                    again = container.id == id
                    after = (last or container.finished or container.started) if again else ""
                    id, started = container.id, container.started
                    lines = self._after(container, after, MOST_AGAIN if again else tail)
                    last = await self._pass_on(lines, service, queue) or (last if again else "")
                    tail = None
                elif app not in self._loop.known_apps():
                    break
                await self._loop.looked(within_seconds=1.0)
        except EngineError as error:
            await queue.put(error)
        await queue.put(None)

    async def _pass_on(
        self, lines: AsyncGenerator[LogLine], service: str, queue: asyncio.Queue[Line | EdgeError | None]
    ) -> str:
        """Hand on all lines of a container; the time of the last one, empty when there was none."""
        last = ""
        async with contextlib.aclosing(lines) as stream:
            async for line in stream:
                await queue.put((service, line))
                last = line.time
        return last

    async def _after(self, container: Container, after: str, tail: int | None) -> AsyncGenerator[LogLine]:
        """Lines of a container, on and on, that are later than a moment."""
        async with contextlib.aclosing(_generator(self._stream(container, True, tail))) as stream:
            async for line in stream:
                if line.time > after:
                    yield line

    def _stream(self, container: Container, follow: bool, tail: int | None) -> AsyncIterator[LogLine]:
        return self._engine.logs(container.id, follow=follow, tail=tail)

    def _container(self, app: str, service: str) -> Container | None:
        return self._loop.facts.counting(app, service)


async def _generator(lines: AsyncIterator[LogLine]) -> AsyncGenerator[LogLine]:
    """The same lines, in a form that can be closed."""
    try:
        async for line in lines:
            yield line
    finally:
        if isinstance(lines, AsyncGenerator):
            await lines.aclose()
