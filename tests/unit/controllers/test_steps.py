"""Steps are carried out once, side by side, and their failures are counted."""

from __future__ import annotations

import asyncio
from pathlib import Path

from iotistic.api.errors import EngineError, NoSpaceError
from iotistic.planning.values import Action, Step
from iotistic.store.sqlite.store import SqliteStore
from tests.unit.controllers.inside import Inside, app, start_step


async def prepared(data: Path, store: SqliteStore, *names: str) -> Inside:
    """Parts whose loop does not run, with Apps whose images and networks are there."""
    inside = Inside(data, store)
    await inside.apps.apply([app(name) for name in names])
    targets = {name: inside.desired.target(name) for name in names}
    first = [Step(action=Action.FETCH, subject="web:1", name="docker.io/library/web:1")]
    first += [
        Step(action=Action.CREATE_NETWORK, subject=f"{name}/default", app=name, name="default")
        for name in names
    ]
    inside.loop.steps.dispatch(first, targets)
    await ended(inside)
    inside.engine.asked.clear()
    return inside


async def ended(inside: Inside) -> None:
    """Return when no step is under way."""
    async with asyncio.timeout(10):
        while inside.loop.steps.busy_apps() or inside.loop.steps.downloading:
            await asyncio.sleep(0.005)


async def test_an_app_is_busy_as_soon_as_its_steps_are_dispatched(data: Path, store: SqliteStore) -> None:
    inside = await prepared(data, store, "shop")
    targets = {"shop": inside.desired.target("shop")}

    inside.loop.steps.dispatch([start_step("shop", "web")], targets)
    assert inside.loop.steps.busy_apps() == {"shop"}
    inside.loop.steps.dispatch([start_step("shop", "web")], targets)
    await ended(inside)

    assert inside.engine.asked == ["start shop/web"]
    assert len(await inside.containers("shop")) == 1


async def test_an_app_waits_for_its_own_steps_only(data: Path, store: SqliteStore) -> None:
    inside = await prepared(data, store, "slow", "quick")
    targets = {name: inside.desired.target(name) for name in ("slow", "quick")}
    go_on = asyncio.Event()

    async def hold(step: Step) -> None:
        if step.app == "slow":
            await go_on.wait()

    inside.engine.before_step = hold
    inside.loop.steps.dispatch([start_step("slow", "web"), start_step("quick", "web")], targets)
    async with asyncio.timeout(10):
        while inside.loop.steps.busy_apps() != {"slow"}:
            await asyncio.sleep(0.005)
    assert len(await inside.containers("quick")) == 1
    assert await inside.containers("slow") == []

    go_on.set()
    await ended(inside)
    assert len(await inside.containers("slow")) == 1


async def test_a_failed_step_makes_its_service_wait(data: Path, store: SqliteStore) -> None:
    inside = await prepared(data, store, "shop")

    async def fail(step: Step) -> None:
        raise EngineError("no such device /dev/ttyUSB0", hint="plug it in")

    inside.engine.before_step = fail
    inside.loop.steps.dispatch([start_step("shop", "web")], {"shop": inside.desired.target("shop")})
    await ended(inside)

    assert inside.failures.waiting() == {("shop", "web")}
    assert [(one.service, one.message) for one in store.backoffs()] == [
        ("web", "no such device /dev/ttyUSB0")
    ]
    [told] = [event for event in inside.bus.recent(after=0) if event.reason == "EngineFailed"]
    assert told.data["hint"] == "plug it in"


async def test_a_defect_in_one_step_leaves_the_others_alone(data: Path, store: SqliteStore) -> None:
    inside = await prepared(data, store, "bad", "good")
    targets = {name: inside.desired.target(name) for name in ("bad", "good")}

    async def fail(step: Step) -> None:
        if step.app == "bad":
            raise ZeroDivisionError

    inside.engine.before_step = fail
    inside.loop.steps.dispatch([start_step("bad", "web"), start_step("good", "web")], targets)
    await ended(inside)

    assert inside.failures.waiting() == {("bad", "web")}
    assert len(await inside.containers("good")) == 1


async def test_a_failed_fetch_makes_all_wait_that_need_the_image(data: Path, store: SqliteStore) -> None:
    inside = Inside(data, store)
    await inside.apps.apply([app("shop"), app("till"), app("other", {"name": "db", "image": "db:1"})])
    targets = {name: inside.desired.target(name) for name in ("shop", "till", "other")}

    async def fail(step: Step) -> None:
        raise NoSpaceError("the disk is full")

    inside.engine.before_step = fail
    fetch = Step(action=Action.FETCH, subject="web:1", name="docker.io/library/web:1")
    inside.loop.steps.dispatch([fetch, fetch], targets)
    await ended(inside)

    assert inside.engine.asked == ["fetch web:1"], "once"
    assert inside.failures.waiting() == {("shop", "web"), ("till", "web")}
    assert inside.loop.steps.reclaim, "what nobody needs may go now"


async def test_a_fetch_that_nobody_wants_any_more_is_cut_off(data: Path, store: SqliteStore) -> None:
    inside = Inside(data, store)
    await inside.apps.apply([app("shop")])

    async def hang(step: Step) -> None:
        await asyncio.Event().wait()

    inside.engine.before_step = hang
    fetch = Step(action=Action.FETCH, subject="web:1", name="docker.io/library/web:1")
    inside.loop.steps.dispatch([fetch], {"shop": inside.desired.target("shop")})
    await asyncio.sleep(0)
    inside.loop.steps.cancel_fetches(["docker.io/library/web:1"])
    await asyncio.sleep(0.02)
    assert inside.loop.steps.downloading == {"docker.io/library/web:1"}

    inside.loop.steps.cancel_fetches([])
    await ended(inside)

    assert inside.failures.waiting() == set()
