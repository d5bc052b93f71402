"""The page as it is served: small, of this device alone, under a strict policy."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from playwright.async_api import Browser, expect

from tests.browser.conftest import window
from tests.browser.device import Device

FOLDER = Path(__file__).parents[2] / "operator" / "iotistic" / "device_api" / "dashboard"
FILES = sorted(path for path in FOLDER.iterdir() if path.is_file())
MOST_BYTES = 60 * 1024


def test_it_is_small() -> None:
    sizes = {path.name: path.stat().st_size for path in FILES}

    assert len(sizes) > 10
    assert sum(sizes.values()) <= MOST_BYTES, sizes


def test_nothing_parses_html() -> None:
    ways = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|srcdoc|\son[a-z]+="
    )
    found = {path.name: ways.findall(path.read_text()) for path in FILES if path.name != "icon.svg"}

    assert {name: ways for name, ways in found.items() if ways} == {}


async def test_it_needs_no_key_and_has_a_strict_policy(device: Device) -> None:
    async with httpx.AsyncClient(base_url=device.url, trust_env=False) as client:
        for path in ["/", *(f"/dashboard/{file.name}" for file in FILES)]:
            answer = await client.get(path)
            assert answer.status_code == 200, path
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self';" in policy
            assert "style-src 'self';" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"


async def test_it_asks_nobody_but_the_device(browser: Browser, device: Device) -> None:
    device.control.put("shop", {"web": {}})
    async with window(browser) as page:
        hosts: set[str] = set()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        await page.goto(device.url)
        await expect(page.locator("li.app")).to_have_count(1)
        assert hosts == {urlsplit(device.url).netloc}


async def test_html_from_anywhere_is_refused_by_the_browser(browser: Browser, device: Device) -> None:
    """Should somebody ever write it: the policy has the browser throw."""
    async with window(browser, expected="This document requires 'TrustedHTML'") as page:
        await page.goto(device.url)
        await expect(page.locator("#empty")).to_be_visible()
        thrown = await page.evaluate(
            """() => {
              try { document.querySelector("#about").innerHTML = "<b>x</b>"; return ""; }
              catch (error) { return error.name; }
            }"""
        )
        assert thrown == "TypeError"


async def test_without_scripts_it_says_what_to_type(browser: Browser, device: Device) -> None:
    async with window(browser, java_script_enabled=False) as page:
        await page.goto(device.url)
        assert "iotctl get apps" in (await page.locator("noscript").text_content() or "")
