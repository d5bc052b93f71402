"""Who may come in over TCP: key, Host and Origin; the Unix socket asks for none of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from iotistic.api.errors import EdgeError
from iotistic.device_api.access import access_of
from iotistic.device_api.security import Guard
from tests.unit.device_api.conftest import KEY, Api, running
from tests.unit.device_api.memory import shop


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({"X-API-Key": KEY}, "", 200),
        ({"x-api-key": KEY}, "", 200),
        ({"Authorization": f"Bearer {KEY}"}, "", 200),
        ({"Authorization": f"bearer  {KEY}"}, "", 200),
        ({}, f"?apiKey={KEY}", 200),
        ({"X-API-Key": "wrong"}, f"?apiKey={KEY}", 200),
        ({}, "", 401),
        ({"X-API-Key": ""}, "", 401),
        ({"X-API-Key": KEY[:-1]}, "", 401),
        ({"X-API-Key": KEY + "x"}, "", 401),
        ({"X-API-Key": "schlüssel".encode("latin-1")}, "", 401),
        ({"Authorization": KEY}, "", 401),
        ({"Authorization": f"Basic {KEY}"}, "", 401),
        ({"Authorization": "Bearer"}, "", 401),
        ({}, "?apiKey=wrong", 401),
        ({}, f"?apikey={KEY}", 401),
        ({"X-Forwarded-For": "127.0.0.1"}, "", 401),
        ({"Cookie": f"apiKey={KEY}"}, "", 401),
        ({}, f"?apiKey={KEY}&apiKey=wrong", 401),
        ({}, "?apiKey=%ff%fe", 401),
    ],
)
async def test_the_key(api: Api, headers: dict[str, str], query: str, status: int) -> None:
    async with httpx.AsyncClient(base_url=api.listening.url, trust_env=False) as client:
        answer = await client.get(f"/v1/apps{query}", headers=headers)

    assert answer.status_code == status, answer.text
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["error"] == "Unauthorized"
        assert KEY not in answer.text


@pytest.mark.parametrize("path", ["/ping", "/v1/healthy"])
async def test_health_needs_no_key(api: Api, path: str) -> None:
    async with httpx.AsyncClient(base_url=api.listening.url, trust_env=False) as client:
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/openapi.json", "/v1/none", "/ping/", "//ping", "//docs", "/dashboard", "/v1/apps%2f..%2f..%2fping"],
)
async def test_other_paths_need_it(api: Api, path: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(api.listening.url + path)

    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/docs/../v1/apps", "/docs/%2e%2e/v1/apps", "/dashboard/../v1/apps"])
async def test_no_way_leads_through_the_pages(api: Api, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", api.listening.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())

    assert (await reader.read()).startswith(b"HTTP/1.1 404 ")
    writer.close()


async def test_every_route_of_the_description_needs_it(api: Api) -> None:
    document = (await api.unix.get("/openapi.json")).json()
    routes = [
        (method, path)
        for path, operations in document["paths"].items()
        for method in operations
        if path not in ("/ping", "/v1/healthy")
    ]
    assert len(routes) > 60
    async with httpx.AsyncClient(base_url=api.listening.url, trust_env=False) as client:
        for method, path in routes:
            answer = await client.request(method, path.replace("{", "").replace("}", ""))
            assert answer.status_code == 401, (method, path)
    assert api.device.asked == []


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:48484", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]", 200),
        ("[::1]:48484", 200),
        ("box.lan", 200),
        ("box.lan:48484", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.", 403),
        ("box.lan@evil.example", 403),
        ("evil.example#@localhost", 403),
        ("[::1", 403),
        ("", 403),
        ("*", 403),
        ("10.0.0.7", 403),
    ],
)
async def test_the_host(folder: Path, host: str, status: int) -> None:
    async with running(folder, allowed_hosts=["box.lan"]) as api:
        answers = [await api.tcp.get(path, headers={"Host": host}) for path in ("/v1/apps", "/ping")]

    assert [answer.status_code for answer in answers] == [status, status], answers[0].text
    if status == 403:
        assert "box.lan" in answers[0].json()["hint"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:48484", 200),
        ("http://localhost:48484", 403),
        ("http://127.0.0.1:3000", 403),
        ("https://evil.example", 403),
        ("null", 403),
        ("", 403),
        ("http://[::1", 403),
    ],
)
async def test_pages_of_others_can_do_nothing_even_without_a_key(
    folder: Path, origin: str, status: int
) -> None:
    async with running(folder, require_key=False) as api:
        await api.control.apply([shop()])
        headers = {"Host": "127.0.0.1:48484", "Origin": origin}
        answer = await api.tcp.post("/v1/apps/shop/stop", headers=headers)

        assert answer.status_code == status
        assert bool(api.control.run_states) == (status == 200)


@pytest.mark.parametrize(
    ("site", "path", "status"),
    [
        ("same-origin", "/v1/apps", 200),
        ("none", "/v1/apps", 200),
        ("cross-site", "/v1/apps", 403),
        ("same-site", "/v1/apps", 403),
        ("Cross-Site", "/v1/apps", 403),
        ("cross-site", "/docs", 200),
        ("same-site", "/ping", 403),
    ],
)
async def test_what_a_browser_says_about_the_page_counts_too(
    folder: Path, site: str, path: str, status: int
) -> None:
    """A page of another site can ask with GET and without Origin, by an image for one."""
    async with running(folder, require_key=False) as api:
        answer = await api.tcp.get(path, headers={"Sec-Fetch-Site": site})

    assert answer.status_code == status, answer.text


async def test_without_a_key_loopback_is_open_and_that_is_said_aloud(folder: Path) -> None:
    with capture_logs() as logs:
        async with running(folder, require_key=False, key="") as api:
            del api.tcp.headers["X-API-Key"]
            assert (await api.tcp.get("/v1/apps")).status_code == 200
            assert (await api.tcp.get("/v1/apps", headers={"Host": "evil.example"})).status_code == 403

    assert [(line["event"], line["log_level"]) for line in logs] == [("api_without_key", "warning")]


@pytest.mark.parametrize("options", [{"host": "0.0.0.0"}, {"mode": "OPEN"}])
async def test_without_a_key_nothing_but_loopback(folder: Path, options: dict[str, str]) -> None:
    with pytest.raises(EdgeError, match="loopback only"):
        async with running(folder, require_key=False, **options):
            pass

    assert list(folder.iterdir()) == []


async def test_a_missing_key_is_no_open_door(folder: Path) -> None:
    with pytest.raises(ValueError, match="a key is required"):
        async with running(folder, key=""):
            pass
    with pytest.raises(ValueError, match="a key is required"):
        Guard(lambda *_: None, key="", access=access_of("LOCALHOST_ONLY"))


async def test_the_unix_socket_asks_for_nothing(api: Api) -> None:
    for headers in ({}, {"Host": "evil.example"}, {"X-API-Key": "wrong"}):
        assert (await api.unix.get("/v1/apps", headers=headers)).status_code == 200


async def test_the_key_is_in_no_log(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    with capture_logs() as logs:
        async with running(folder) as api:
            api.control.failure = RuntimeError("a defect")
            await api.tcp.get(f"/v1/apps?apiKey={KEY}")
            await api.tcp.get(f"/v1/none?apiKey={KEY}")

    server_lines = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert [line["event"] for line in logs] == ["api_request_failed"]
    assert KEY not in str([*logs, *(record.getMessage() for record in server_lines)])
