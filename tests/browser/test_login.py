"""The key: asked for, checked, kept for this tab only, never in an address."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import window
from tests.browser.device import KEY, Device, running


async def type_key(page: Page, key: str) -> None:
    await page.fill("#key", key)
    await page.keyboard.press("Enter")


async def test_without_a_key_it_is_asked_for_and_says_where_it_is(browser: Browser, device: Device) -> None:
    async with window(browser, key="") as page:
        await page.goto(device.url)

        await expect(page.get_by_label("Key of this device")).to_be_focused()
        await expect(page.locator("#login-hint")).to_contain_text("cat /app/data/api-key")
        await expect(page.locator("#device")).to_be_hidden()
        await expect(page.locator("#login-problem")).to_be_empty()


async def test_a_wrong_key_is_told_in_a_sentence_and_may_be_typed_over(
    browser: Browser, device: Device
) -> None:
    async with window(browser, key="") as page:
        await page.goto(device.url)
        await type_key(page, "not-the-key")

        await expect(page.get_by_role("alert").filter(has_text="not the key")).to_be_visible()
        await expect(page.locator("#key")).to_have_attribute("aria-invalid", "true")
        await page.keyboard.type(KEY)
        await page.keyboard.press("Enter")
        await expect(page.locator("#name")).to_have_text("line-3")
        await expect(page.locator("#login")).to_be_hidden()


async def test_what_can_be_no_key_is_not_sent(browser: Browser, device: Device) -> None:
    async with window(browser, key="") as page:
        await page.goto(device.url)
        await expect(page.locator("#key")).to_be_focused()
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.url) if "/v1/" in request.url else None)
        for text in ("", "  ", "schlüssel", "two words"):
            await type_key(page, text)
            await expect(page.locator("#login-problem")).to_contain_text("one word of plain letters")

        assert sent == []


async def test_many_wrong_keys_are_told_how_long_to_wait(browser: Browser, device: Device) -> None:
    async with window(browser, key="") as page:
        await page.goto(device.url)
        for number in range(10):
            await type_key(page, f"guess-{number}")
            await expect(page.locator("#login-problem")).to_contain_text("not the key")
        await type_key(page, KEY)

        await expect(page.locator("#login-problem")).to_contain_text("Too many wrong keys")
        await expect(page.locator("#login-problem")).to_contain_text(re.compile(r"Wait [3-6] s"))


async def test_the_key_goes_in_a_header_and_is_kept_for_this_tab_only(
    browser: Browser, device: Device
) -> None:
    async with window(browser, key="") as page:
        urls: list[str] = []
        page.on("request", lambda request: urls.append(request.url))
        await page.goto(device.url)
        await type_key(page, KEY)
        await expect(page.locator("#name")).to_have_text("line-3")
        await page.reload()
        await expect(page.locator("#name")).to_have_text("line-3")

        assert urls
        assert not [url for url in urls if KEY in url]
        assert await page.evaluate("[document.cookie, localStorage.length]") == ["", 0]
        other = await page.context.new_page()
        await other.goto(device.url)
        await expect(other.locator("#key")).to_be_visible()


async def test_forgetting_the_key_asks_for_it_again(browser: Browser, device: Device) -> None:
    async with window(browser, key="") as page:
        await page.goto(device.url)
        await type_key(page, KEY)
        await page.get_by_role("button", name="Forget the key").click()

        await expect(page.locator("#key")).to_be_visible()
        assert await page.evaluate("sessionStorage.getItem('iotistic-key') || ''") == ""


async def test_a_key_that_is_not_valid_any_more_is_asked_for_again(browser: Browser, folder: Path) -> None:
    async with window(browser) as page:
        async with running(folder) as before:
            await page.goto(before.url)
            await expect(page.locator("#empty")).to_be_visible()
            port = before.listening.port
        async with running(folder, port=port, key="another"):
            await expect(page.locator("#login-problem")).to_have_text(
                "This is not the key of this device.", timeout=10_000
            )
            await expect(page.locator("#device")).to_be_hidden()


async def test_where_no_key_is_needed_none_is_asked_for(browser: Browser, folder: Path) -> None:
    async with running(folder, require_key=False) as open_device, window(browser, key="") as page:
        await page.goto(open_device.url)

        await expect(page.locator("#empty")).to_be_visible()
        await expect(page.get_by_role("button", name="Forget the key")).to_be_hidden()
