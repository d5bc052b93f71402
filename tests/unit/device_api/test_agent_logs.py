"""The agent's own lines, whole or followed, as lines of JSON or as events."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iotistic.device_api.routes import agent_logs
from iotistic.device_api.routes.agent_logs import new_lines
from tests.unit.device_api.conftest import Api, running
from tests.unit.device_api.described import check


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("", ["agent_started version=1.2.3", "step_done step=start"]),
        ("?n=1", ["step_done step=start"]),
        ("?tail=1", ["step_done step=start"]),
        ("?n=0", []),
        ("?n=50", ["agent_started version=1.2.3", "step_done step=start"]),
    ],
)
async def test_kept_lines(api: Api, query: str, texts: list[str]) -> None:
    answer = await api.tcp.get(f"/v1/logs{query}")

    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert [json.loads(line) for line in answer.text.splitlines()] == [{"text": text} for text in texts]


@pytest.mark.parametrize("query", ["n=-1", "n=1e9", "n=99999999999999999999", "tail=x"])
async def test_bad_counts_are_refused(api: Api, query: str) -> None:
    check(await api.unix.get(f"/v1/logs?{query}"), 400)


@pytest.mark.parametrize(
    ("headers", "first", "then"),
    [
        ({}, '{"text": "step_done step=start"}', '{"text": "new ✓"}'),
        (
            {"Accept": "text/event-stream"},
            'data: {"text": "step_done step=start"}',
            'data: {"text": "new ✓"}',
        ),
    ],
)
async def test_new_lines_come_to_who_follows(
    folder: Path, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], first: str, then: str
) -> None:
    monkeypatch.setattr(agent_logs, "LOOK_SECONDS", 0.02)
    async with (
        running(folder) as api,
        api.unix.stream("GET", "/v1/logs?follow=true&n=1", headers=headers) as answer,
    ):
        lines = (line async for line in answer.aiter_lines() if line)
        assert await anext(lines) == first
        api.device.lines = [*api.device.lines, "new ✓"]
        assert await asyncio.wait_for(anext(lines), 5) == then


async def test_followers_end_when_the_agent_stops(folder: Path) -> None:
    async with running(folder) as api:
        client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(api.listening.socket_path)), base_url="http://agent"
        )
        request = client.build_request("GET", "/v1/logs?follow=true")
        answer = await client.send(request, stream=True)
    assert len((await answer.aread()).splitlines()) == 2
    await client.aclose()


@pytest.mark.parametrize(
    ("before", "now", "new"),
    [
        ([], [], []),
        ([], ["a"], ["a"]),
        (["a"], ["a"], []),
        (["a", "b"], ["a", "b", "c"], ["c"]),
        (["a", "b", "c"], ["b", "c", "d"], ["d"]),
        (["a", "b"], ["x", "y"], ["x", "y"]),
        (["a", "b"], [], []),
        (["a", "a", "a"], ["a", "a", "b"], ["b"]),
    ],
)
def test_what_is_new_between_two_looks(before: list[str], now: list[str], new: list[str]) -> None:
    assert list(new_lines(before, now)) == new


@given(st.integers(1, 8), st.integers(0, 12), st.integers(0, 12))
def test_no_line_is_lost_or_told_twice(kept: int, first: int, more: int) -> None:
    """Lines differ, as they begin with the time; the log keeps the last few."""
    log: deque[str] = deque(map(str, range(first)), maxlen=kept)
    before = list(log)
    log.extend(map(str, range(first, first + more)))

    assert (
        list(new_lines(before, list(log))) == [str(number) for number in range(first, first + more)][-kept:]
    )
