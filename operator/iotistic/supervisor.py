"""What systemd wants to hear: that the agent is ready, and again and again that it is alive.

Protocol: sd_notify(3).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator


class Supervisor:
    """Tells systemd; without a socket to tell it to, nothing is told."""

    def __init__(self, address: str, watchdog_seconds: float) -> None:
        """Set up.

        Args:
            address: NOTIFY_SOCKET; one in the abstract namespace begins with @.
            watchdog_seconds: longest silence; 0: nobody listens for signs of life.
        """
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watchdog_seconds = watchdog_seconds

    @contextlib.contextmanager
    def told(self, alive: Callable[[], bool]) -> Iterator[None]:
        """Ready inside this context, and alive as long as `alive` says so; stopping at its end."""
        self._tell("READY=1")
        watch = (
            asyncio.ensure_future(self._watch(alive)) if self._address and self._watchdog_seconds else None
        )
        try:
            yield
        finally:
            if watch is not None:
                watch.cancel()
            self._tell("STOPPING=1")

    async def _watch(self, alive: Callable[[], bool]) -> None:
        while True:
            if alive():
                self._tell("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_seconds / 2)

    def _tell(self, text: str) -> None:
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.connect(self._address)
            channel.sendall(text.encode())
