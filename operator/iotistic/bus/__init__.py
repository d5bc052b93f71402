"""Publish and subscribe inside one process: what happened, for whoever wants to know.

Publishing never waits and never fails: a slow reader loses its oldest events and is told how many.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, in a plain sentence, without secrets."""

    seq: int
    """Counts up from 1 with each start of the agent."""
    time: str
    """RFC 3339, UTC."""
    type: str
    """Normal, Warning, or Progress (of a step; not kept)."""
    reason: str
    """One word: Pulled, Started, CrashLoop, Updated, ..."""
    message: str
    """One sentence."""
    app: str = ""
    service: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    """More for programs: action, cause, seconds, current and total bytes."""

    def wire(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "seq": self.seq,
            "time": self.time,
            "type": self.type,
            "reason": self.reason,
            "message": self.message,
            "app": self.app,
            "service": self.service,
            "data": dict(self.data),
        }


class Bus:
    """Keeps the last events and hands new ones to every subscriber."""

    def __init__(self, *, keep: int = 500, backlog: int = 1000) -> None:
        self._recent: deque[Event] = deque(maxlen=keep)
        self._backlog = backlog
        self._queues: set[asyncio.Queue[Event]] = set()
        self._seq = 0

    def publish(
        self,
        *,
        time: str,
        type: str,
        reason: str,
        message: str,
        app: str = "",
        service: str = "",
        **data: Any,
    ) -> Event:
        """Tell everybody. Progress events are not kept for later readers."""
        self._seq += 1
        event = Event(
            seq=self._seq,
            time=time,
            type=type,
            reason=reason,
            message=message,
            app=app,
            service=service,
            data=data,
        )
        if type != "Progress":
            self._recent.append(event)
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)
        return event

    def recent(self, *, after: int = 0) -> list[Event]:
        """Kept events with a greater `seq`, oldest first."""
        return [event for event in self._recent if event.seq > after]

    async def subscribe(self, *, after: int | None = None) -> AsyncIterator[Event]:
        """New events as they come; with `after`, the kept ones after that `seq` first."""
        queue: asyncio.Queue[Event] = asyncio.Queue(self._backlog)
        self._queues.add(queue)
        try:
            for event in self.recent(after=after) if after is not None else ():
                yield event
            while True:
                yield await queue.get()
        finally:
            self._queues.discard(queue)
