"""The loop: what it asks of the engine, and when."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from iotistic.planning.values import Action, Step
from iotistic.store.sqlite.store import SqliteStore
from tests.unit.controllers.inside import Inside, app, running

WEB2 = {"name": "web", "image": "web:2"}


def states(inside: Inside) -> dict[str, str]:
    """The state of each App that is listed."""
    return {one.name: one.status.state for one in inside.apps.apps() if one.status}


async def never(step: Step) -> None:
    """A step that does not end."""
    await asyncio.Event().wait()


async def test_an_image_that_is_there_is_not_fetched(data: Path, inside: Inside) -> None:
    await inside.apply(app("shop"))
    world = json.loads((data / "simulated.json").read_text())
    world["images"].append({"ref": "docker.io/library/web:2", "digest": "sha256:" + "2" * 64})
    (data / "simulated.json").write_text(json.dumps(world))
    inside.engine.asked.clear()

    await inside.apply(app("shop", WEB2))

    assert inside.engine.asked[:2] == ["kill shop/web", "start shop/web"]
    assert [step for step in inside.engine.asked if step.startswith("fetch")] == []


async def test_nothing_is_asked_when_nothing_changes(inside: Inside) -> None:
    await inside.apply(app("shop"), app("till"))
    inside.engine.asked.clear()

    await inside.apply(app("shop"), app("till"))
    inside.loop.look_at_everything()
    await inside.loop.looked(within_seconds=5)

    assert inside.engine.asked == []


async def test_each_service_gets_one_container_however_often_it_is_applied(inside: Inside) -> None:
    names = [f"app{number}" for number in range(5)]
    for _ in range(3):
        await asyncio.gather(*(inside.apps.apply([app(name)]) for name in names))
    await inside.until(inside.is_done)

    assert sorted(one.app for one in (await inside.observed()).containers) == names


async def test_an_apply_in_the_middle_of_an_update_ends_in_the_last_one(inside: Inside) -> None:
    await inside.apply(app("shop"))

    for version in (2, 3, 4):
        await inside.apps.apply([app("shop", {"name": "web", "image": f"web:{version}"})])
        await asyncio.sleep(0.005 * version)
    await inside.until(inside.is_done)

    [container] = await inside.containers("shop")
    assert container.spec.image.short == "web:4"
    status = inside.apps.app("shop").status
    assert status is not None
    assert [one.release for one in status.services] == ["4"]


async def test_a_deletion_during_an_update_leaves_nothing(inside: Inside) -> None:
    await inside.apply(app("shop"))
    await inside.apps.apply([app("shop", WEB2)])

    await inside.apps.delete("shop", purge=True)
    await inside.until(lambda: "Deleted" in inside.reasons())

    assert inside.apps.apps() == []
    seen = await inside.observed()
    assert (seen.containers, seen.networks, seen.volumes) == ((), (), ())


async def test_a_new_agent_shows_what_is_being_removed_before_it_has_seen_the_engine(
    data: Path, store: SqliteStore
) -> None:
    async with running(data, store) as first:
        await first.apply(app("shop"), app("till"))
        first.engine.before_step = never  # a long grace period
        await first.apps.delete("shop")
        await first.until(lambda: "kill shop/web" in first.engine.asked)
        assert states(first) == {"shop": "Deleting", "till": "Ready"}

    second = Inside(data, store)
    assert states(second)["shop"] == "Deleting"
    assert second.apps.app("shop").status is not None

    async with running(data, store) as third:
        await third.until(lambda: "Deleted" in third.reasons())
        assert set(states(third)) == {"till"}
        assert await third.containers("shop") == []
    assert set(states(Inside(data, store))) == {"till"}


async def test_an_app_that_has_left_volumes_is_gone_for_a_new_agent(data: Path, store: SqliteStore) -> None:
    db = {"name": "db", "image": "db:1", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    async with running(data, store) as first:
        await first.apply(app("shop", db, volumes=[{"name": "data"}]))
        await first.apps.delete("shop")
        await first.until(lambda: "Deleted" in first.reasons())

    assert first.bus.recent(after=0)[-1].message == "App shop is gone; its volumes stay"
    assert states(Inside(data, store)) == {}
    async with running(data, store) as again:
        await again.until(lambda: again.world.seen)
        assert [(one.app, one.kept) for one in again.apps.volumes()] == [("shop", True)]
        await again.apps.delete("shop", purge=True)
        await again.until(lambda: "Deleted" in again.reasons())
        assert again.apps.volumes() == []


async def test_an_app_is_there_until_its_volumes_are_gone_that_go_with_it(inside: Inside) -> None:
    db = {"name": "db", "image": "db:1", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    await inside.apply(app("shop", db, volumes=[{"name": "data"}]))
    last = asyncio.Event()

    async def hold(step: Step) -> None:
        if step.action is Action.REMOVE_VOLUME:
            await last.wait()

    inside.engine.before_step = hold
    await inside.apps.delete("shop", purge=True)
    await inside.until(lambda: "removeVolume shop/data" in inside.engine.asked)

    seen = await inside.observed()
    assert (seen.containers, seen.networks) == ((), ())
    assert states(inside) == {"shop": "Deleting"}
    status = inside.apps.app("shop").status
    assert status is not None
    assert status.why == "what it has here is being removed"
    last.set()
    await inside.until(lambda: "Deleted" in inside.reasons())
    assert states(inside) == {}


async def test_a_new_agent_changes_nothing(data: Path, store: SqliteStore) -> None:
    async with running(data, store) as first:
        await first.apply(app("shop", WEB2), app("till"))
        before = await first.observed()

    async with running(data, store) as second:
        await second.until(second.is_done)

        assert second.engine.asked == []
        assert await second.observed() == before
