"""The deadline of a release runs while its download has stalled, and stands while it gets further; on a
device where nothing else happens."""

from __future__ import annotations

import asyncio

import pytest

from iotistic.engines.base import Progress, StepContext
from iotistic.planning.values import Action, Step
from tests.unit.controllers.inside import Inside, app

OLD, NEW = {"name": "web", "image": "web:1"}, {"name": "web", "image": "web:2"}


class SlowRegistry:
    """Downloads of web:2 get further when the test says so, and never end."""

    def __init__(self, inside: Inside) -> None:
        self._execute = inside.simulated.execute
        self._more = asyncio.Event()
        inside.simulated.execute = self.execute  # type: ignore[method-assign]

    async def execute(self, step: Step, context: StepContext) -> None:
        if (step.action, step.subject) != (Action.FETCH, "web:2"):
            return await self._execute(step, context)
        for megabytes in range(1000):
            context.progress(Progress(message="pulling", current=megabytes, total=1000))
            await self._more.wait()
            self._more.clear()
        return None

    def sends_more(self) -> None:
        """One more piece comes."""
        self._more.set()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fetch has stalled after a moment."""
    monkeypatch.setattr("iotistic.controllers.steps.FETCH_STALLS_SECONDS", 2.0)


def clock_runs(inside: Inside) -> bool:
    state = inside.loop.rollouts.state("shop")
    return state.begun and state.clock is not None


async def test_an_update_whose_download_stalls_is_undone(inside: Inside) -> None:
    await inside.apply(app("shop", OLD))
    SlowRegistry(inside)

    await inside.apps.apply([app("shop", NEW, update={"minReadySeconds": 0, "progressDeadlineSeconds": 1})])
    await inside.until(lambda: "Undone" in inside.reasons())

    await inside.until(lambda: not inside.loop.steps.downloading)


async def test_the_clock_stands_while_the_download_gets_further(inside: Inside) -> None:
    await inside.apply(app("shop", OLD))
    registry = SlowRegistry(inside)

    await inside.apps.apply([app("shop", NEW)])
    await inside.until(lambda: inside.loop.steps.downloading and not clock_runs(inside))
    await inside.until(lambda: clock_runs(inside))
    registry.sends_more()
    await inside.until(lambda: not clock_runs(inside))

    assert "Undone" not in inside.reasons()
