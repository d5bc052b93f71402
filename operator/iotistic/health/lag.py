"""How late the event loop is: a loop that hangs looks alive from outside."""

from __future__ import annotations

import asyncio
import time

BEAT_SECONDS = 0.5
WORST_OF = 60.0
"""Seconds for which the longest delay is remembered."""


class Beat:
    """Beats in the loop; is read from anywhere."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._worst = (self._last, 0.0)

    def behind(self) -> float:
        """Seconds that the loop has not run by now."""
        return max(0.0, time.monotonic() - self._last - BEAT_SECONDS)

    def worst(self) -> float:
        """The longest delay of the last minute, in seconds."""
        return max(self._worst[1], self.behind())

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            self._last = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)
            now, late = time.monotonic(), self.behind()
            if late >= self._worst[1] or now - self._worst[0] > WORST_OF:
                self._worst = (now, late)
