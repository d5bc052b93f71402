"""Inside containers: commands, usage, lines of the one before; and images."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.unit.device_api.conftest import KEY, Api
from tests.unit.device_api.described import check
from tests.unit.device_api.memory import shop
from tests.unit.device_api.test_streams import until


@pytest.mark.parametrize(
    "path", ["/v1/services/web/exec", "/v1/services/shop-web-1/exec", "/v1/apps/1001/services/web-1/exec"]
)
async def test_a_command_inside(shop_api: Api, path: str) -> None:
    body = check(await shop_api.unix.post(path, json={"command": ["echo", "a b", "ü"]}))

    assert body == {"app": "shop", "service": "web", "exitCode": 0, "output": "a b ü"}


async def test_a_command_that_fails_is_still_an_answer(shop_api: Api) -> None:
    body = check(await shop_api.unix.post("/v1/services/web/exec", json={"command": ["nope"]}))

    assert (body["exitCode"], body["output"]) == (127, "nope: not found")


async def test_a_command_that_does_not_end_is_a_timeout(shop_api: Api) -> None:
    asked = {"command": ["sleep", "9"], "timeoutSeconds": 0.5}

    body = check(await shop_api.unix.post("/v1/services/web/exec", json=asked), 504)

    assert body["detail"] == "the command in shop/web did not end within 0.5 s"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "command"),
        ({"command": []}, "command"),
        ({"command": "ls -l"}, "command"),
        ({"command": ["ls", "a\x00b"]}, "command[1]"),
        ({"command": ["ls"], "timeoutSeconds": 0}, "timeoutSeconds"),
        ({"command": ["ls"], "timeoutSeconds": 1e9}, "timeoutSeconds"),
        ({"command": ["ls"], "timeout": 5}, "timeout"),
    ],
)
async def test_bad_commands_are_refused_with_the_field(shop_api: Api, body: Any, where: str) -> None:
    answer = check(await shop_api.unix.post("/v1/services/web/exec", json=body), 400)

    assert [one["path"] for one in answer["problems"]] == [where]


async def test_an_ambiguous_service_gets_no_command(shop_api: Api) -> None:
    await shop_api.control.apply([shop("web", name="till")])

    check(await shop_api.unix.post("/v1/services/web/exec", json={"command": ["echo"]}), 409)
    check(await shop_api.unix.post("/v1/services/web/exec?app=till", json={"command": ["echo"]}))


async def test_usage_of_all_and_of_one_app(shop_api: Api) -> None:
    await shop_api.control.apply([shop("ui", name="till")])

    everything = check(await shop_api.unix.get("/v1/usage"))["items"]
    of_till = check(await shop_api.unix.get("/v1/usage?app=1002"))["items"]

    assert [one["service"] for one in everything] == ["web", "db", "ui"]
    assert of_till == [
        {"app": "till", "service": "ui", "cpuPercent": 1.5, "memoryBytes": 1048576, "memoryLimitBytes": 0}
    ]
    check(await shop_api.unix.get("/v1/usage?app=none"), 404)


@pytest.mark.parametrize("path", ["/v1/services/web/logs", "/v1/apps/shop/services/web-1/logs"])
async def test_lines_of_the_container_before(shop_api: Api, path: str) -> None:
    async def lines(query: str) -> list[dict[str, str]]:
        answer = await shop_api.unix.get(f"{path}?previous=true{query}")
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        return [json.loads(line) for line in answer.text.splitlines()]

    assert await lines("") == [
        {"service": "web", "time": "2026-01-01T00:00:00Z", "stream": "stderr", "text": text}
        for text in ("dying", "dead")
    ]
    assert [line["text"] for line in await lines("&tail=1")] == ["dead"]
    assert await lines("&tail=0") == []


async def test_lines_of_before_that_are_not_kept_are_404(shop_api: Api) -> None:
    check(await shop_api.unix.get("/v1/services/db/logs?previous=true"), 404)


async def test_what_is_gone_cannot_be_followed(shop_api: Api) -> None:
    check(await shop_api.unix.get("/v1/services/web/logs?previous=true&follow=true"), 400)


async def test_images_are_listed_and_what_nothing_needs_goes(api: Api) -> None:
    items = check(await api.unix.get("/v1/images"))["items"]
    assert items[0] == {"ref": "web:1", "digest": "sha256:aa", "sizeBytes": 2_000_000, "users": ["shop/web"]}

    assert check(await api.unix.delete("/v1/images")) == {"removed": ["old:1"]}
    assert check(await api.unix.delete("/v1/images")) == {"removed": []}


def archive(megabytes: int, start: bytes = b"tar") -> AsyncIterator[bytes]:
    async def pieces() -> AsyncIterator[bytes]:
        yield start
        for _ in range(megabytes):
            yield bytes(2**20)
            await asyncio.sleep(0)

    return pieces()


async def test_an_archive_of_any_size_is_handed_on_in_small_pieces(api: Api) -> None:
    body = check(await api.tcp.post("/v1/images/load", content=archive(64)))

    assert body == {"loaded": ["web:2"]}
    assert api.inside.received == 64 * 2**20 + 3
    assert api.inside.biggest_piece <= 512 * 1024


async def test_an_announced_archive_may_be_large_too(api: Api) -> None:
    check(await api.unix.post("/v1/images/load", content=b"tar" + bytes(11 * 2**20)))

    assert api.inside.received == 11 * 2**20 + 3


@pytest.mark.parametrize("content", [b"", b"no archive"])
async def test_what_is_no_archive_is_refused(api: Api, content: bytes) -> None:
    check(await api.unix.post("/v1/images/load", content=content), 422)


async def test_a_full_disk_is_told_while_the_archive_still_comes(api: Api) -> None:
    api.inside.room = 2**20

    body = check(await api.tcp.post("/v1/images/load", content=archive(20)), 507)

    assert (body["reason"], body["hint"]) == ("NoSpace", "iotctl images prune")
    assert (await api.tcp.get("/ping")).status_code == 200


async def test_without_the_key_nothing_of_an_archive_is_read(api: Api) -> None:
    answer = await api.tcp.post("/v1/images/load", content=archive(3), headers={"X-API-Key": "wrong"})

    assert (answer.status_code, api.inside.received) == (401, 0)


async def test_an_archive_that_breaks_off_is_noticed(api: Api) -> None:
    ended: list[str] = []
    load = api.inside.load_images

    async def noted(pieces: AsyncIterator[bytes]) -> list[str]:
        try:
            return await load(pieces)
        except Exception as error:
            ended.append(f"{type(error).__name__}: {error}")
            raise

    api.inside.load_images = noted
    _, writer = await asyncio.open_connection("127.0.0.1", api.listening.port)
    lines = ("POST /v1/images/load HTTP/1.1", "Host: localhost", f"X-API-Key: {KEY}", "Content-Length: 99999")
    writer.write("\r\n".join((*lines, "", "tar and some more")).encode())
    await writer.drain()
    await until(lambda: api.inside.received)
    writer.close()
    await until(lambda: ended)

    assert ended == ["InvalidResourceError: image archive: it broke off after 17 bytes; send it again"]
