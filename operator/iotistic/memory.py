"""Gives memory back once a start is over: listing everything takes more than keeping it."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import Callable

QUIET_SECONDS = 2.0


async def settle(started: asyncio.Event, idle: Callable[[], bool]) -> None:
    """Wait until all is started and idle, then tidy up."""
    await started.wait()
    tidy()
    while not idle():  # noqa: ASYNC110  # nothing tells when the queue has run dry
        await asyncio.sleep(QUIET_SECONDS)
    tidy()


def set_aside() -> None:
    """Collect garbage, and leave what is there by now out of later collections: it stays."""
    gc.collect()
    gc.freeze()


def tidy() -> None:
    """The same, and give pages back to the kernel."""
    set_aside()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):
        return  # another C library than GNU's
