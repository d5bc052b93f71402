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


class _Reader:
    """What waits for one subscriber, and how much of it was given up."""

    def __init__(self, backlog: int) -> None:
        self.queue: asyncio.Queue[Event] = asyncio.Queue(backlog)
        self.lost = 0

    def put(self, event: Event) -> None:
        if self.queue.full():
            self.queue.get_nowait()
            self.lost += 1
        self.queue.put_nowait(event)

    def take_lost(self, before: Event) -> Event | None:
        """An event that tells what was lost before this one, if anything was."""
        lost, self.lost = self.lost, 0
        if not lost:
            return None
        return Event(
            seq=before.seq - 1,
            time=before.time,
            type="Warning",
            reason="Lost",
            message=f"{lost} events were dropped here because the reader was too slow",
            data={"lost": lost},
        )


class Bus:
    """Keeps the last events and hands new ones to every subscriber."""

    def __init__(self, *, keep: int = 500, backlog: int = 1000) -> None:
        self._recent: deque[Event] = deque(maxlen=keep)
        self._backlog = backlog
        self._readers: set[_Reader] = set()
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
        for reader in self._readers:
            reader.put(event)
        return event

    @property
    def last_seq(self) -> int:
        """`seq` of the newest event, kept or not; 0 when there was none."""
        return self._seq

    def recent(self, *, after: int = 0) -> list[Event]:
        """Kept events with a greater `seq`, oldest first."""
        return [event for event in self._recent if event.seq > after]

    async def subscribe(self, *, after: int | None = None) -> AsyncIterator[Event]:
        """New events as they come; with `after`, the kept ones after that `seq` first.

        What a slow reader lost shows as one event of reason Lost in its place.
        """
        reader = _Reader(self._backlog)
        self._readers.add(reader)
        try:
            for event in self.recent(after=after) if after is not None else ():
                yield event
            while True:
                event = await reader.queue.get()
                if lost := reader.take_lost(event):
                    yield lost
                yield event
        finally:
            self._readers.discard(reader)
