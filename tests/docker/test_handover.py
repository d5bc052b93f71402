"""Hand-over: somebody serves at any moment, whatever happens on the way."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import subprocess
import sys
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from iotistic.api.errors import EngineError
from iotistic.planning.counting import count
from iotistic.planning.values import Action, Container, Health, Status
from tests.docker.rig import Rig, until

APP = "handover"
LOAD = Path(__file__).with_name("load.py")


def web(version: int, **fields: Any) -> dict[str, Any]:
    """A server that says its version; process 1 ends at once when it is told to."""
    script = f"mkdir -p /tmp/w; echo v{version} > /tmp/w/index.html; ROOT=/tmp/w exec /bin/serve"
    return {"name": "web", "args": ["/bin/sh", "-c", script], "stopGracePeriod": 5} | fields


def target(rig: Rig, version: int, *others: dict[str, Any], **fields: Any) -> None:
    rig.app(APP, web(version, **fields), *others, update={"strategy": "HandOver"}, release=str(version))


async def answers(rig: Rig, id: str) -> None:
    """`await_ready` by what the container answers."""

    def asked() -> bool:
        address = next(iter(rig.inspect(id)["NetworkSettings"]["Networks"].values()))["IPAddress"]
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{address}:8080", timeout=1):
            return True
        return False

    await until(asked)


async def never(id: str) -> None:
    """`await_ready` for a container that does not get there."""
    raise EngineError("the new container was not ready in 3 s")


class Cut(BaseException):
    """Power goes."""


def power_goes() -> None:
    raise Cut


def answers_and(rig: Rig, call: int, then: Callable[[], None]) -> Callable[[str], Awaitable[None]]:
    """`await_ready` by what the container answers; what happens after its `call`th time (1: the new one alone
    answers, 2: both serve under the name)."""
    calls = itertools.count(1)

    async def ready(id: str) -> None:
        await answers(rig, id)
        if next(calls) == call:
            then()

    return ready


async def under_load(rig: Rig, client: Container, *, rate: int, seconds: int) -> asyncio.subprocess.Process:
    """Ask web by its name, from the network of another service; prints what came of it."""
    pid = rig.inspect(client)["State"]["Pid"]
    return await asyncio.create_subprocess_exec(
        "nsenter", f"--net=/proc/{pid}/ns/net",
        sys.executable, str(LOAD), "web", "8080", str(rate), str(seconds),
        stdout=subprocess.PIPE,
    )  # fmt: skip


def own(containers: tuple[Container, ...]) -> list[Container]:
    return [one for one in containers if one.app == APP and one.service == "web"]


async def test_no_request_fails_while_a_service_is_handed_over(rig: Rig) -> None:
    target(rig, 1, {"name": "client"})
    rig.await_ready = lambda id: answers(rig, id)
    first, client = await rig.up()
    await answers(rig, first.id)
    load = await under_load(rig, client, rate=100, seconds=8)

    for version in (2, 3):
        old = await rig.container("web")
        target(rig, version, {"name": "client"})
        await rig.do(Action.HANDOVER, "web", container=old.id)

    said, _ = await load.communicate()
    result = json.loads(said)
    assert (result["asked"], result["failed"], result["errors"]) == (800, 0, {})
    assert result["slowest"] < 4, "a request that meets the quick disconnect is sent again after a second"
    assert set(result["served"]) >= {"v1", "v2"}
    [now] = own((await rig.observe()).containers)
    assert (now.name, now.release, now.status) == ("handover-web-1", "3", Status.RUNNING)
    assert rig.target is not None
    assert now.spec == rig.target.services[0].spec


async def test_until_it_takes_over_the_new_one_is_starting_and_has_no_name(rig: Rig) -> None:
    target(rig, 1, {"name": "client"})
    old, client = await rig.up()
    target(rig, 2, {"name": "client"})
    seen: list[tuple[str, Health, bool]] = []

    async def ready(id: str) -> None:
        new = next(one for one in (await rig.observe()).containers if one.id == id)
        resolved = rig.exec(client, "nslookup", "-type=a", "web")
        seen.append((new.name, new.health, f"Address: {new.address}\n" in resolved + "\n"))
        assert rig.target is not None
        assert new.spec == rig.target.services[0].spec, "no drift on the way"

    rig.await_ready = ready
    await rig.do(Action.HANDOVER, "web", container=old.id)

    assert seen == [
        ("handover-web-1-next", Health.STARTING, False),
        ("handover-web-1-next", Health.NONE, True),
    ]


async def test_one_that_does_not_get_ready_goes_again(rig: Rig) -> None:
    target(rig, 1)
    [old] = await rig.up()
    target(rig, 2)

    rig.await_ready = never
    with pytest.raises(EngineError, match="was not ready in 3 s"):
        await rig.do(Action.HANDOVER, "web", container=old.id)

    [left] = own((await rig.observe()).containers)
    assert (left.id, left.status, left.spec) == (old.id, Status.RUNNING, old.spec)


async def test_one_that_can_not_start_goes_again(rig: Rig) -> None:
    target(rig, 1)
    [old] = await rig.up()
    target(rig, 2, command=["/no/such/program"])

    with pytest.raises(EngineError, match="/no/such/program"):
        await rig.do(Action.HANDOVER, "web", container=old.id)

    [left] = own((await rig.observe()).containers)
    assert (left.id, left.status) == (old.id, Status.RUNNING)


async def test_nobody_to_take_over_from_is_told(rig: Rig) -> None:
    target(rig, 1)

    with pytest.raises(EngineError, match="the container to take over from is gone"):
        await rig.do(Action.HANDOVER, "web", container="0" * 64)


PORT = [{"containerPort": 8080, "hostPort": 18480}]


def said_on_the_host() -> str:
    with urllib.request.urlopen("http://127.0.0.1:18480", timeout=2) as answer:
        return str(answer.read().decode().strip())


def says(text: str) -> Callable[[], bool]:
    def asked() -> bool:
        with contextlib.suppress(OSError):
            return said_on_the_host() == text
        return False

    return asked


async def test_a_port_of_the_host_is_handed_from_one_to_the_other(rig: Rig) -> None:
    target(rig, 1, ports=PORT)
    rig.await_ready = lambda id: answers(rig, id)
    [old] = await rig.up()
    await until(says("v1"))
    target(rig, 2, ports=PORT)

    await rig.do(Action.HANDOVER, "web", container=old.id)

    assert said_on_the_host() == "v2"
    [now] = own((await rig.observe()).containers)
    assert now.name == "handover-web-1"
    assert any("nothing ran for" in progress.message for progress in rig.progress), "the gap is told"


async def test_the_old_one_has_its_port_back_when_the_new_one_fails(rig: Rig) -> None:
    target(rig, 1, ports=PORT)
    [old] = await rig.up()
    await until(says("v1"))

    target(rig, 2, ports=PORT, command=["/no/such/program"])
    with pytest.raises(EngineError, match="/no/such/program"):
        await rig.do(Action.HANDOVER, "web", container=old.id)
    await until(says("v1"))

    rig.await_ready = never
    target(rig, 3, ports=PORT)
    with pytest.raises(EngineError, match="not ready in 3 s"):
        await rig.do(Action.HANDOVER, "web", container=old.id)
    await until(says("v1"))
    [left] = own((await rig.observe()).containers)
    assert (left.id, left.status, left.name) == (old.id, Status.RUNNING, "handover-web-1")


async def test_an_agent_that_stops_leaves_the_port_with_the_new_one(rig: Rig) -> None:
    deaf = "trap '' TERM; mkdir -p /tmp/w; cd /tmp/w; echo v1 > index.html; httpd -p 8080; sleep 1000"
    target(rig, 1, ports=PORT, args=["/bin/sh", "-c", deaf], stopGracePeriod=2)
    [old] = await rig.up()
    await until(says("v1"))
    target(rig, 2, ports=PORT)

    task = asyncio.create_task(rig.do(Action.HANDOVER, "web", container=old.id))
    await until(lambda: len(rig.api.containers(all=True, filters={"name": "handover-web-1-next"})) == 1)
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await until(says("v2"))


async def test_new_ones_of_an_app_serve_before_any_old_one_stops(rig: Rig) -> None:
    rig.app(APP, web(1), web(1) | {"name": "api"})
    olds = await rig.up()
    rig.app(APP, web(2), web(2) | {"name": "api"})
    stopped_early: list[str] = []
    slow = asyncio.Event()
    calls: list[str] = []

    async def ready(id: str) -> None:
        calls.append(id)
        service = rig.inspect(id)["Config"]["Labels"]["iotistic.io/service"]
        if service == "api" and not slow.is_set():
            await asyncio.sleep(2)
            stopped_early.extend(old.id for old in olds if not rig.inspect(old)["State"]["Running"])
            slow.set()

    rig.await_ready = ready
    await asyncio.gather(*(rig.do(Action.HANDOVER, old.service, container=old.id) for old in olds))

    assert stopped_early == []
    assert len(calls) == 4
    now = [one for one in (await rig.observe()).containers if one.app]
    assert sorted(one.name for one in now) == ["handover-api-2", "handover-web-1"]
    assert not {one.id for one in now} & {old.id for old in olds}


@pytest.mark.parametrize("moment", ["created", "waiting", "joined", "retiring"])
async def test_cut_off_at_any_moment_one_serves_and_the_rest_is_planned_from(rig: Rig, moment: str) -> None:
    target(rig, 1, {"name": "client"})
    old, client = await rig.up()
    await answers(rig, old.id)
    target(rig, 2, {"name": "client"})

    async def killed(id: str) -> None:
        rig.api.kill(id)
        raise Cut

    def cancel_soon() -> None:
        asyncio.get_running_loop().call_later(0.6, task.cancel)

    rig.await_ready = {
        "created": killed,
        "waiting": answers_and(rig, 1, power_goes),
        "joined": answers_and(rig, 2, power_goes),
        "retiring": answers_and(rig, 2, cancel_soon),
    }[moment]
    task = asyncio.ensure_future(rig.do(Action.HANDOVER, "web", container=old.id))
    with pytest.raises((Cut, asyncio.CancelledError)):
        await task

    # An agent that starts again knows nothing but what the engine shows.
    fresh = rig.another()
    containers = own((await fresh.observe(rig.wanted, full=True)).containers)
    counted = count(containers, hand_over=True)
    assert counted.container is not None
    assert counted.container.status is Status.RUNNING
    assert counted.container.health is Health.NONE
    new_serves = moment in {"joined", "retiring"}
    assert (counted.container.id != old.id) is new_serves
    said = rig.exec(client, "wget", "-q", "-O", "-", "http://web:8080")
    assert said in {"v1", "v2"}, "somebody serves under its name"

    # What the rules make of it: leftovers go, then what is missing is handed over again.
    rig.engine = fresh
    rig.await_ready = lambda id: answers(rig, id)
    for leftover in counted.leftovers:
        await rig.do(Action.KILL, "web", container=leftover.id)
    if not new_serves:
        await rig.do(Action.HANDOVER, "web", container=old.id)
    [now] = own((await fresh.observe(rig.wanted, full=True)).containers)
    [now] = own((await fresh.observe(rig.wanted)).containers)
    assert rig.target is not None
    assert (now.spec, now.health) == (rig.target.services[0].spec, Health.NONE)
    assert now.name == "handover-web-1"
    assert rig.exec(client, "wget", "-q", "-O", "-", "http://web:8080") == "v2"


async def test_no_request_fails_while_one_that_was_left_behind_goes(rig: Rig) -> None:
    target(rig, 1, {"name": "client"})
    old, client = await rig.up()
    await answers(rig, old.id)
    target(rig, 2, {"name": "client"})
    rig.await_ready = answers_and(rig, 2, power_goes)
    with pytest.raises(Cut):
        await rig.do(Action.HANDOVER, "web", container=old.id)
    rig.engine = rig.another()
    load = await under_load(rig, client, rate=100, seconds=5)
    await asyncio.sleep(1)

    await rig.do(Action.KILL, "web", container=old.id)

    said, _ = await load.communicate()
    result = json.loads(said)
    assert (result["asked"], result["failed"], result["errors"]) == (500, 0, {})
    assert "v2" in result["served"]
    [now] = own((await rig.observe()).containers)
    assert now.id != old.id


async def test_one_left_alone_without_its_names_is_seen_as_changed(rig: Rig) -> None:
    target(rig, 1)
    [old] = await rig.up()
    target(rig, 2)

    async def cut(id: str) -> None:
        raise Cut

    rig.await_ready = cut
    with pytest.raises(Cut):
        await rig.do(Action.HANDOVER, "web", container=old.id)
    rig.api.remove_container(old.id, force=True)

    [alone] = own((await rig.another().observe(rig.wanted)).containers)

    assert alone.health is Health.NONE
    assert rig.target is not None
    assert alone.spec != rig.target.services[0].spec, "nobody finds it by its name"
