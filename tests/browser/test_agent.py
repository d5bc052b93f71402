"""The page of a real agent, on the simulated engine: from nothing to an undone release and back."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.conftest import ONE_LOOP, window
from tests.browser.test_apps import row, tile
from tests.docker.registry import free_port

START_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Agent:
    """A running agent."""

    folder: Path
    url: str
    key: str

    async def apply(self, image: str) -> None:
        """The App shop, with this image of web."""
        web = {
            "name": "web",
            "image": image,
            "dependsOn": {"db": "started"},
            "readinessProbe": {"httpGet": {"path": "/health", "port": 80}},
            "ports": [{"containerPort": 80, "hostPort": 8080}],
        }
        update = {"progressDeadlineSeconds": 4, "minReadySeconds": 1}
        app: dict[str, Any] = {
            "apiVersion": "iotistic.io/v1alpha1",
            "kind": "App",
            "metadata": {"name": "shop"},
            "spec": {"update": update, "services": [{"name": "db", "image": "db:1"}, web]},
        }
        async with httpx.AsyncClient(
            base_url=self.url, headers={"X-API-Key": self.key}, trust_env=False
        ) as client:
            (await client.post("/v1/apply", json={"documents": [app]})).raise_for_status()

    def faults(self, text: str) -> None:
        """What goes wrong on its engine from now on."""
        (self.folder / "simulated-faults.yaml").write_text(text)


@pytest_asyncio.fixture(loop_scope=ONE_LOOP)
async def agent(folder: Path) -> AsyncIterator[Agent]:
    port = free_port("127.0.0.1")
    own = {"CONFIG_DIR": str(folder), "DEVICE_API_PORT": str(port), "RESYNC_SECONDS": "1"}
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "iotistic-edge",
        "agent",
        "--engine",
        "simulated",
        env=os.environ | own,
        stderr=(folder / "agent.log").open("wb"),
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(trust_env=False) as client:
            while True:
                assert process.returncode is None, (folder / "agent.log").read_text()
                try:
                    await client.get(f"{url}/ping")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        yield Agent(folder=folder, url=url, key=(folder / "api-key").read_text().strip())
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def test_from_nothing_to_an_undone_release_and_back(browser: Browser, agent: Agent) -> None:
    agent.faults("slowPull:\n  - {image: 'web:*', seconds: 8}\n")  # it has to be seen
    async with window(browser, key=agent.key) as page:
        dialog = page.get_by_role("dialog")
        await page.goto(agent.url)
        await expect(page.locator("#empty")).to_be_visible()

        await agent.apply("web:1")
        await expect(tile(page, "shop", "web").locator(".word")).to_have_text("Pulling")
        await expect(row(page, "shop").get_by_role("progressbar")).to_be_visible()
        await expect(page.locator("#health-word")).to_have_text("Well")
        await expect(row(page, "shop").locator(".facts")).to_have_text("release 1 · 2 services")

        agent.faults("unhealthy: [shop/web]")
        await agent.apply("web:2")
        await expect(row(page, "shop").locator(".word").first).to_have_text("Undoing")
        agent.faults("")
        await expect(row(page, "shop").locator(".why")).to_contain_text("Release 2 was undone: web never")
        await expect(page.locator("#event-list")).to_contain_text("release 2 was undone")
        await row(page, "shop").get_by_role("button", name="What helps shop?").click()
        await expect(dialog).to_contain_text("iotctl retry shop")
        await page.keyboard.press("Escape")

        await tile(page, "shop", "web").click()
        await expect(page.locator(".line").first).to_contain_text("web: starting, web:1")
        await page.locator("#panel-actions").get_by_role("button", name="Stop").click()
        await dialog.get_by_role("button", name="Stop web of shop").click()
        await expect(page.locator("#panel-word")).to_have_text("Stopped")
        await page.locator("#panel-actions").get_by_role("button", name="Start").click()
        await dialog.get_by_role("button", name="Start web of shop").click()
        await expect(page.locator("#panel-word")).to_have_text("Ready")
        await page.get_by_role("button", name="Close").click()

        await row(page, "shop").get_by_role("button", name="Try again: shop").click()
        await dialog.get_by_role("button", name="Try release 2 of shop again").click()
        await expect(row(page, "shop").locator(".facts")).to_have_text("release 2 · 2 services")
        await expect(row(page, "shop").locator(".word").first).to_have_text("Ready")

        await row(page, "shop").get_by_role("button", name="Releases: shop").click()
        await dialog.get_by_role("button", name="Switch … release 1").click()
        await expect(dialog).to_contain_text("Release 1 is wanted from now on, with web:1.")
        await dialog.get_by_role("button", name="Switch shop to release 1").click()
        await expect(tile(page, "shop", "web").locator(".tile-note")).to_have_text("web:1")
        await expect(page.locator("#health-word")).to_have_text("Well")
