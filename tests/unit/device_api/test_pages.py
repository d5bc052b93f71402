"""Static pages: the dashboard, and the page that shows the description of the API."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from iotistic.device_api.routes.pages import DOCS
from tests.unit.device_api.conftest import running


@pytest.fixture
def dashboard(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Dashboard</title>")
    (tmp_path / "main.js").write_text("export const a = 1;")
    (tmp_path / "deep" / "icon.svg").write_text("<svg/>")
    (tmp_path / "notes.txt").write_text("not for everybody")
    (tmp_path.parent / "secret.html").write_text("secret")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "media_type", "text"),
    [
        ("/", "text/html; charset=utf-8", "Dashboard"),
        ("/dashboard/main.js", "text/javascript; charset=utf-8", "export"),
        ("/dashboard/deep/icon.svg", "image/svg+xml", "<svg/>"),
        ("/docs", "text/html; charset=utf-8", "Device API"),
        ("/docs/page.js", "text/javascript; charset=utf-8", "/openapi.json"),
        ("/docs/page.css", "text/css; charset=utf-8", "body"),
    ],
)
async def test_pages_need_no_key(
    folder: Path, dashboard: Path, path: str, media_type: str, text: str
) -> None:
    async with running(folder, dashboard=dashboard) as api, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(api.listening.url + path)
        head = await client.head(api.listening.url + path)

    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert text in answer.text
    assert (head.status_code, head.text, head.headers["content-length"]) == (
        200,
        "",
        str(len(answer.content)),
    )
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard/",
        "/dashboard/none.js",
        "/dashboard/notes.txt",
        "/dashboard/../secret.html",
        "/dashboard/%2e%2e/secret.html",
        "/dashboard/..%2fsecret.html",
        "/dashboard//etc/passwd",
        "/dashboard/%00",
        "/docs/",
        "/docs/../app.py",
    ],
)
async def test_nothing_else_is_there(folder: Path, dashboard: Path, path: str) -> None:
    async with running(folder, dashboard=dashboard) as api:
        answer = await api.tcp.get(httpx.URL(api.listening.url).copy_with(raw_path=path.encode()))

    assert answer.status_code == 404
    assert "secret" not in answer.json().get("hint", "")


async def test_without_a_dashboard_there_is_none(folder: Path) -> None:
    async with running(folder) as api:
        assert (await api.tcp.get("/")).status_code == 404
        assert (await api.tcp.get("/docs")).status_code == 200


def test_the_docs_page_loads_nothing_from_elsewhere() -> None:
    texts = {path.name: path.read_text() for path in DOCS.iterdir()}

    assert set(texts) == {"index.html", "page.css", "page.js"}
    assert not re.search(r"https?://|//[a-z]+\.|@import|eval\(|innerHTML", "".join(texts.values()))
    assert not re.search(r"<script>|<style>| style=| on\w+=", texts["index.html"])
