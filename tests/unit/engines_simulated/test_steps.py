"""What each step does to the world, and what of it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from iotistic.api.errors import EngineError
from iotistic.engines.base import Engine, EngineEvent
from iotistic.engines.simulated import Pace, SimulatedEngine
from iotistic.engines.simulated.engine import AT_ONCE
from iotistic.planning.values import Action, Health, Status
from tests.unit.engines_simulated.conftest import Driver, target


@asynccontextmanager
async def told(engine: SimulatedEngine) -> AsyncIterator[list[EngineEvent]]:
    """The events while the block runs."""
    events: list[EngineEvent] = []

    async def listen() -> None:
        async for event in engine.events():
            events.append(event)

    listener = asyncio.create_task(listen())
    await asyncio.sleep(0)
    yield events
    await asyncio.sleep(0.01)
    listener.cancel()


def words(events: list[EngineEvent]) -> list[str]:
    return [f"{event.kind} {event.action}" for event in events]


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def test_it_is_an_engine(tmp_path: Path) -> None:
    as_protocol: Engine = SimulatedEngine(tmp_path)

    assert as_protocol
    assert list(tmp_path.iterdir()) == []


async def test_it_says_which_engine_it_is(engine: SimulatedEngine, tmp_path: Path) -> None:
    info = await engine.info()

    assert (info.kind, info.address) == ("simulated", str(tmp_path / "simulated.json"))


async def test_a_service_comes_up(shop: Driver) -> None:
    shop.update(target({"name": "web", "image": "web:1", "ports": [{"containerPort": 80, "hostPort": 8080}]}))
    async with told(shop.engine) as events:
        container = await shop.up()

    wanted = shop.target.service("web")
    assert wanted is not None
    assert container.spec == wanted.spec
    assert (container.app, container.service, container.release) == ("shop", "web", "1")
    assert (container.status, container.name) == (Status.RUNNING, "shop-web-1")
    assert container.ports == ("8080->80/tcp",)
    assert container.created
    assert container.started >= container.created
    assert container.image_digest.startswith("sha256:")
    assert words(events) == ["image pull", "network create", "container create", "container start"]
    assert {(e.app, e.service, e.container) for e in events[2:]} == {("shop", "web", container.id)}


async def test_ids_come_from_the_seed(tmp_path: Path) -> None:
    async def id_with(seed: int, directory: Path) -> str:
        engine = SimulatedEngine(directory, seed=seed, pace=AT_ONCE)
        return (await Driver(engine, target()).up()).id

    first = await id_with(1, tmp_path / "a")

    assert first == await id_with(1, tmp_path / "b")
    assert first != await id_with(2, tmp_path / "c")


async def test_pulls_tell_how_far_they_are(shop: Driver) -> None:
    await shop.do(Action.FETCH, name="docker.io/library/web:1")

    totals = {progress.total for progress in shop.progress}
    currents = [progress.current for progress in shop.progress]
    assert len(totals) == 1
    assert totals.pop() > 1_000_000
    assert currents == sorted(currents)
    assert (currents[0], currents[-1]) == (0, shop.progress[-1].total)
    assert shop.progress[0].message == "pulling"


async def test_stop_start_pause_unpause_restart(shop: Driver) -> None:
    container = await shop.up()
    begun = container.started
    async with told(shop.engine) as events:
        await shop.do(Action.PAUSE, "web", container=container.id)
        assert (await shop.container()).status is Status.PAUSED
        await shop.do(Action.UNPAUSE, "web", container=container.id)
        assert (await shop.container()).started == begun
        await shop.do(Action.STOP, "web", container=container.id)
        stopped = await shop.container()
        assert stopped.status is Status.EXITED
        assert stopped.finished
        await shop.do(Action.START, "web", container=container.id)
        started = await shop.container()
        assert started.status is Status.RUNNING
        assert started.started > begun
        await shop.do(Action.RESTART, "web", container=container.id)
        assert (await shop.container()).started > started.started

    assert words(events) == [
        f"container {word}" for word in ("pause", "unpause", "die", "start", "die", "start")
    ]
    assert (await shop.container()).id == container.id


async def test_kill_takes_the_container_away(shop: Driver) -> None:
    container = await shop.up()
    async with told(shop.engine) as events:
        await shop.do(Action.KILL, "web", container=container.id)

    assert (await shop.engine.observe(frozenset())).containers == ()
    assert words(events) == ["container die", "container destroy"]


async def test_a_newer_container_is_newer_whatever_the_clock_says(tmp_path: Path) -> None:
    engine = SimulatedEngine(tmp_path, pace=AT_ONCE, now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    shop = Driver(engine, target({"name": "web", "image": "web:1"}, {"name": "db", "image": "web:1"}))

    first, second = await shop.up("web"), await shop.up("db")

    assert second.created > first.created


@pytest.mark.parametrize("action", [Action.START, Action.PAUSE, Action.UNPAUSE, Action.RESTART])
async def test_a_container_that_is_gone_is_no_longer_there_to_be_used(shop: Driver, action: Action) -> None:
    await shop.up()

    with pytest.raises(EngineError, match="no container c9"):
        await shop.do(action, "web", container="c9")


@pytest.mark.parametrize("action", [Action.STOP, Action.KILL, Action.REMOVE])
async def test_a_container_that_is_gone_need_not_be_taken_down(shop: Driver, action: Action) -> None:
    container = await shop.up()

    await shop.do(action, "web", container="c9")

    assert await shop.container() == container


@pytest.mark.parametrize(
    ("action", "service", "name", "says"),
    [
        (Action.START, "dropped", "", "no service dropped"),
        (Action.START, "web", "", "no network default"),
        (Action.START, "db", "", "no volume data"),
        (Action.START, "other", "", "no image other:1"),
        (Action.REMOVE_IMAGE, "", "docker.io/library/web:1", "a container uses it"),
        (Action.REMOVE_NETWORK, "", "back", "containers are attached"),
    ],
)
async def test_what_an_engine_would_refuse_is_refused(
    engine: SimulatedEngine, action: Action, service: str, name: str, says: str
) -> None:
    none = {"networkMode": "none"}
    mounts = [{"name": "data", "mountPath": "/data"}]
    shop = Driver(
        engine,
        target(
            {"name": "web", "image": "web:1"},
            {"name": "db", "image": "web:1", "volumeMounts": mounts, **none},
            {"name": "other", "image": "other:1", **none},
            {"name": "there", "image": "web:1", "networks": {"back": {}}},
            networks=[{"name": "back"}],
            volumes=[{"name": "data"}],
        ),
    )
    await shop.up("there")
    before = await engine.observe(frozenset())

    with pytest.raises(EngineError, match=says):
        await shop.do(action, service, name=name)

    assert await engine.observe(frozenset()) == before


async def test_a_cancelled_step_has_not_happened(tmp_path: Path) -> None:
    engine = SimulatedEngine(tmp_path, pace=Pace(pull=5, start=5, stop=5))
    shop = Driver(engine, target())

    pull = asyncio.create_task(shop.do(Action.FETCH, name="docker.io/library/web:1"))
    await asyncio.sleep(0.02)
    pull.cancel()
    await asyncio.gather(pull, return_exceptions=True)

    assert shop.progress
    assert (await engine.observe(frozenset({"docker.io/library/web:1"}))).images == ()
    assert not (tmp_path / "simulated.json").exists()


async def test_only_images_that_are_named_are_seen(shop: Driver) -> None:
    await shop.up()
    await shop.do(Action.FETCH, name="docker.io/library/other:1")
    other = (await shop.engine.observe(frozenset({"docker.io/library/other:1"}))).images[-1]
    pin = f"docker.io/library/other@{other.digest}"

    async def seen(*names: str) -> list[str]:
        return [image.ref.short for image in (await shop.engine.observe(frozenset(names))).images]

    assert await seen() == ["web:1"]
    assert await seen(pin) == ["web:1", "other:1"]


async def test_health_is_what_probes_would_find(engine: SimulatedEngine) -> None:
    probe = {"readinessProbe": {"tcpSocket": {"port": 80}}}
    shop = Driver(
        engine, target({"name": "web", "image": "web:1", **probe}, {"name": "db", "image": "web:1"})
    )

    assert (await shop.up("web")).health is Health.HEALTHY
    assert (await shop.up("db")).health is Health.NONE
    web = await shop.container("web")
    await shop.do(Action.STOP, "web", container=web.id)
    assert (await shop.container("web")).health is Health.NONE


async def test_hand_over_brings_the_new_one_before_the_old_one_goes(shop: Driver) -> None:
    old = await shop.up()
    shop.update(target({"name": "web", "image": "web:2"}, release="2"))
    await shop.do(Action.FETCH, name="docker.io/library/web:2")
    seen: list[list[str]] = []

    async def ready(id: str) -> None:
        both = (await shop.engine.observe(frozenset())).containers
        seen.append([container.id for container in both])
        assert seen[0] == [old.id, id]
        assert {container.status for container in both} == {Status.RUNNING}
        assert len({container.name for container in both}) == 2

    shop.context = replace(shop.context, await_ready=ready)
    async with told(shop.engine) as events:
        await shop.do(Action.HANDOVER, "web", container=old.id)

    new = await shop.container()
    assert len(seen) == 1
    assert new.id != old.id
    assert (new.name, new.release, new.spec.image.short) == ("shop-web-1", "2", "web:2")
    assert [(event.action, event.container) for event in events] == [
        ("create", new.id),
        ("start", new.id),
        ("die", old.id),
        ("destroy", old.id),
        ("rename", new.id),
    ]


async def test_a_hand_over_to_one_that_never_gets_ready_keeps_the_old_one(shop: Driver) -> None:
    old = await shop.up()
    shop.update(target({"name": "web", "image": "web:2"}, release="2"))
    await shop.do(Action.FETCH, name="docker.io/library/web:2")

    async def never(_: str) -> None:
        raise EngineError("the new container was not ready in 300 s")

    shop.context = replace(shop.context, await_ready=never)
    with pytest.raises(EngineError, match="not ready"):
        await shop.do(Action.HANDOVER, "web", container=old.id)

    assert await shop.container() == old


async def test_a_hand_over_cut_while_it_waits_leaves_both(shop: Driver) -> None:
    old = await shop.up()
    shop.update(target({"name": "web", "image": "web:2"}, release="2"))
    await shop.do(Action.FETCH, name="docker.io/library/web:2")
    waits = asyncio.Event()

    async def wait(_: str) -> None:
        waits.set()
        await asyncio.Event().wait()

    shop.context = replace(shop.context, await_ready=wait)
    cut = asyncio.create_task(shop.do(Action.HANDOVER, "web", container=old.id))
    await waits.wait()
    cut.cancel()
    await asyncio.gather(cut, return_exceptions=True)

    statuses = {c.id: c.status for c in (await shop.engine.observe(frozenset())).containers}
    assert statuses[old.id] is Status.RUNNING
    assert list(statuses.values()) == [Status.RUNNING] * 2


async def test_commands_inside(shop: Driver) -> None:
    container = await shop.up()

    assert await shop.engine.run(container.id, ["true"], 1.0) == (0, "")

    await shop.do(Action.STOP, "web", container=container.id)
    with pytest.raises(EngineError, match="nothing can be run in it"):
        await shop.engine.run(container.id, ["true"], 1.0)
    with pytest.raises(EngineError, match="no container nope"):
        await shop.engine.run("nope", ["true"], 1.0)
