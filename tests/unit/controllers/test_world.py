"""The world as the planner gets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from iotistic.controllers.prober import Prober
from iotistic.controllers.world import World
from iotistic.engines.base import Engine
from iotistic.planning.counting import count
from iotistic.planning.values import Health, Observed
from iotistic.store.locks import FileLocks
from tests.unit.controllers.inside import Inside, app

PROBED = {"name": "web", "image": "web:1", "readinessProbe": {"exec": {"command": ["x"]}}}


class Shows:
    """An engine that is as it is."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed

    async def observe(self, images: frozenset[str], *, full: bool = False) -> Observed:
        return self._observed


async def _never(container: str, command: Sequence[str], timeout_seconds: float) -> tuple[int, str]:
    raise TimeoutError


@pytest.mark.parametrize(
    ("cut", "serves"),
    [(Health.STARTING, "old"), (Health.NONE, "new")],
    ids=["before the new one took over", "after that"],
)
async def test_after_a_cut_hand_over_the_one_that_served_does_so_until_probes_say_otherwise(
    inside: Inside, data: Path, cut: Health, serves: str
) -> None:
    """The agent has just started: no probe has been answered yet."""
    await inside.apply(app("shop", PROBED, update={"minReadySeconds": 0, "strategy": "HandOver"}))
    inside.loop.stop()
    [old] = await inside.containers("shop")

    old = replace(old, health=Health.NONE)
    new = replace(old, id="new", created="2999-01-01T00:00:00Z", health=cut)
    engine: Engine = Shows(Observed(containers=(old, new)))  # type: ignore[assignment]  # nothing else is asked
    prober = Prober(_never)
    locks = FileLocks(data / "locks", install="x", now=lambda: datetime.now(UTC))
    world = World(engine, inside.store, locks, inside.desired, prober)
    try:
        seen = await world.look(frozenset(), full=True)
    finally:
        prober.stop()

    counted = count([one for one in seen.containers if one.app == "shop"], hand_over=True)
    assert counted.container is not None
    assert counted.container.id == {"old": old.id, "new": "new"}[serves]
