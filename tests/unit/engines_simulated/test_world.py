"""The world's file: whole or not there, read back as it was written, changed by hand."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iotistic.api.errors import EngineError
from iotistic.engines.simulated import SimulatedEngine
from iotistic.engines.simulated.engine import AT_ONCE
from iotistic.engines.simulated.world import World, change, read_world
from iotistic.planning.values import Action, Status
from tests.unit.engines_simulated.conftest import Driver, target
from tests.unit.engines_simulated.test_steps import told, words


def rich() -> dict[str, Any]:
    """A spec with much in it."""
    return {
        "services": [
            {
                "name": "web",
                "image": "web:1",
                "env": [{"name": "A", "value": "1"}, {"name": "B"}],
                "ports": [{"containerPort": 80, "hostPort": 8080}, {"containerPort": 53, "protocol": "UDP"}],
                "volumeMounts": [
                    {"name": "data", "mountPath": "/data/"},
                    {"name": "host", "mountPath": "/h"},
                ],
                "resources": {"limits": {"cpu": "500m", "memory": "64Mi"}},
                "networks": {"back": {"aliases": ["w"]}},
                "stopGracePeriod": "1m30s",
                "readinessProbe": {"exec": {"command": ["true"]}},
                "restartPolicy": "OnFailure",
            }
        ],
        "networks": [{"name": "back", "internal": True, "ipam": {"config": [{"subnet": "10.5.0.0/24"}]}}],
        "volumes": [
            {"name": "data", "driverOpts": {"type": "nfs"}},
            {"name": "host", "hostPath": {"path": "/"}},
        ],
    }


async def test_it_survives_the_engine(tmp_path: Path) -> None:
    spec = rich()
    shop = Driver(SimulatedEngine(tmp_path, pace=AT_ONCE), target(*spec.pop("services"), **spec))
    await shop.up()
    before = await shop.engine.observe(frozenset())

    again = await SimulatedEngine(tmp_path, pace=AT_ONCE).observe(frozenset())

    assert again == before
    wanted = shop.target.service("web")
    assert wanted is not None
    assert again.containers[0].spec == wanted.spec
    assert {network.name: network.config for network in again.networks} == {
        name: config for name, config in shop.target.networks.items() if name == "back"
    }
    assert {volume.name: volume.config for volume in again.volumes} == shop.target.volumes


async def test_a_newer_agents_defaults_change_nothing_in_the_file(shop: Driver, tmp_path: Path) -> None:
    """The record is kept as it was written, not its normal form."""
    await shop.up()

    kept = json.loads((tmp_path / "simulated.json").read_text())["containers"][0]["record"]

    wanted = shop.target.service("web")
    assert wanted is not None
    assert kept == wanted.record == {"name": "web", "image": "web:1"}


async def test_observing_writes_nothing(shop: Driver, tmp_path: Path) -> None:
    await shop.up()
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}

    for _ in range(5):
        await shop.engine.observe(frozenset(), full=True)

    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


async def test_what_is_changed_by_hand_is_seen_and_told(shop: Driver, tmp_path: Path) -> None:
    container = await shop.up()

    def stop(world: World) -> World:
        stopped = tuple(
            replace(found, status=Status.EXITED, exit_code=137) for found in world.observed.containers
        )
        return replace(world, observed=replace(world.observed, containers=stopped))

    async with told(shop.engine) as events:
        change(tmp_path / "simulated.json", stop)
        assert (await shop.container()).status is Status.EXITED

    assert [(event.action, event.exit_code) for event in events] == [("die", 137)]

    def remove(world: World) -> World:
        return replace(world, observed=replace(world.observed, containers=()), records={})

    async with told(shop.engine) as events:
        change(tmp_path / "simulated.json", remove)
        assert (await shop.engine.observe(frozenset(), full=True)).containers == ()

    assert [(event.action, event.container) for event in events] == [("destroy", container.id)]


async def test_a_step_works_on_the_world_as_it_is_in_the_file(shop: Driver, tmp_path: Path) -> None:
    await shop.up()
    change(
        tmp_path / "simulated.json",
        lambda world: replace(world, observed=replace(world.observed, networks=())),
    )

    await shop.do(Action.CREATE_NETWORK, name="default")

    assert [network.name for network in read_world(tmp_path / "simulated.json").observed.networks] == [
        "default"
    ]


async def test_a_foreign_container_may_stand_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "simulated.json").write_text(
        json.dumps(
            {"version": 1, "containers": [{"id": "x", "name": "grafana", "record": {"image": "grafana"}}]}
        )
    )

    seen = await SimulatedEngine(tmp_path, pace=AT_ONCE).observe(frozenset())

    assert (seen.containers[0].app, seen.containers[0].spec.image.short) == ("", "grafana:latest")


async def test_the_whole_file_lost_is_an_empty_world(shop: Driver, tmp_path: Path) -> None:
    await shop.up()
    (tmp_path / "simulated.json").unlink()

    async with told(shop.engine) as events:
        seen = await shop.engine.observe(frozenset())

    assert (seen.containers, seen.networks) == ((), ())
    assert words(events) == ["container die", "container destroy", "network destroy", "image delete"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "JSON"),
        ("{", "JSON"),
        ("[]", "object"),
        ("{}", "version"),
        ('{"version": 2}', "version"),
        ('{"version": 1, "contaners": []}', "contaners"),
        ('{"version": 1, "containers": [{"id": "a"}]}', "containers.0.record"),
        ('{"version": 1, "containers": [{"id": "a", "record": {}}]}', "image"),
        ('{"version": 1, "containers": [{"id": "a", "record": {"image": "A B"}}]}', "A B"),
        ('{"version": 1, "containers": [{"id": "a", "record": {"image": "a", "env": 7}}]}', "int"),
        (
            '{"version": 1, "containers": [{"id": "a", "status": "dancing", "record": {"image": "a"}}]}',
            "status",
        ),
        ('{"version": 1, "images": [{"ref": "A"}]}', "lower case"),
        (
            '{"version": 1, "containers": [{"id": "a", "record": {"image": "a"}}, '
            '{"id": "a", "record": {"image": "b"}}]}',
            "two containers with id a",
        ),
    ],
)
async def test_a_damaged_file_is_told_and_left_as_it_is(
    shop: Driver, tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "simulated.json"
    path.write_text(text)

    for call in (
        lambda: shop.engine.observe(frozenset()),
        lambda: shop.do(Action.CREATE_NETWORK, name="default"),
    ):
        with pytest.raises(EngineError) as caught:
            await call()
        assert str(path) in caught.value.message
        assert says in caught.value.message
        assert "empty world" in caught.value.hint

    assert path.read_text() == text


async def test_a_directory_that_can_t_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    shop = Driver(SimulatedEngine(tmp_path / "file", pace=AT_ONCE), target())

    with pytest.raises(EngineError, match="Not a directory") as caught:
        await shop.do(Action.CREATE_NETWORK, name="default")

    assert caught.value.hint


WRITER = """
import asyncio, sys
from pathlib import Path
from iotistic.engines.simulated import SimulatedEngine
from iotistic.engines.simulated.engine import AT_ONCE
from iotistic.planning.values import Action
from tests.unit.engines_simulated.conftest import Driver, target

async def main():
    shop = Driver(SimulatedEngine(Path(sys.argv[1]), pace=AT_ONCE), target())
    container = await shop.up()
    print("up", flush=True)
    while True:
        await shop.do(Action.STOP, "web", container=container.id)
        await shop.do(Action.START, "web", container=container.id)

asyncio.run(main())
"""


def test_an_agent_killed_at_any_moment_leaves_a_whole_world(tmp_path: Path) -> None:
    for turn, seconds in enumerate((0.01, 0.03, 0.05)):
        directory = tmp_path / str(turn)
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(directory)],
            cwd=Path(__file__).parents[3],
            stdout=subprocess.PIPE,
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(seconds)
        writer.kill()
        writer.communicate()

        world = read_world(directory / "simulated.json")

        assert [container.service for container in world.observed.containers] == ["web"]
