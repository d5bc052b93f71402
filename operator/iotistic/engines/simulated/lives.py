"""Containers that end by themselves, and are started again by their restart policy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial

from iotistic.api.errors import EngineError
from iotistic.api.service import RestartPolicy
from iotistic.engines.simulated.advance import ended, restarted
from iotistic.engines.simulated.faults import CrashLoop, Faults
from iotistic.engines.simulated.world import World
from iotistic.planning.values import Container, Status

SHORTEST_LIFE_SECONDS = 0.05
RESTART_SECONDS = 0.1
"""Between the end of a container and its next start by the engine's restart policy."""

Change = Callable[[Callable[[World], World]], World]


class Lives:
    """One task for each container that is to end by itself, or waits to be started again."""

    def __init__(
        self,
        *,
        find: Callable[[str], Container | None],
        change: Change,
        faults: Callable[[], Faults],
        now: Callable[[], datetime],
    ) -> None:
        """Set up.

        Args:
            find: the container of that id, as it is now; None when it is gone.
            change: changes the world.
            faults: what goes wrong now.
            now: wall time.
        """
        self._find = find
        self._change = change
        self._faults = faults
        self._now = now
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def sync(self, world: World) -> None:
        """From now on what happens by itself to these containers does happen."""
        for container in world.observed.containers:
            restarting = container.status is Status.RESTARTING
            if container.id not in self._tasks and (restarting or self._crash(container)):
                task = asyncio.ensure_future(self._live(container.id))
                self._tasks[container.id] = task
                task.add_done_callback(partial(self._over, container.id))

    async def stop(self) -> None:
        """Let everything live on."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _over(self, id: str, _task: asyncio.Task[None]) -> None:
        self._tasks.pop(id, None)

    def _crash(self, container: Container) -> CrashLoop | None:
        if container.status is not Status.RUNNING:
            return None
        return self._faults().crash(container.app, container.service)

    async def _live(self, id: str) -> None:
        with suppress(EngineError):  # a world that can't be read: whoever looks next is told
            while container := self._find(id):
                if container.status is Status.RESTARTING:
                    await asyncio.sleep(RESTART_SECONDS)
                    self._only_if(container, partial(self._start_again, id))
                elif crash := self._crash(container):
                    await asyncio.sleep(max(crash.after_seconds, SHORTEST_LIFE_SECONDS))
                    if self._crash(container) == crash:
                        self._only_if(container, partial(self._end, container, crash.exit_code))
                else:
                    return

    def _start_again(self, id: str, world: World) -> World:
        return restarted(world, id, self._now())

    def _end(self, container: Container, exit_code: int, world: World) -> World:
        again = _starts_again(container, exit_code)
        return ended(world, container.id, exit_code, self._now(), restarting=again)

    def _only_if(self, container: Container, change: Callable[[World], World]) -> None:
        """Change the world, unless somebody did something to the container meanwhile."""

        def unless_changed(world: World) -> World:
            now = next((found for found in world.observed.containers if found.id == container.id), None)
            same = now and (now.status, now.started) == (container.status, container.started)
            return change(world) if same else world

        self._change(unless_changed)


def _starts_again(container: Container, exit_code: int) -> bool:
    policy = container.spec.restart
    return policy is RestartPolicy.ALWAYS or (policy is RestartPolicy.ON_FAILURE and exit_code != 0)
