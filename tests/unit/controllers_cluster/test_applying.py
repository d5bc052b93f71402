"""Several writes at once: one that fails leaves none behind."""

from __future__ import annotations

import asyncio

import pytest

from iotistic.controllers.cluster.applying import all_of


async def test_what_fails_is_raised_when_all_have_ended() -> None:
    ended: list[str] = []

    async def write(name: str, turns: int, error: Exception | None = None) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        ended.append(name)
        if error is not None:
            raise error

    first, second = OSError("first"), OSError("second")
    with pytest.raises(OSError, match="first"):
        await all_of([write("a", 3, first), write("b", 1, second), write("c", 9)])
    assert ended == ["b", "a", "c"]


async def test_what_is_cancelled_takes_its_writes_with_it() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    task = asyncio.create_task(all_of([write()]))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled.is_set()
