"""The last lines of a container, kept before it goes: on this device only, for they may hold secrets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from iotistic.api.errors import EdgeError
from iotistic.controllers.clock import now_text
from iotistic.controllers.journal import Journal
from iotistic.engines.base import Engine
from iotistic.planning.values import Action, Step
from iotistic.store.base import MOST_SAVED_LINES, SavedLines, Store

READ_SECONDS = 2.0
_REASONS = {
    Action.KILL: "Replaced",
    Action.REMOVE: "Replaced",
    Action.HANDOVER: "Replaced",
    Action.STOP: "Stopped",
    Action.RESTART: "Restarted",
}


class LastLines:
    """Keeps lines of containers that a step takes away."""

    def __init__(self, engine: Engine, store: Store, journal: Journal) -> None:
        self._engine = engine
        self._store = store
        self._journal = journal

    async def keep(self, step: Step) -> None:
        """Keep what the step's container has written last; failing at that never stops the step."""
        reason = _REASONS.get(step.action)
        if reason is None or not step.container or not step.service:
            return
        try:
            async with asyncio.timeout(READ_SECONDS):
                lines = await self._read(step.container)
            if lines:
                saved = SavedLines(time=now_text(), reason=reason, lines=lines)
                await asyncio.to_thread(self._store.save_lines, step.app, step.service, saved)
        except (EdgeError, TimeoutError) as error:
            self._journal.lines_lost(step, error)

    async def _read(self, container: str) -> tuple[str, ...]:
        stream = self._engine.logs(container, follow=False, tail=MOST_SAVED_LINES)
        try:
            return tuple([line.text async for line in stream])
        finally:
            if isinstance(stream, AsyncGenerator):
                with contextlib.suppress(EdgeError):
                    await stream.aclose()
