"""Turns: several at once, never two of the same App, each tried again when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from iotistic.controllers.cluster.ports import ConflictError, Key
from iotistic.controllers.cluster.queue import Turn, TurnQueue, pause_seconds

A, B = Key("edge", "a"), Key("edge", "b")


@asynccontextmanager
async def working(turn: Turn) -> AsyncIterator[TurnQueue]:
    queue = TurnQueue(turn)
    task = asyncio.create_task(queue.run())
    try:
        yield queue
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: object, *, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_askings_before_a_turn_are_one_and_those_during_it_make_another() -> None:
    turns: list[Key] = []
    gate = asyncio.Event()

    async def turn(key: Key) -> None:
        turns.append(key)
        if len(turns) == 1:
            await gate.wait()

    async with working(turn) as queue:
        for _ in range(3):
            queue.add(A)
        await until(lambda: turns == [A])
        for _ in range(3):
            queue.add(A)
        queue.add(B)
        await until(lambda: turns == [A, B])
        gate.set()
        await until(lambda: turns == [A, B, A] and queue.idle())
    assert turns == [A, B, A]


async def test_never_two_turns_of_one_app_at_once() -> None:
    running: set[Key] = set()
    most = 0
    count = 0

    async def turn(key: Key) -> None:
        nonlocal most, count
        assert key not in running
        running.add(key)
        most = max(most, len(running))
        await asyncio.sleep(0.001)
        running.discard(key)
        count += 1

    keys = [Key("edge", str(number)) for number in range(20)]
    async with working(turn) as queue:
        for _ in range(10):
            for key in keys:
                queue.add(key)
            await asyncio.sleep(0)
        await until(lambda: queue.idle() and count >= 20)
    assert most <= 8


async def test_a_turn_that_asked_to_be_called_again_is() -> None:
    turns = 0

    async def turn(key: Key) -> float | None:
        nonlocal turns
        turns += 1
        return 0.01 if turns < 3 else None

    async with working(turn) as queue:
        queue.add(A)
        await until(lambda: turns == 3)


async def test_an_earlier_moment_wins() -> None:
    turns: list[Key] = []

    async def turn(key: Key) -> None:
        turns.append(key)

    async with working(turn) as queue:
        queue.add(A, after_seconds=3600)
        queue.add(A, after_seconds=0.01)
        queue.add(A, after_seconds=7200)
        await until(lambda: turns == [A])


async def test_what_fails_is_tried_again_and_delays_nobody_else() -> None:
    turns: list[Key] = []

    async def turn(key: Key) -> None:
        turns.append(key)
        if key == A and turns.count(A) == 1:
            raise ConflictError("somebody was faster")
        if key == A and turns.count(A) == 2:
            raise RuntimeError("a defect")

    async with working(turn) as queue:
        queue.add(A)
        await until(lambda: A in turns)
        queue.add(B)
        await until(lambda: turns.count(A) == 3 and B in turns)
    assert queue.failed_turns == 2


def test_delays_grow_up_to_a_minute() -> None:
    assert [pause_seconds(failures, 0.0) for failures in (1, 2, 3, 8, 30)] == [0.5, 1.0, 2.0, 60.0, 60.0]
    assert (pause_seconds(2, 1.0), pause_seconds(30, 1.0)) == (1.5, 60.0)
