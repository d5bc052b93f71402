"""A real Chromium in front of the real server, on one event loop."""

from __future__ import annotations

import contextlib
import inspect
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from tests import packages
from tests.browser.device import KEY, Device, running

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ONE_LOOP: Final = "session"
DESK: ViewportSize = {"width": 1280, "height": 800}
SEVEN_INCH: ViewportSize = {"width": 800, "height": 480}
PHONE: ViewportSize = {"width": 390, "height": 844}
expect.set_options(timeout=20_000)  # a browser on a busy machine takes its time


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser lives on the loop of the session, so its tests do too."""
    for item in items:
        in_here = Path(__file__).parent in item.path.parents
        if in_here and isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.function):
            item.add_marker(pytest.mark.asyncio(loop_scope=ONE_LOOP), append=False)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium, root gets one from Debian; without one these tests are skipped, in CI they fail."""
    packages.install("chromium", unless=_chromium)
    found = _chromium()
    if found is None:
        missing = "no Chromium on this machine; to run these: apt-get install -y chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def _chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names) if path), None)


@pytest_asyncio.fixture(scope="session", loop_scope=ONE_LOOP)
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        await started.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data directory with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="iot") as path:
        yield Path(path)


@pytest_asyncio.fixture(loop_scope=ONE_LOOP)
async def device(folder: Path) -> AsyncIterator[Device]:
    """A device without Apps."""
    async with running(folder) as served:
        yield served


@contextlib.asynccontextmanager
async def window(
    browser: Browser, *, key: str = KEY, expected: str = "Failed to load resource", **options: Any
) -> AsyncIterator[Page]:
    """A window that has the key and shows nothing yet.

    A fault of the page's scripts fails the test, unless it starts as `expected`.
    """
    options = {"viewport": DESK, "reduced_motion": "reduce", "timezone_id": "UTC"} | options
    context = await browser.new_context(**options)
    if key:
        await context.add_init_script(f"sessionStorage.setItem('iotistic-key', '{key}')")
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type in {"error", "warning"} else None)
    try:
        yield page
    finally:
        await context.close()
    assert [one for one in faults if not one.startswith(expected)] == []


@pytest_asyncio.fixture(loop_scope=ONE_LOOP)
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A window as wide as a desk's that has the key."""
    async with window(browser) as opened:
        yield opened
