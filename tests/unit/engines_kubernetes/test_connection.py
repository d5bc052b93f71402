"""How the API server is reached: what the environment says of proxies counts, as for kubectl."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from iotistic.engines.kubernetes.client import Client
from iotistic.engines.kubernetes.connection import environment_proxy, load_configuration

PROXY = "http://proxy.test:3128"
KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://cluster.test"}}]
users: [{name: u, user: {token: x}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
"""
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "REQUEST_METHOD")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NAMES, *map(str.lower, NAMES)):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("server", "excepted", "proxy"),
    [
        ("https://cluster.test:6443", "", PROXY),
        ("https://10.1.2.3:6443", "", PROXY),
        ("http://cluster.test", "", None),  # only HTTPS_PROXY is set
        ("https://127.0.0.1:6443", "", None),
        ("https://[::1]:6443", "", None),
        ("https://localhost:6443", "", None),
        ("https://cluster.test:6443", ".test,other", None),
        ("https://cluster.test:6443", "*", None),
        ("https://10.1.2.3:6443", "10.1.2.3", None),
        ("https://10.1.2.3:6443", ".svc, 10.0.0.0/8", None),
        ("https://10.1.2.3:6443", "192.168.0.0/16,nonsense/99", PROXY),
        ("https://[fd00::1]:6443", "fd00::/8", None),
    ],
)
def test_who_is_reached_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch, server: str, excepted: str, proxy: str | None
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", excepted)

    assert environment_proxy(server) == proxy


async def test_requests_and_watches_go_through_it_and_a_netrc_is_not_looked_into(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    (tmp_path / "netrc").write_text("machine cluster.test login somebody password else\n")
    monkeypatch.setenv("HTTP_PROXY", url)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    client = Client(await load_configuration(str(tmp_path / "kubeconfig")))
    async with server:
        assert await client.request("GET", "/api") == {}
    watched = await client.login()
    await client.close()

    assert heard[0].startswith(b"GET http://cluster.test/api HTTP/1.1\r\n")
    assert b"authorization: bearer x" in heard[0].lower()
    assert watched["proxy_url"] == url
