"""Logs below: followed, paused, cut off, of one service and of all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from iotistic.api.errors import NotFoundError
from tests.browser.conftest import window
from tests.browser.device import Device, Scripted, running
from tests.browser.test_apps import row, tile

AT_END = "one => one.scrollHeight - one.scrollTop - one.clientHeight < 40"


@pytest.fixture
async def shop(device: Device) -> Device:
    """An App with two services, and 300 lines of one."""
    device.control.put("shop", {"db": {}, "web": {}})
    for number in range(300):
        await device.control.write_line("web", f"line {number}")
    return device


async def open_web(page: Page, device: Device) -> None:
    await page.goto(device.url)
    await tile(page, "shop", "web").click()
    await expect(page.locator("#panel")).to_be_visible()


async def test_a_tile_opens_the_last_lines_and_follows(page: Page, shop: Device) -> None:
    await open_web(page, shop)
    await expect(page.locator(".line")).to_have_count(200)
    await expect(page.locator(".line span").first).to_have_text("line 100")

    await shop.control.write_line("web", "a new one")

    await expect(page.locator(".line span").last).to_have_text("a new one")
    await expect(page.locator(".line").last).to_have_attribute("data-stream", "stderr")
    await expect(page.locator("#log-note")).to_have_text("New lines show as they are written.")
    assert await page.locator("#log").evaluate(AT_END)
    await expect(page.locator("#panel-title")).to_have_text("shop / web")
    await expect(page.locator("#panel-facts")).to_contain_text("web:1")


async def test_paused_lines_are_counted_and_kept(page: Page, shop: Device) -> None:
    await open_web(page, shop)
    await expect(page.locator(".line")).to_have_count(200)
    await page.get_by_role("button", name="Pause").click()
    for number in range(3):
        await shop.control.write_line("web", f"new {number}")

    await expect(page.locator("#log-note")).to_have_text("Paused: 3 newer lines not shown.")
    await expect(page.locator(".line span").last).to_have_text("line 299")
    await page.get_by_role("button", name="Go on").click()
    await expect(page.locator(".line span").last).to_have_text("new 2")
    await expect(page.locator(".line")).to_have_count(203)


async def test_scrolling_up_pauses_and_scrolling_to_the_end_goes_on(page: Page, shop: Device) -> None:
    await open_web(page, shop)
    await expect(page.locator(".line")).to_have_count(200)
    await page.locator("#log").hover()
    await page.mouse.wheel(0, -900)
    await expect(page.locator("#log-note")).to_have_text("Paused.")
    await shop.control.write_line("web", "meanwhile")
    await expect(page.locator("#log-note")).to_have_text("Paused: 1 newer line not shown.")

    await page.mouse.wheel(0, 5000)

    await expect(page.locator(".line span").last).to_have_text("meanwhile")
    assert await page.locator("#log").evaluate(AT_END)


async def test_the_number_of_lines_can_be_chosen(page: Page, shop: Device) -> None:
    await open_web(page, shop)
    await expect(page.locator(".line")).to_have_count(200)
    await page.get_by_label("Last").select_option("50")
    await expect(page.locator(".line")).to_have_count(50)
    await page.get_by_label("Last").select_option("1000")
    await expect(page.locator(".line")).to_have_count(300)


async def test_of_a_whole_app_each_line_says_whose_it_is(page: Page, shop: Device) -> None:
    await shop.control.write_line("db", "from db")
    await page.goto(shop.url)
    await row(page, "shop").get_by_role("button", name="Logs").click()

    await expect(page.locator(".line").last.locator("b")).to_be_visible()
    await expect(page.locator(".line").last.locator("b")).to_have_text("db")
    await expect(page.locator("#panel-title")).to_have_text("shop")
    await tile(page, "shop", "web").click()
    await expect(page.locator(".line").last.locator("b")).to_be_hidden()


async def test_nothing_written_is_said_in_a_sentence(page: Page, device: Device) -> None:
    device.control.put("shop", {"web": {}})
    await open_web(page, device)

    await expect(page.locator("#log-note")).to_have_text("Nothing has been written yet.")


async def test_closing_ends_the_stream(page: Page, shop: Device) -> None:
    await open_web(page, shop)
    await expect(page.locator(".line")).to_have_count(200)
    assert shop.control.open_logs == 1
    await page.get_by_role("button", name="Close").click()
    await expect(page.locator("#panel")).to_be_hidden()

    async with asyncio.timeout(20):
        while shop.control.open_logs:
            await asyncio.sleep(0.05)
    await expect(tile(page, "shop", "web")).to_be_focused()


async def test_what_the_agent_refuses_is_told(page: Page, device: Device) -> None:
    device.control.put("shop", {"web": {}})
    await page.goto(device.url)
    await expect(tile(page, "shop", "web")).to_be_visible()
    device.control.failure = NotFoundError("service shop/web has no container yet", hint="see why: iotctl x")
    await tile(page, "shop", "web").click()

    await expect(page.locator("#log-note")).to_have_text(
        "Service shop/web has no container yet. See why: iotctl x."
    )


async def test_colours_of_terminals_are_left_out(page: Page, device: Device) -> None:
    device.control.put("shop", {"web": {}})
    await device.control.write_line("web", "\x1b[1;31mred\x1b[0m and \x1b]0;title\x07plain\r")
    await open_web(page, device)

    await expect(page.locator(".line span")).to_have_text("red and plain")


async def test_a_flood_is_bounded(page: Page, shop: Device) -> None:
    await open_web(page, shop)
    await expect(page.locator(".line")).to_have_count(200)
    for number in range(4000):
        await shop.control.write_line("web", f"flood {number}")

    await expect(page.locator(".line span").last).to_have_text("flood 3999")
    await expect(page.locator(".line")).to_have_count(3000)


async def test_after_a_cut_it_goes_on_without_telling_a_line_twice(browser: Browser, folder: Path) -> None:
    control = Scripted()
    control.put("shop", {"web": {}})
    for number in range(5):
        await control.write_line("web", f"line {number}")
    async with window(browser) as page:
        async with running(folder, control=control) as before:
            await open_web(page, before)
            await expect(page.locator(".line")).to_have_count(5)
            port = before.listening.port
        await expect(page.locator("#log-note")).to_contain_text("broke off")
        await control.write_line("web", "while it was gone")
        async with running(folder, control=control, port=port):
            await expect(page.locator(".line span")).to_have_text(
                [*(f"line {number}" for number in range(5)), "while it was gone"], timeout=30_000
            )
            await control.write_line("web", "and after")
            await expect(page.locator(".line span").last).to_have_text("and after")


async def test_the_panel_follows_the_service(page: Page, device: Device) -> None:
    device.control.put("shop", {"web": {}})
    await open_web(page, device)
    await expect(page.locator("#panel-word")).to_have_text("Ready")
    device.control.put(
        "shop",
        {
            "web": {
                "state": "CrashLoop",
                "ready": False,
                "reason": "exit 137",
                "restarts": 7,
                "exit_code": 137,
            }
        },
        state="Degraded",
    )
    device.say("CrashLoop", "shop/web exited", app="shop", type="Warning")

    await expect(page.locator("#panel-word")).to_have_text("Crash loop")
    await expect(page.locator("#panel-why")).to_have_text("Exit 137")
    await expect(page.locator("#panel-facts")).to_contain_text("code 137")
    device.control.drop("shop")
    device.say("Deleted", "nothing is left of shop", app="shop")
    await expect(page.locator("#panel-why")).to_have_text("It is not on this device any more.")
