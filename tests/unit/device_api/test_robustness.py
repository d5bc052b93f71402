"""What hostile, broken and many clients do: the right ones are served, and nothing is the agent's fault."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from iotistic.device_api import frame, server
from tests.unit.device_api.conftest import KEY, Api, running
from tests.unit.device_api.described import check
from tests.unit.device_api.test_streams import until

HALF_A_HEAD = b"GET /v1/apps HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


async def raw(api: Api, data: bytes, *, seconds: float = 5) -> bytes:
    """What the server says to these bytes until it closes, or until it waits for more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.listening.port)
    answer = b""
    try:
        writer.write(data)
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(seconds):
                while piece := await reader.read(65536):
                    answer += piece
    finally:
        writer.close()
    return answer


class TestSlowClients:
    """Connections that hold a place and say little."""

    async def test_more_half_requests_than_places_keep_nobody_out(self, api: Api) -> None:
        connections = []
        for _ in range(server.MOST_CONNECTIONS + 50):
            reader, writer = await asyncio.open_connection("127.0.0.1", api.listening.port)
            writer.write(HALF_A_HEAD)
            connections.append((reader, writer))
        began = time.monotonic()
        answers = [await api.tcp.get("/v1/apps") for _ in range(5)]
        took = time.monotonic() - began
        closed = [
            number for number, (reader, _) in enumerate(connections) if reader.at_eof() or reader.exception()
        ]
        for _, writer in connections:
            writer.close()

        assert [answer.status_code for answer in answers] == [200] * 5
        assert took < 2
        assert closed == list(range(51)), "those that waited longest made room"

    async def test_requests_under_way_are_not_what_makes_room(
        self, shop_api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server, "MOST_CONNECTIONS", 3)
        async with shop_api.tcp.stream("GET", "/v1/events?follow=true") as stream:
            lines = stream.aiter_lines()
            for _ in range(10):
                _, writer = await asyncio.open_connection("127.0.0.1", shop_api.listening.port)
                writer.write(HALF_A_HEAD)
            shop_api.say("Started")
            assert await asyncio.wait_for(anext(lines), 5) == "id: 1"

    async def test_a_head_that_trickles_in_is_given_up(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server, "HEADER_SECONDS", 0.2)
        async with running(folder) as api:
            reader, writer = await asyncio.open_connection("127.0.0.1", api.listening.port)
            writer.write(HALF_A_HEAD)
            closed = asyncio.create_task(reader.read())
            began = time.monotonic()
            while not closed.done() and time.monotonic() - began < 5:
                with contextlib.suppress(ConnectionError):
                    writer.write(b"x")
                    await writer.drain()
                await asyncio.sleep(0.02)

        assert time.monotonic() - began < 2
        writer.close()

    async def test_half_a_second_request_is_given_up_too(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """uvicorn's own timer for idle connections ends with the first byte of the next request."""
        monkeypatch.setattr(server, "IDLE_SECONDS", 0.2)
        async with running(folder) as api:
            began = time.monotonic()
            answer = await raw(api, b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n" + HALF_A_HEAD)

        assert answer.startswith(b"HTTP/1.1 200 ")
        assert time.monotonic() - began < 2

    async def test_a_body_that_goes_on_after_its_answer_is_cut(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server, "IDLE_SECONDS", 0.2)
        async with running(folder) as api:
            began = time.monotonic()
            head = "POST /v1/apply HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n"
            answer = await raw(api, head.encode() + b"x")

        assert answer.startswith(b"HTTP/1.1 401 "), "answered before the body was there"
        assert time.monotonic() - began < 2

    async def test_waiting_leaves_no_timers_behind(self, folder: Path) -> None:
        async with running(folder) as api:
            for _ in range(3):
                async with httpx.AsyncClient(base_url=api.listening.url, trust_env=False) as client:
                    await client.get("/ping")
            await api.tcp.aclose()
            await asyncio.sleep(0.05)
            timers = [
                handle
                for handle in asyncio.get_running_loop()._scheduled
                if not handle.cancelled() and "_Protocol" in repr(handle)
            ]

        assert timers == []


class TestManyStreams:
    """Event streams that stay open."""

    async def test_two_hundred_at_once_all_hear_the_same(self, api: Api) -> None:
        limits = httpx.Limits(max_connections=None)
        headers = {"X-API-Key": KEY}
        async with contextlib.AsyncExitStack() as stack:
            client = await stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=api.listening.url, headers=headers, limits=limits, timeout=30, trust_env=False
                )
            )
            streams = [
                await stack.enter_async_context(client.stream("GET", "/v1/events?follow=true"))
                for _ in range(200)
            ]
            assert {stream.status_code for stream in streams} == {200}
            assert (await api.tcp.get("/v1/apps")).status_code == 200
            api.say("Started", app="shop")
            first = await asyncio.gather(*(_first_event(stream) for stream in streams))

        assert [event["reason"] for event in first] == ["Started"] * 200
        await until(lambda: not api.bus._readers)

    async def test_one_too_many_is_told_and_health_still_answers(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(frame, "MOST_REQUESTS", 3)
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(api.tcp.stream("GET", "/v1/events?follow=true"))
            refused = await api.tcp.get("/v1/apps")
            health = await api.tcp.get("/v1/healthy")
            unix = await api.unix.get("/v1/apps")
        await until(lambda: not api.bus._readers)

        assert check(refused, 503)["reason"] == "Busy"
        assert refused.headers["retry-after"] == "2"
        assert (health.status_code, unix.status_code) == (200, 200)
        assert (await api.tcp.get("/v1/apps")).status_code == 200


async def _first_event(stream: httpx.Response) -> Any:
    async for line in stream.aiter_lines():
        if line.startswith("data: "):
            return json.loads(line.removeprefix("data: "))
    return None


LONG = "x" * 20_000
BODIES = [
    b"{",
    b"nul",
    b'"\xff\xfe"',
    b"\xef\xbb\xbf{}",
    b'{"documents": [{"kind": "\\ud800"}]}',
    b'{"documents": [{"metadata": {"name": "\\udfff\\ud800"}}]}',
    b'{"\\ud83d": 1}',
    b'{"documents": [NaN]}',
    b'{"logLevel": NaN, "appId": NaN}',
    b'{"logLevel": 1e999, "resyncSeconds": -Infinity}',
    b'{"appId": ' + b"9" * 5000 + b"}",
    b'{"appId": 1e400}',
    b'{"timeoutSeconds": 1e308, "command": ["a"]}',
    b"[" * 100_000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'{"documents": ' + b"[" * 500 + b"]" * 500 + b"}",
    b'{"documents": [], "documents": 1}',
    b'{"__proto__": {}, "constructor": 1, "": 2}',
    b'{"release": "' + LONG.encode() + b'", "service": "' + LONG.encode() + b'"}',
    b'{"command": ["\\u0000"], "reason": "\\u0000", "owner": "\\u202e"}',
    "{'documents': []}".encode("utf-16"),
    json.dumps({"documents": [{}] * 10_000}).encode(),
]
TARGETS = [
    ("POST", "/v1/apply"),
    ("POST", "/v1/plan"),
    ("PUT", "/v1/apps/shop"),
    ("POST", "/v1/config"),
    ("POST", "/v1/restart"),
    ("POST", "/v1/purge"),
    ("POST", "/v1/apps/shop/rollback"),
    ("POST", "/v1/apps/shop/retry"),
    ("POST", "/v1/apps/shop/lock"),
    ("POST", "/v1/services/web/exec"),
    ("POST", "/v1/apps/shop/stop"),
    ("POST", "/v1/images/load"),
    ("DELETE", "/v1/apps/shop/lock"),
]
PATHS = [
    "/v1/apps/%00",
    "/v1/apps/%ff%fe",
    "/v1/apps/%ed%a0%80",
    "/v1/apps/..%2f..%2fetc%2fpasswd",
    "/v1/apps/../../etc/passwd",
    "/v1/apps/" + LONG,
    "/v1/apps/" + "9" * 10_000,
    "/v1/apps/-1/history",
    "/v1/apps/%F0%9F%92%A9/explain",
    "/v1/services/" + LONG + "/logs",
    "/v1/services/%2e%2e/exec",
    "/v1/services/web/logs?tail=" + "9" * 5000,
    "/v1/services/web/logs?previous=%00",
    "/v1/services?app=" + LONG,
    "/v1/events?after=" + "9" * 4400,
    "/v1/events?app=%ed%a0%80",
    "/v1/usage?app=%00",
    "/v1/logs?n=%ff",
    "/v1/secrets/" + LONG,
    "/v1/apps?" + "a=b&" * 5000,
    "/v1/apps?%00=%00",
    "/docs/" + LONG,
    "/dashboard/%00",
    "/" * 5000,
    "/v1/apps;x=y/..;/shop",
    "*",
    "/?",
    "http://evil.example/v1/apps",
]


@pytest.mark.parametrize(("method", "path"), TARGETS)
async def test_no_body_is_the_agents_fault(shop_api: Api, method: str, path: str) -> None:
    headers = {"Content-Type": "application/json"}
    with capture_logs() as logs:
        for body in BODIES:
            answer = await shop_api.unix.request(method, path, content=body, headers=headers)
            assert answer.status_code < 500, (body[:60], answer.text)
            if answer.status_code >= 400:
                check(answer, answer.status_code)

    assert [line for line in logs if line["event"].startswith("api_")] == []


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_no_path_is_the_agents_fault(shop_api: Api, method: str) -> None:
    with capture_logs() as logs:
        for path in PATHS:
            head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {KEY}\r\nConnection: close\r\n"
            answer = await raw(shop_api, f"{head}Content-Length: 0\r\n\r\n".encode())
            assert answer[:9] == b"HTTP/1.1 ", path[:60]
            assert answer[9:10] in b"24", (path[:60], answer[:200])

    assert [line for line in logs if line["event"].startswith("api_")] == []


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/json; charset=utf-16", "multipart/form-data", "\xff/;=", "a" * 5000],
)
async def test_no_content_type_is_the_agents_fault(shop_api: Api, content_type: str) -> None:
    headers = {"Content-Type": content_type.encode("latin-1")}
    for method, path in TARGETS:
        answer = await shop_api.unix.request(method, path, content=b'{"a": 1}', headers=headers)
        assert answer.status_code < 500, (path, answer.text)


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: -1",
        "Content-Length: 1e3",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: gzip, chunked",
        "Host: evil.example",
        "Expect: 100-continue",
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x",
        "X-Bad\x01: y",
        "Authorization: Bearer " + "x" * 30_000,
        "Last-Event-ID: " + "9" * 20_000,
        "Content-Length: " + "9" * 400,
    ],
)
async def test_no_head_is_the_agents_fault(api: Api, head: str) -> None:
    text = f"GET /v1/events HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {KEY}\r\n{head}\r\n\r\n"

    answer = await raw(api, text.encode("latin-1"), seconds=0.5)

    assert answer[:10] in (b"HTTP/1.1 2", b"HTTP/1.1 4"), answer[:200]
    assert (await api.tcp.get("/ping")).text == "OK"


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.binary(max_size=100) | st.binary(max_size=40).map(b"GET /v1/apps/".__add__), min_size=5, max_size=5
    )
)
async def test_any_bytes_get_an_answer_or_a_closed_door(texts: list[bytes]) -> None:
    with tempfile.TemporaryDirectory(prefix="iot") as folder:
        async with running(Path(folder)) as api:
            answers = await asyncio.gather(*(raw(api, text + b"\r\n\r\n", seconds=0.05) for text in texts))
            assert {answer[:10] for answer in answers} <= {b"", b"HTTP/1.1 4"}
            assert (await api.tcp.get("/ping")).text == "OK"
