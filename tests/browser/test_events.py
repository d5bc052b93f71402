"""Events as they happen, and what the page does when the connection breaks."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from playwright.async_api import Browser, Page, Route, expect

from iotistic.bus import Bus
from tests.browser.conftest import window
from tests.browser.device import Device, Scripted, running

BACK_MS = 30_000
"""Longest until the page has found the agent again; it tries after 1, 2, 4 s."""


async def now(page: Page) -> str:
    """Hour and minute of the page's clock."""
    return str(await page.evaluate("new Date().toTimeString().slice(0, 5)"))


async def test_events_are_sentences_newest_first(page: Page, device: Device) -> None:
    began = await now(page)
    device.say("Started", "started shop/web (image web:1 -> web:2)", app="shop", service="web")
    await page.goto(device.url)
    device.say(
        "CrashLoop",
        "shop/web exited again and again",
        app="shop",
        service="web",
        type="Warning",
        hint="iotctl logs shop web",
    )

    sentences = page.locator("#event-list .said")
    await expect(sentences).to_have_text(
        [
            "shop/web exited again and again iotctl logs shop web",
            "Started shop/web (image web:1 → web:2)",
        ]
    )
    await expect(page.locator("#event-list use").first).to_have_attribute("href", "#i-alert")
    said = re.compile(f"{began}|{await now(page)}")
    await expect(page.locator("#event-list time").first).to_have_text(said)


async def test_an_event_of_another_day_says_which(page: Page, device: Device) -> None:
    device.say("Started", "started shop/web", time="2026-03-04T12:02:00Z")
    await page.goto(device.url)

    await expect(page.locator("#event-list time")).to_contain_text("Mar 4, ")


async def test_progress_is_no_line_of_its_own(page: Page, device: Device) -> None:
    await page.goto(device.url)
    await expect(page.locator("#events-note")).to_contain_text("Nothing has happened")
    device.say("Pulling", "fetch web:2: 1 MB", type="Progress", image="web:2", current=1, total=2)
    device.say("Pulled", "pulled web:2")

    await expect(page.locator("#event-list .said")).to_have_text(["Pulled web:2"])


async def test_locks_of_the_agents_own_are_not_worth_a_line(page: Page, device: Device) -> None:
    device.say("Locked", "took the update lock of shop")
    device.say("Started", "started shop/web")
    await page.goto(device.url)
    await expect(page.locator("#event-list .said")).to_have_text(["Started shop/web"])
    device.say("Unlocked", "gave the update lock of shop back")
    device.say("Started", "started shop/db")

    await expect(page.locator("#event-list .said")).to_have_text(["Started shop/db", "Started shop/web"])


async def test_old_events_make_room(page: Page, device: Device) -> None:
    for number in range(400):
        device.say("Started", f"started number {number}")
    await page.goto(device.url)
    await expect(page.locator("#event-list li")).to_have_count(300)
    device.say("Started", "started the last")

    await expect(page.locator("#event-list .said").first).to_have_text("Started the last")
    await expect(page.locator("#event-list li")).to_have_count(300)


async def test_a_lost_connection_is_told_and_taken_up_again(browser: Browser, folder: Path) -> None:
    control, bus = Scripted(), Bus()
    control.put("shop", {"web": {}})
    async with window(browser) as page:
        ids: list[str] = []
        page.on(
            "request",
            lambda request: (
                ids.append(request.headers.get("last-event-id", ""))
                if "follow=true" in request.url and "/events" in request.url
                else None
            ),
        )
        async with running(folder, control=control, bus=bus) as before:
            before.say("Started", "started shop/web", app="shop")
            await page.goto(before.url)
            await expect(page.locator(".app .facts")).to_have_text("release 1 · 1 service")
            port = before.listening.port
            began = await now(page)

        await expect(page.locator("#health-word")).to_have_text("Connection lost")
        told = re.compile(rf"since ({began}|{await now(page)})\. What is shown is from then\.")
        await expect(page.locator("#health-why")).to_contain_text(told)
        await expect(page.locator("#alarm")).to_have_text("The connection to the device is lost.")
        await expect(page.get_by_role("heading", name="shop", exact=True)).to_be_visible()

        control.put("shop", {"web": {}, "db": {}})
        async with running(folder, control=control, bus=bus, port=port) as after:
            after.say("Started", "started shop/db", app="shop")
            await expect(page.locator("#health-word")).to_have_text("Well", timeout=BACK_MS)
            await expect(page.locator("#event-list .said")).to_have_text(
                ["Started shop/db", "Started shop/web"]
            )
            await expect(page.locator(".app .facts")).to_have_text("release 1 · 2 services")
            after.say("Started", "started again", app="shop")
            await expect(page.locator("#event-list .said").first).to_have_text("Started again")
        assert ids[0] == "1"
        assert ids[-1] == "2"


