"""Faults on request."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from iotistic.api.errors import EngineError, EngineUnreachableError, NoSpaceError
from iotistic.engines.simulated import SimulatedEngine
from iotistic.engines.simulated.engine import AT_ONCE
from iotistic.engines.simulated.faults import Faults, read_faults
from iotistic.planning.values import Action, Health, Status
from tests.unit.engines_simulated.conftest import Driver, target
from tests.unit.engines_simulated.test_steps import told, until

WEB_1 = "docker.io/library/web:1"


def asked(text: str, tmp_path: Path) -> None:
    (tmp_path / "simulated-faults.yaml").write_text(text)


async def test_no_faults_unless_asked_for(tmp_path: Path) -> None:
    assert read_faults(tmp_path / "simulated-faults.yaml") == Faults()
    asked("# nothing\n", tmp_path)
    assert read_faults(tmp_path / "simulated-faults.yaml") == Faults()


async def test_a_slow_pull_takes_as_long_as_asked(shop: Driver, tmp_path: Path) -> None:
    asked('slowPull: [{image: "web:*", seconds: 0.3}]', tmp_path)
    loop = asyncio.get_running_loop()

    began = loop.time()
    await shop.do(Action.FETCH, name="docker.io/library/other:1")
    quick = loop.time() - began
    began = loop.time()
    await shop.do(Action.FETCH, name=WEB_1)

    assert quick < 0.2
    assert 0.3 <= loop.time() - began < 1.0


async def test_a_failing_start_fails_so_often_for_each_service(shop: Driver, tmp_path: Path) -> None:
    asked('failingStart: [{service: "shop/*", message: "no such device /dev/ttyUSB0", times: 2}]', tmp_path)

    for _ in range(2):
        with pytest.raises(EngineError, match=r"shop/web: no such device /dev/ttyUSB0"):
            await shop.up()
    assert (await shop.up()).status is Status.RUNNING


async def test_a_start_that_always_fails_until_the_fault_goes(shop: Driver, tmp_path: Path) -> None:
    shop.engine.faults = Faults.model_validate({"failingStart": [{"service": "web"}]})
    for _ in range(3):
        with pytest.raises(EngineError, match="simulated start failed"):
            await shop.up()

    shop.engine.faults = Faults()

    assert (await shop.up()).status is Status.RUNNING


async def test_an_unhealthy_service(engine: SimulatedEngine, tmp_path: Path) -> None:
    probe = {"readinessProbe": {"exec": {"command": ["check"]}}}
    shop = Driver(
        engine, target({"name": "web", "image": "web:1", **probe}, {"name": "db", "image": "web:1", **probe})
    )
    web, db = await shop.up("web"), await shop.up("db")

    asked("unhealthy: [shop/web]", tmp_path)

    assert (await shop.container("web")).health is Health.UNHEALTHY
    assert (await shop.container("db")).health is Health.HEALTHY
    assert (await engine.run(web.id, ["check"], 1.0))[0] == 1
    assert (await engine.run(db.id, ["check"], 1.0))[0] == 0
    (tmp_path / "simulated-faults.yaml").unlink()
    assert (await shop.container("web")).health is Health.HEALTHY


async def test_a_crash_loop_ends_and_is_restarted_by_its_policy(shop: Driver, tmp_path: Path) -> None:
    asked("crashLoop: [{service: web, exitCode: 137, afterSeconds: 0.05}]", tmp_path)
    async with told(shop.engine) as events:
        container = await shop.up()
        await until(lambda: sum(event.action == "die" for event in events) >= 2)

    died = [event for event in events if event.action == "die"]
    assert {(e.container, e.exit_code, e.app, e.service) for e in died} == {
        (container.id, 137, "shop", "web")
    }
    now = await shop.container()
    assert now.restarts >= 1
    assert now.exit_code == 137


async def test_a_loop_ends_with_the_fault(shop: Driver) -> None:
    shop.engine.faults = Faults.model_validate({"crashLoop": [{"service": "web", "afterSeconds": 0}]})
    await shop.up()
    await asyncio.sleep(0.1)

    shop.engine.faults = Faults()
    await asyncio.sleep(0.3)
    first = await shop.container()
    await asyncio.sleep(0.2)

    assert await shop.container() == first
    assert first.status is Status.RUNNING
    assert first.restarts >= 1


async def test_a_container_that_somebody_stopped_does_not_come_back(shop: Driver) -> None:
    shop.engine.faults = Faults.model_validate({"crashLoop": [{"service": "web", "afterSeconds": 0.1}]})
    container = await shop.up()

    await shop.do(Action.STOP, "web", container=container.id)
    stopped = await shop.container()
    await asyncio.sleep(0.3)

    assert stopped.status is Status.EXITED
    assert await shop.container() == stopped


@pytest.mark.parametrize(
    ("policy", "code", "comes_back"),
    [("Always", 0, True), ("OnFailure", 0, False), ("OnFailure", 2, True), ("Never", 2, False)],
)
async def test_restart_policies(engine: SimulatedEngine, policy: str, code: int, comes_back: bool) -> None:
    shop = Driver(engine, target({"name": "web", "image": "web:1", "restartPolicy": policy}))
    engine.faults = Faults.model_validate(
        {"crashLoop": [{"service": "web", "exitCode": code, "afterSeconds": 0}]}
    )
    await shop.up()

    await asyncio.sleep(0.25)

    container = await shop.container()
    assert container.exit_code == code
    assert (container.restarts > 0) == comes_back
    assert comes_back or container.status is Status.EXITED


async def test_a_full_disk_until_an_image_has_gone(shop: Driver, tmp_path: Path) -> None:
    await shop.do(Action.FETCH, name="docker.io/library/old:1")
    asked("noSpace: true", tmp_path)
    for _ in range(2):
        with pytest.raises(NoSpaceError, match=r"web:1: no space left"):
            await shop.do(Action.FETCH, name=WEB_1)

    await shop.do(Action.REMOVE_IMAGE, name="docker.io/library/old:1")
    await shop.do(Action.FETCH, name=WEB_1)

    seen = await shop.engine.observe(frozenset({WEB_1, "docker.io/library/old:1"}))
    assert [image.ref.full for image in seen.images] == [WEB_1]


async def test_an_unreachable_engine_answers_nothing_and_ends_the_events(
    shop: Driver, tmp_path: Path
) -> None:
    container = await shop.up()
    ended: list[BaseException] = []

    async def listen() -> None:
        try:
            async for _ in shop.engine.events():
                pass
        except EngineUnreachableError as error:
            ended.append(error)

    listener = asyncio.create_task(listen())
    await asyncio.sleep(0)
    asked("unreachable: true", tmp_path)

    for call in (
        shop.engine.info(),
        shop.engine.observe(frozenset()),
        shop.do(Action.STOP, "web", container=container.id),
        shop.engine.run(container.id, ["true"], 1.0),
    ):
        with pytest.raises(EngineUnreachableError) as caught:
            await call
        assert "unreachable" in caught.value.hint
    await listener
    assert len(ended) == 1
    with pytest.raises(EngineUnreachableError):
        await anext(aiter(shop.engine.events()))

    asked("{}", tmp_path)
    assert (await shop.container()).id == container.id


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("unhealty: [web]", "unhealty"),
        ("slowPull: [{image: x}]", "slowPull.0.seconds"),
        ("crashLoop: {service: web}", "crashLoop"),
        ("- web", "dictionary"),
        ("a: [", "while parsing"),
        ("noSpace: perhaps", "noSpace"),
    ],
)
async def test_a_wrong_file_of_faults_is_told(
    engine: SimulatedEngine, tmp_path: Path, text: str, says: str
) -> None:
    asked(text, tmp_path)

    with pytest.raises(EngineError) as caught:
        await engine.observe(frozenset())

    assert "simulated-faults.yaml" in caught.value.message
    assert says in caught.value.message
    assert "failingStart" in caught.value.hint


async def test_faults_that_were_given_win_over_the_file(tmp_path: Path) -> None:
    asked("unreachable: true", tmp_path)
    engine = SimulatedEngine(tmp_path, pace=AT_ONCE, faults=Faults())

    assert (await engine.observe(frozenset())).containers == ()


async def test_the_example_in_the_docs_is_understood(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "simulated.md").read_text()
    example = page.partition("```yaml\n")[2].partition("```")[0]
    asked(example, tmp_path)

    faults = read_faults(tmp_path / "simulated-faults.yaml")

    assert faults.model_fields_set == Faults.model_fields.keys()
    assert faults.start_failure("shop", "web", 2) == "no such device /dev/ttyUSB0"
    assert faults.start_failure("shop", "web", 3) == ""
