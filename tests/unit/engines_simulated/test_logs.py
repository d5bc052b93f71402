"""What simulated containers write."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from iotistic.api.errors import EngineError
from iotistic.engines.base import LogLine
from iotistic.engines.simulated import SimulatedEngine
from iotistic.engines.simulated.engine import AT_ONCE
from iotistic.engines.simulated.world import change
from iotistic.planning.values import Action
from tests.unit.engines_simulated.conftest import Driver, target

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Clock:
    now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(tmp_path: Path, clock: Clock) -> Driver:
    wanted = target({"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]})
    return Driver(SimulatedEngine(tmp_path, pace=AT_ONCE, now=clock), wanted)


async def written(shop: Driver, id: str, tail: int | None = None) -> list[LogLine]:
    return [line async for line in shop.engine.logs(id, follow=False, tail=tail)]


async def test_lines_from_the_start_on(shop: Driver, clock: Clock) -> None:
    container = await shop.up()

    first = await written(shop, container.id)
    clock.now += timedelta(seconds=20)
    later = await written(shop, container.id)

    assert [line.text for line in first] == [
        "web: starting, web:1",
        "web: listening on port 80",
        "web: ready",
    ]
    assert later[:3] == first
    assert len(later) == 13
    assert all("requests" in line.text for line in later[3:])
    assert [line.time for line in later] == sorted(line.time for line in later)
    assert await written(shop, container.id) == later


async def test_tail(shop: Driver, clock: Clock) -> None:
    container = await shop.up()
    clock.now += timedelta(seconds=60)
    everything = await written(shop, container.id)

    assert await written(shop, container.id, tail=2) == everything[-2:]
    assert await written(shop, container.id, tail=0) == []
    assert await written(shop, container.id, tail=10_000) == everything


async def test_a_long_life_is_bounded(shop: Driver, clock: Clock) -> None:
    container = await shop.up()
    clock.now += timedelta(days=300)

    assert len(await written(shop, container.id)) == 1000


async def test_following_ends_when_the_container_is_gone(shop: Driver, clock: Clock) -> None:
    container = await shop.up()
    lines: list[str] = []

    async def follow() -> None:
        async for line in shop.engine.logs(container.id, follow=True, tail=1):
            lines.append(line.text)
            if len(lines) == 1:
                clock.now += timedelta(seconds=6)
            if len(lines) == 4:
                await shop.do(Action.KILL, "web", container=container.id)

    async with asyncio.timeout(5):
        await follow()

    assert lines[0] == "web: ready"
    assert len(lines) == 4


async def test_a_stopped_one_writes_no_more_and_tells_its_exit_code(
    shop: Driver, clock: Clock, tmp_path: Path
) -> None:
    from iotistic.engines.simulated.advance import ended

    container = await shop.up()
    clock.now += timedelta(seconds=4)
    change(
        tmp_path / "simulated.json",
        lambda world: ended(world, container.id, 3, clock.now, restarting=False),
    )
    at_once = await written(shop, container.id)
    clock.now += timedelta(hours=1)

    assert await written(shop, container.id) == at_once
    assert (at_once[-1].text, at_once[-1].stream) == ("web: exits with 3", "stderr")


async def test_logs_of_no_container(shop: Driver) -> None:
    with pytest.raises(EngineError, match="no container nope"):
        await written(shop, "nope")