async def test_try_now_does_not_wait(browser: Browser, folder: Path) -> None:
    control = Scripted()
    async with window(browser) as page:
        async with running(folder, control=control) as before:
            await page.goto(before.url)
            await expect(page.locator("#empty")).to_be_visible()
            port = before.listening.port
        # It counts down: each number is there for a second, and may be missed.
        counting = re.compile("Trying again in [5-8] s")
        await expect(page.locator("#health-why")).to_contain_text(counting, timeout=BACK_MS)
        async with running(folder, control=control, port=port):
            await page.get_by_role("button", name="Try now").click()
            await expect(page.locator("#health-word")).to_have_text("Well", timeout=3500)
            await expect(page.get_by_role("button", name="Try now")).to_be_hidden()


async def test_an_agent_that_started_anew_tells_its_own_events(browser: Browser, folder: Path) -> None:
    async with window(browser) as page:
        async with running(folder) as before:
            for number in range(5):
                before.say("Started", f"started {number}")
            await page.goto(before.url)
            await expect(page.locator("#event-list li")).to_have_count(5)
            port = before.listening.port
        async with running(folder, port=port) as after:
            after.say("Started", "started anew")
            await expect(page.locator("#event-list .said")).to_have_text(["Started anew"], timeout=BACK_MS)


async def test_what_breaks_off_once_is_taken_up_without_a_word(browser: Browser, device: Device) -> None:
    """As where a container that starts changes the network of the machine that the browser runs on."""
    broken: list[str] = []

    async def break_once(route: Route) -> None:
        url = route.request.url
        if url in broken:
            await route.continue_()
            return
        broken.append(url)
        await route.abort("connectionaborted")

    async with window(browser) as page:
        for pattern in ("**/words.js", "**/v1/apps", "**/v1/events", "**/v1/events?**"):
            await page.route(pattern, break_once)
        seen: list[str] = []

        def saw(word: str) -> None:
            seen.append(word)

        await page.expose_function("saw", saw)
        await page.add_init_script(
            """addEventListener("DOMContentLoaded", () =>
              new MutationObserver(() => saw(document.querySelector("#health-word").textContent))
                .observe(document, { subtree: true, childList: true }))"""
        )
        await page.goto(device.url)
        await expect(page.locator("#empty")).to_be_visible()
        device.say("Started", "started shop/web")
        await expect(page.locator("#event-list .said")).to_have_text(["Started shop/web"])

        assert len(broken) == 4
        assert set(seen) <= {"Looking", "Well"}


async def test_a_stream_that_falls_silent_is_asked_for_again(browser: Browser, folder: Path) -> None:
    async with window(browser) as page, running(folder, keep_alive_seconds=3600) as device:
        asked: list[str] = []
        page.on(
            "request",
            lambda request: asked.append(request.url) if "/v1/events?follow" in request.url else None,
        )
        await page.clock.install()
        await page.goto(device.url)
        await expect(page.locator("#empty")).to_be_visible()
        async with asyncio.timeout(20):
            while not asked:
                await page.wait_for_timeout(50)
        before = len(asked)
        await page.clock.run_for(41_000)
        device.say("Started", "started shop/web")

        await expect(page.locator("#event-list .said")).to_have_text(["Started shop/web"])
        assert len(asked) > before
        await expect(page.locator("#health-word")).to_have_text("Well")


async def test_a_hidden_tab_gives_its_connections_back(browser: Browser, device: Device) -> None:
    hide = """(hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    async with window(browser) as page:
        ended: list[str] = []
        page.on("requestfailed", lambda request: ended.append(request.url))
        await page.goto(device.url)
        await expect(page.locator("#empty")).to_be_visible()
        await page.evaluate(hide, True)
        device.say("Started", "started meanwhile")
        async with asyncio.timeout(20):
            while not [url for url in ended if "v1/events?follow" in url]:
                await page.wait_for_timeout(50)
        await expect(page.locator("#health-word")).to_have_text("Well")

        await page.evaluate(hide, False)
        await expect(page.locator("#event-list .said")).to_have_text(["Started meanwhile"])
