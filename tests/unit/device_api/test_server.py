"""Sockets, ports, and how serving starts and stops."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import stat
import time
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from iotistic.api.errors import ConflictError, EdgeError
from iotistic.device_api import server
from iotistic.device_api.listeners import bind_unix
from tests.unit.device_api.conftest import Api, running
from tests.unit.device_api.memory import shop
from tests.unit.device_api.test_streams import until


async def test_the_socket_is_for_the_group_of_the_data_directory(folder: Path) -> None:
    with contextlib.suppress(PermissionError):
        os.chown(folder, -1, 4242)
    async with running(folder) as api:
        found = api.listening.socket_path.stat()

    assert stat.S_ISSOCK(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o660
    assert found.st_gid == folder.stat().st_gid
    assert not api.listening.socket_path.exists()


async def test_a_stale_socket_is_replaced(folder: Path) -> None:
    bind_unix(folder / "agent.sock").close()
    assert (folder / "agent.sock").exists()

    async with running(folder) as api:
        assert (await api.unix.get("/ping")).text == "OK"


async def test_a_socket_that_answers_is_left_alone(api: Api, folder: Path) -> None:
    with pytest.raises(ConflictError, match=r"another process answers on .*agent.sock") as caught:
        async with running(folder):
            pass

    assert "CONFIG_DIR" in caught.value.hint
    assert (await api.unix.get("/ping")).text == "OK"


async def test_a_file_in_the_place_of_the_socket_is_left_alone(folder: Path) -> None:
    (folder / "agent.sock").write_text("precious")

    with pytest.raises(ConflictError, match="is no socket"):
        async with running(folder):
            pass

    assert (folder / "agent.sock").read_text() == "precious"


async def test_stopping_leaves_the_socket_of_another_alone(folder: Path) -> None:
    async with running(folder) as api:
        api.listening.socket_path.unlink()
        other = bind_unix(api.listening.socket_path)

    assert api.listening.socket_path.exists()
    other.close()


async def test_a_path_that_is_too_long_is_told(folder: Path) -> None:
    with pytest.raises(EdgeError, match="longer than 107 bytes") as caught:
        bind_unix(folder / ("x" * 120))

    assert "CONFIG_DIR" in caught.value.hint


async def test_a_missing_directory_is_told(folder: Path) -> None:
    with pytest.raises(EdgeError, match="can't be made: No such file"):
        bind_unix(folder / "none" / "agent.sock")


@pytest.mark.parametrize("option", [False, True])
async def test_a_port_in_use_is_named_with_what_to_do(folder: Path, option: bool) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, option)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(ConflictError, match=f"port {port} on 127.0.0.1 is taken") as caught:
            async with running(folder, port=port):
                pass

    assert "DEVICE_API_PORT" in caught.value.hint
    assert list(folder.iterdir()) == [], "nothing is left of the half start"


async def test_the_port_is_free_again_at_once(folder: Path) -> None:
    async with running(folder) as api:
        port = api.listening.port
        await api.tcp.get("/ping")
    async with running(folder, port=port) as api:
        assert (await api.tcp.get("/ping")).text == "OK"


async def test_answers_do_not_wait_for_acknowledgements(api: Api) -> None:
    """Where they do, each takes 40 ms; the quickest third says so on a busy machine too."""
    took = []
    for _ in range(21):
        began = time.monotonic()
        await api.tcp.get("/ping")
        took.append(time.monotonic() - began)

    assert sorted(took)[7] < 0.03


async def test_signals_stay_with_the_agent(folder: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    async with running(folder):
        during = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]

    assert during == before


async def test_streams_end_promptly_when_the_agent_stops(folder: Path) -> None:
    ends: list[str] = []

    async def read(client: httpx.AsyncClient, path: str) -> None:
        async with client.stream("GET", path) as response:
            ends.append("open")
            await response.aread()  # raises when the end is not a proper one
            ends.append("closed")

    async with contextlib.AsyncExitStack() as clients:
        async with running(folder) as api:
            await api.control.apply([shop()])
            client = httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(uds=str(api.listening.socket_path)),
                base_url="http://agent",
            )
            await clients.enter_async_context(client)
            paths = ["/v1/events?follow=true"] * 5 + ["/v1/apps/shop/logs?follow=true"] * 5
            readers = [asyncio.create_task(read(client, path)) for path in paths]
            await until(lambda: ends.count("open") == 10)
            began = time.monotonic()
        assert time.monotonic() - began < 1.0
        await asyncio.gather(*readers)

    assert ends.count("closed") == 10
    assert api.control.open_logs == 0
    assert not api.bus._readers


async def test_a_reader_that_does_not_read_cannot_hold_the_stop_up(folder: Path) -> None:
    with capture_logs() as logs:
        async with running(folder) as api:
            _, writer = await asyncio.open_unix_connection(str(api.listening.socket_path), limit=1)
            writer.write(b"GET /v1/events?follow=true HTTP/1.1\r\nHost: agent\r\n\r\n")
            await until(lambda: api.bus._readers)
            for _ in range(200):
                api.say("Started", text="x" * 10_000)
                await asyncio.sleep(0)
            began = time.monotonic()
        writer.close()

    assert time.monotonic() - began < 2.0
    assert not api.bus._readers
    assert logs == []


async def test_requests_under_way_are_finished(folder: Path) -> None:
    entered = asyncio.Event()
    transport = httpx.AsyncHTTPTransport(uds=str(folder / "agent.sock"))
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
        async with running(folder) as api:
            apply = api.control.apply

            async def slow(*args: object, **options: object) -> object:
                entered.set()
                await asyncio.sleep(0.3)
                return await apply(*args, **options)

            api.control.apply = slow
            request = asyncio.create_task(client.put("/v1/apps/shop", json=shop()))
            await entered.wait()

        answer = await request

    assert answer.status_code == 200
    assert list(api.control.stored) == ["shop"]


async def test_requests_that_never_end_are_cut(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "STOP_SECONDS", 0.1)
    entered = asyncio.Event()
    transport = httpx.AsyncHTTPTransport(uds=str(folder / "agent.sock"))
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
        async with running(folder) as api:

            async def endless(*_: object, **__: object) -> None:
                entered.set()
                await asyncio.Event().wait()

            api.control.apply = endless
            request = asyncio.create_task(client.put("/v1/apps/shop", json=shop()))
            await entered.wait()
            began = time.monotonic()
        assert time.monotonic() - began < 1.0

        assert (await request).status_code == 500


async def test_a_connection_that_says_nothing_is_closed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEADER_SECONDS", 0.05)
    async with running(folder) as api:
        reader, writer = await asyncio.open_connection("127.0.0.1", api.listening.port)
        writer.write(b"GET /ping HT")

        assert await asyncio.wait_for(reader.read(), 2) == b""
        writer.close()
        assert (await api.tcp.get("/ping")).text == "OK"


@pytest.mark.parametrize(
    "raw",
    [b"rubbish\r\n\r\n", b"GET /ping HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 40_000],
)
async def test_what_is_no_request_gets_400(api: Api, raw: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", api.listening.port)
    writer.write(raw)

    answer = await asyncio.wait_for(reader.read(), 5)

    assert answer.startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_idle_serving_wakes_nobody(folder: Path) -> None:
    """uvicorn's own main loop would wake twenty times a second."""
    async with running(folder):
        await asyncio.sleep(0.05)
        loop = asyncio.get_running_loop()
        began = time.process_time()
        await asyncio.sleep(0.5)
        spent = time.process_time() - began
        timers = [handle for handle in loop._scheduled if not handle.cancelled()]

    assert spent < 0.01
    assert timers == []
