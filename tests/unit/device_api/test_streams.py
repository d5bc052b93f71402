"""Events and logs that go on: order, keep-alive, slow readers, and a prompt end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from iotistic.api.errors import EngineUnreachableError
from iotistic.bus import Bus
from iotistic.device_api.routes import logs
from tests.unit.device_api.conftest import KEY, Api, running
from tests.unit.device_api.memory import shop


class Reader:
    """Reads one stream of events."""

    def __init__(self, response: httpx.Response) -> None:
        self.lines = response.aiter_lines()

    async def line(self) -> str:
        return await asyncio.wait_for(anext(self.lines), 5)

    async def event(self) -> dict[str, Any]:
        """The next event; its id must be its seq."""
        number, data, blank = [await self.line() for _ in range(3)]
        event = json.loads(data.removeprefix("data: "))
        assert (number, blank) == (f"id: {event['seq']}", "")
        return event


@contextlib.asynccontextmanager
async def following(client: httpx.AsyncClient, query: str = "", **headers: str) -> AsyncIterator[Reader]:
    async with client.stream("GET", f"/v1/events?follow=true{query}", headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Reader(response)


async def until(condition: Any) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_kept_events_as_a_list(api: Api) -> None:
    for app in ("shop", "till", "shop"):
        api.say("Started", app=app)
    api.say("Pulling", app="shop", type="Progress")
    await api.control.apply([shop()])

    async def seqs(query: str) -> list[int]:
        return [item["seq"] for item in (await api.tcp.get(f"/v1/events{query}")).json()["items"]]

    assert await seqs("") == [1, 2, 3]
    assert await seqs("?after=1") == [2, 3]
    assert await seqs("?app=shop") == [1, 3]
    assert await seqs("?app=1001") == [1, 3]
    assert await seqs("?app=none") == []
    assert await seqs("?after=4") == []
    assert await seqs("?after=900") == [1, 2, 3], "seq of an earlier start of the agent"


async def test_new_events_come_at_once(api: Api) -> None:
    api.say("Before")
    async with following(api.tcp) as reader:
        api.say("Started", app="shop", service="web", seconds=0.5)
        began = time.monotonic()
        event = await reader.event()
        assert time.monotonic() - began < 0.5

    assert event == {
        "seq": 2,
        "time": "2026-01-01T00:00:00Z",
        "type": "Normal",
        "reason": "Started",
        "message": "Started",
        "app": "shop",
        "service": "web",
        "data": {"seconds": 0.5},
    }


@pytest.mark.parametrize(
    ("query", "headers", "seqs"),
    [
        ("&after=0", {}, [1, 2, 3, 4]),
        ("&after=2", {}, [3, 4]),
        ("", {"Last-Event-ID": "2"}, [3, 4]),
        ("&after=0", {"Last-Event-ID": "3"}, [4]),
        ("", {"Last-Event-ID": "not a number"}, [4]),
        ("", {"Last-Event-ID": "9" * 5000}, [4]),
        ("", {"Last-Event-ID": "77"}, [1, 2, 3, 4]),
        ("&after=0&app=shop", {}, [1, 3, 4]),
    ],
)
async def test_a_reader_that_comes_back_misses_nothing(
    api: Api, query: str, headers: dict[str, str], seqs: list[int]
) -> None:
    for app in ("shop", "till", "shop"):
        api.say("Started", app=app)

    async with following(api.unix, query, **headers) as reader:
        api.say("Stopped", app="shop")

        assert [(await reader.event())["seq"] for _ in seqs] == seqs


async def test_silence_is_filled_with_comments(folder: Path) -> None:
    async with running(folder, keep_alive_seconds=0.05) as api, following(api.unix) as reader:
        assert [await reader.line() for _ in range(4)] == [": nothing new", "", ": nothing new", ""]
        api.say("Started")
        while (line := await reader.line()) in (": nothing new", ""):
            pass

    assert line == "id: 1"


async def test_fifty_readers_get_every_event(api: Api) -> None:
    limits = httpx.Limits(max_connections=None)
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=api.listening.url, headers={"X-API-Key": KEY}, limits=limits, trust_env=False
            )
        )
        readers = [await stack.enter_async_context(following(client)) for _ in range(50)]
        for _ in range(20):
            api.say("Started")
        seen = await asyncio.gather(*(_seqs(reader, 20) for reader in readers))

    assert seen == [list(range(1, 21))] * 50
    await until(lambda: not api.bus._readers)


async def _seqs(reader: Reader, count: int) -> list[int]:
    return [(await reader.event())["seq"] for _ in range(count)]


async def test_a_slow_reader_is_told_what_it_lost(folder: Path) -> None:
    async with running(folder, bus=Bus(backlog=10)) as api:
        reader, writer = await asyncio.open_unix_connection(str(api.listening.socket_path), limit=2**20)
        writer.write(b"GET /v1/events?follow=true&app=shop HTTP/1.1\r\nHost: agent\r\n\r\n")
        await until(lambda: api.bus._readers)
        for _ in range(300):  # far more than the socket's buffers hold
            api.say("Started", app="shop", text="x" * 10_000)
            await asyncio.sleep(0)
        others = api.bus.last_seq
        api.say("Last", app="shop")

        events = []
        while not events or events[-1]["reason"] != "Last":
            line = await asyncio.wait_for(reader.readline(), 5)
            if line.startswith(b"data: "):
                events.append(json.loads(line.removeprefix(b"data: ")))
        writer.close()

    lost = [event for event in events if event["reason"] == "Lost"]
    kept = [event for event in events if event["reason"] != "Lost"]
    assert others == 300
    assert lost
    assert sum(event["data"]["lost"] for event in lost) + len(kept) == 301
    assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)


async def test_a_reader_that_goes_is_forgotten(api: Api) -> None:
    async with following(api.tcp):
        await until(lambda: api.bus._readers)

    await until(lambda: not api.bus._readers)


@pytest.fixture
async def logging(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setattr(logs, "FIRST_LINE_SECONDS", 0.1)
    await api.control.apply([shop()])
    for service, text in (("web", "one"), ("db", "two"), ("web", "drei ✓")):
        await api.control.write_line(service, text)
    return api


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("/v1/apps/shop/logs", ["one", "two", "drei ✓"]),
        ("/v1/apps/1001/logs?tail=1", ["drei ✓"]),
        ("/v1/apps/shop/logs?tail=0", []),
        ("/v1/apps/shop/services/web/logs", ["one", "drei ✓"]),
        ("/v1/services/web-1/logs?tail=1", ["drei ✓"]),
        ("/v1/services/db/logs?app=shop", ["two"]),
    ],
)
async def test_logs_are_lines_of_json(logging: Api, path: str, texts: list[str]) -> None:
    answer = await logging.tcp.get(path)

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert [line["text"] for line in lines] == texts
    assert all(line.keys() == {"service", "time", "stream", "text"} for line in lines)
    assert logging.control.open_logs == 0


async def test_logs_can_be_followed_until_the_reader_goes(logging: Api) -> None:
    async with logging.tcp.stream("GET", "/v1/apps/shop/logs?follow=true&tail=1") as response:
        lines = response.aiter_lines()
        assert json.loads(await anext(lines))["text"] == "drei ✓"
        await logging.control.write_line("db", "vier")
        assert json.loads(await anext(lines)) == {
            "service": "db",
            "time": "2026-01-01T00:00:00Z",
            "stream": "stderr",
            "text": "vier",
        }
        assert logging.control.open_logs == 1

    await until(lambda: logging.control.open_logs == 0)


async def test_following_a_silent_service_answers_soon(logging: Api) -> None:
    began = time.monotonic()
    async with logging.unix.stream("GET", "/v1/services/db/logs?follow=true&tail=0") as response:
        assert response.status_code == 200

    assert time.monotonic() - began < 1


async def test_logs_that_break_off_say_why(logging: Api) -> None:
    async with logging.tcp.stream("GET", "/v1/services/web/logs?follow=true&tail=0") as response:
        logging.control.failure = EngineUnreachableError("the engine went away", hint="start it")
        await logging.control.write_line("web", "never seen")
        lines = [json.loads(line) async for line in response.aiter_lines()]

    assert [(line["service"], line["stream"], line["text"]) for line in lines] == [
        ("web", "error", "the engine went away (start it)")
    ]


async def test_a_defect_in_the_middle_of_a_stream_is_told_in_the_log(logging: Api) -> None:
    with capture_logs() as told:
        async with logging.tcp.stream("GET", "/v1/services/web/logs?follow=true&tail=0") as response:
            logging.control.failure = RuntimeError("a defect")
            await logging.control.write_line("web", "never seen")
            with pytest.raises(httpx.RemoteProtocolError):
                await response.aread()

    assert [line["event"] for line in told] == ["api_stream_failed"]
    assert logging.control.open_logs == 0
