"""Turns of Apps: several at once, never two of the same App, each soon after it was asked for.

Askings that come before a turn are one; those that come during it make another one after it. A turn that
failed is tried again by itself, after a delay that grows.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from iotistic.controllers.clock import monotonic
from iotistic.controllers.cluster.ports import ConflictError, Key, RefusedError, UnreachableError
from iotistic.rollout.backoff import delay_seconds

log = structlog.get_logger()

WORKERS = 8
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 60.0
JITTER = 0.5
"""A delay is stretched by up to this part of it."""

Turn = Callable[[Key], Awaitable[float | None]]
"""One turn of an App; seconds until it wants the next although nothing happens, or None."""


class TurnQueue:
    """Where Apps wait for their turn (`ports.Queue`), and the workers that give it to them."""

    def __init__(self, turn: Turn, *, workers: int = WORKERS) -> None:
        self._turn = turn
        self._workers = workers
        self._ready: deque[Key] = deque()
        self._waiting: set[Key] = set()
        """Those of `_ready`."""
        self._running: dict[Key, bool] = {}
        """Apps whose turn is under way; True: another was asked for meanwhile."""
        self._later: list[tuple[float, Key]] = []
        self._moments: dict[Key, float] = {}
        """The moment that counts for an App; other entries of `_later` are passed over."""
        self._failures: dict[Key, int] = {}
        self._wake = asyncio.Event()
        self._moment_changed = asyncio.Event()
        self.turns = 0
        """Turns that have ended, for metrics."""
        self.failed_turns = 0

    def add(self, key: Key, *, after_seconds: float = 0.0) -> None:
        """Ask for a turn. Several askings before it comes are one; an earlier moment wins."""
        if after_seconds <= 0:
            self._now(key)
            return
        moment = monotonic() + after_seconds
        if moment < self._moments.get(key, float("inf")):
            self._moments[key] = moment
            heapq.heappush(self._later, (moment, key))
            self._moment_changed.set()

    def depth(self) -> int:
        """Apps that wait for a turn now."""
        return len(self._ready)

    def idle(self) -> bool:
        """Whether no turn is under way or due now."""
        return not self._ready and not self._running

    async def run(self) -> None:
        """Give turns until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_time())
            for _ in range(self._workers):
                group.create_task(self._work())

    def _now(self, key: Key) -> None:
        self._moments.pop(key, None)
        if key in self._running:
            self._running[key] = True
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)
            self._wake.set()

    async def _keep_time(self) -> None:
        while True:
            now = monotonic()
            while self._later and self._later[0][0] <= now:
                moment, key = heapq.heappop(self._later)
                if self._moments.get(key) == moment:
                    self._now(key)
            self._moment_changed.clear()
            left = self._later[0][0] - now if self._later else None
            try:
                async with asyncio.timeout(left):
                    await self._moment_changed.wait()
            except TimeoutError:
                continue

    async def _work(self) -> None:
        while True:
            while not self._ready:
                self._wake.clear()
                await self._wake.wait()
            key = self._ready.popleft()
            self._waiting.discard(key)
            self._running[key] = False
            try:
                again = await self._one(key)
            finally:
                asked = self._running.pop(key)
            if again is not None:
                self.add(key, after_seconds=max(again, 0.001))
            if asked:
                self._now(key)

    async def _one(self, key: Key) -> float | None:
        """A turn; what fails in it is told and tried again: one App must not end the turns of all."""
        try:
            again = await self._turn(key)
        except (ConflictError, UnreachableError) as error:
            log.info("turn_put_off", namespace=key.namespace, app=key.name, why=str(error))
        except RefusedError as error:
            log.warning("turn_refused", namespace=key.namespace, app=key.name, problem=error.message)
        except Exception:
            log.exception("turn_failed", namespace=key.namespace, app=key.name)
        else:
            self.turns += 1
            self._failures.pop(key, None)
            return again
        self.failed_turns += 1
        self._failures[key] = self._failures.get(key, 0) + 1
        return pause_seconds(self._failures[key], random.random())


def pause_seconds(failures: int, jitter: float) -> float:
    """Seconds until an App's next turn after so many that failed in a row; `jitter` is from 0 to 1."""
    return delay_seconds(
        failures, jitter, first=FIRST_DELAY_SECONDS, longest=LONGEST_DELAY_SECONDS, stretch=JITTER
    )
