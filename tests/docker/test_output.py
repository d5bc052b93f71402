"""What containers write, and what commands in them answer."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import Any

import pytest

from iotistic.api.errors import EngineError
from iotistic.engines.base import LogLine
from iotistic.planning.values import Action
from tests.docker.rig import Rig, until

APP = "output"
# The engine copies each stream by itself: what is written to both at once may be kept in the other order.
TALKS = "for n in 1 2 3; do echo out $n; sleep 0.05; echo err $n >&2; sleep 0.05; done"


async def read(rig: Rig, id: str, *, follow: bool = False, tail: int | None = None) -> list[LogLine]:
    return [line async for line in rig.engine.logs(id, follow=follow, tail=tail)]


async def job(rig: Rig, script: str, **fields: Any) -> str:
    """A container that has run a script; its id."""
    rig.app(APP, {"name": "job", "restartPolicy": "Never", "command": ["/bin/sh", "-c", script]} | fields)
    [job] = await rig.up()
    await until(lambda: not rig.inspect(job)["State"]["Running"])
    return job.id


async def test_both_streams_in_their_order_with_times(rig: Rig) -> None:
    id = await job(rig, TALKS)

    lines = await read(rig, id)

    assert [(one.stream, one.text) for one in lines if one.stream == "stdout"] == [
        ("stdout", f"out {n}") for n in (1, 2, 3)
    ]
    assert [one.text for one in lines if one.stream == "stderr"] == ["err 1", "err 2", "err 3"]
    times = [one.time for one in lines]
    assert times == sorted(times)
    assert all(one.endswith("Z") and "T" in one for one in times)
    assert [one.text for one in await read(rig, id, tail=2)] == [one.text for one in lines[-2:]]
    assert await read(rig, id, tail=0) == []


async def test_no_line_is_lost_of_streams_that_are_written_at_once(rig: Rig) -> None:
    script = "n=0; while [ $n -lt 1500 ]; do echo out $n; echo err $n >&2; n=$((n+1)); done"
    id = await job(rig, script)

    lines = await read(rig, id)

    for stream, word in (("stdout", "out"), ("stderr", "err")):
        assert [one.text for one in lines if one.stream == stream] == [f"{word} {n}" for n in range(1500)]


async def test_long_lines_and_bytes_that_are_no_text(rig: Rig) -> None:
    id = await job(rig, "head -c 40000 /dev/zero | tr '\\0' x; echo; printf 'a\\377b\\n'; printf 'no end'")

    lines = await read(rig, id)

    assert [one.text for one in lines] == ["x" * 40000, "a\ufffdb", "no end"]


async def test_a_terminals_one_stream(rig: Rig) -> None:
    id = rig.foreign("output-tty", Tty=True, Cmd=["/bin/sh", "-c", "echo one; echo two; sleep 100"])
    async with asyncio.timeout(10):
        while [one.text for one in await read(rig, id)] != ["one", "two"]:
            await asyncio.sleep(0.05)

    assert [one.text for one in await read(rig, id, tail=1)] == ["two"]


async def test_a_follower_sees_a_restart_and_ends_with_the_container(rig: Rig) -> None:
    rig.app(APP, {"name": "web", "command": ["/bin/sh", "-c", "echo began; sleep 1000"]})
    [web] = await rig.up()
    seen: list[str] = []

    async def follow() -> None:
        async for line in rig.engine.logs(web.id, follow=True, tail=None):
            seen.append(line.text)

    following = asyncio.create_task(follow())
    await until(lambda: seen == ["began"])
    await rig.do(Action.RESTART, "web", container=web.id)
    await until(lambda: seen == ["began", "began"])
    await rig.do(Action.KILL, "web", container=web.id)

    await asyncio.wait_for(following, 5)
    assert seen == ["began", "began"]


async def test_a_slow_reader_loses_nothing_and_a_leaving_one_lets_go(rig: Rig) -> None:
    rig.app(APP, {"name": "web", "command": ["/bin/sh", "-c", "seq 1 3000; sleep 1000"]})
    [web] = await rig.up()
    seen = []

    async with aclosing(rig.engine.logs(web.id, follow=True, tail=None)) as lines:  # type: ignore[type-var]
        async for line in lines:
            seen.append(line.text)
            if len(seen) % 1000 == 0:
                await asyncio.sleep(0.05)
            if len(seen) == 3000:
                break

    assert seen == [str(n) for n in range(1, 3001)]


async def test_logs_of_what_is_not_there(rig: Rig) -> None:
    with pytest.raises(EngineError, match="No such container"):
        await read(rig, "0" * 64)


async def test_logs_that_nobody_keeps(rig: Rig) -> None:
    id = await job(rig, "echo lost", logging={"driver": "none"})

    with pytest.raises(EngineError, match="does not support reading"):
        await read(rig, id)


async def test_a_command_inside_answers_with_its_code_and_output(rig: Rig) -> None:
    rig.app(APP, {"name": "web"})
    [web] = await rig.up()

    assert await rig.engine.run(web.id, ["true"], 5) == (0, "")
    code, output = await rig.engine.run(web.id, ["/bin/sh", "-c", "echo a; echo b >&2; exit 3"], 5)
    assert (code, sorted(output)) == (3, sorted("a\nb\n"))
    code, output = await rig.engine.run(web.id, ["/bin/sh", "-c", "seq 1 100000"], 5)
    assert (code, len(output)) == (0, 4096)
    code, output = await rig.engine.run(web.id, ["/no/such"], 5)
    assert code in {126, 127}


async def test_a_command_that_takes_too_long_is_given_up_and_not_piled_up(rig: Rig) -> None:
    rig.app(APP, {"name": "web"})
    [web] = await rig.up()

    for _ in range(3):
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await rig.engine.run(web.id, ["sleep", "5.5"], 0.5)
        assert time.monotonic() - began < 3
    assert rig.exec(web, "/bin/sh", "-c", "ps | grep -c '[s]leep 5.5'") == "1"

    assert await rig.engine.run(web.id, ["true"], 5) == (0, ""), "others are asked"
    await asyncio.sleep(5)
    assert await rig.engine.run(web.id, ["sleep", "0"], 5) == (0, "")


async def test_hanging_commands_hold_up_no_step(rig: Rig) -> None:
    rig.app(APP, {"name": "web"}, {"name": "db"})
    web, db = await rig.up()
    hanging = [asyncio.create_task(rig.engine.run(web.id, ["sleep", f"3{n}"], 30)) for n in range(12)]
    await asyncio.sleep(0.2)

    began = time.monotonic()
    await rig.do(Action.KILL, "db", container=db.id)
    await rig.observe(full=True)

    assert time.monotonic() - began < 5
    for one in hanging:
        one.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


@pytest.mark.parametrize("state", ["stopped", "gone"])
async def test_nothing_can_be_run_in_one_that_does_not_run(rig: Rig, state: str) -> None:
    rig.app(APP, {"name": "web"})
    [web] = await rig.up()
    await rig.do(Action.STOP if state == "stopped" else Action.KILL, "web", container=web.id)

    with pytest.raises(EngineError, match=r"is not running|is gone"):
        await rig.engine.run(web.id, ["true"], 5)
