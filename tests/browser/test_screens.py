"""Phone, a cabinet's 7-inch screen, desk; light and dark: nothing clipped, nothing too small or too pale."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.browser.conftest import DESK, PHONE, SEVEN_INCH, window
from tests.browser.device import Device
from tests.browser.test_apps import row, tile

SCREENS = {
    "desk": DESK,
    "seven-inch": SEVEN_INCH,
    "phone": PHONE,
    "small phone": {"width": 320, "height": 568},
}
LONG = "an-app-with-a-name-of-forty-characters-x"

OVERFLOW = """() => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  const out = [...document.querySelectorAll("body *")].filter((node) => {
    const box = node.getBoundingClientRect();
    const scrolls = node.closest(".log, .block, .unseen, .skip");
    return !scrolls && box.width && (box.right > innerWidth + 1 || box.left < -1);
  });
  return { wide, out: out.map((node) => node.className || node.id || node.tagName) };
}"""

TEXTS = """() => {
  const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return text.startsWith("color(") ? [r, g, b, a] : [r / 255, g / 255, b / 255, a];
  };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (node) => {
    for (let one = node; one; one = one.parentElement) {
      const color = parse(getComputedStyle(one).backgroundColor);
      if (color[3] === 1) return color;
    }
    return [1, 1, 1];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !node.checkVisibility()) continue;
    if (node.closest(".unseen, .skip")) continue;
    const style = getComputedStyle(node);
    const [a, b] = [light(parse(style.color)), light(behind(node))].sort((x, y) => y - x);
    const what = `${node.className || node.id || node.tagName}: ${walker.currentNode.textContent.trim()}`;
    found.push({ what, pixels: parseFloat(style.fontSize), contrast: (a + 0.05) / (b + 0.05) });
  }
  return found;
}"""


def fill(device: Device) -> None:
    """Apps in every tone."""
    device.control.put(
        LONG,
        {
            "a-service-with-a-long-name": {
                "state": "CrashLoop",
                "ready": False,
                "reason": "OOMKilled at 64Mi, next try in 40 s " * 3,
                "ports": ["8080->80/tcp", "8443->443/tcp"],
            },
            "web": {
                "spec": {"image": "registry.plant.example:5000/a/long/path/to/an/image:2024-03-04-build.17"}
            },
        },
        state="Degraded",
        why="a-service-with-a-long-name: crash loop, OOMKilled at 64Mi, next try in 40 s",
    )
    device.control.put(
        "signage",
        {
            "player": {"state": "Pulling", "ready": False, "reason": "pulling player:9 8.9 of 12.4 MB"},
            "clock": {"state": "Waiting", "ready": False, "reason": "waits for player (started)"},
        },
        state="Updating",
        why="player: pulling player:9",
    )
    device.control.put("shop", {"web": {}}, state="Undone", why="release 2: web never became ready (500)")
    for number in range(6):
        device.control.put(f"app-{number}", {"web": {}})
    device.say("Started", f"started {LONG}/web (image registry.plant.example:5000/a/b/c/d:1 -> web:2)")
    device.say(
        "CrashLoop", f"{LONG}/web exited " * 3, type="Warning", hint=f"iotctl logs {LONG} web --previous"
    )


async def check_fits(page: Page) -> None:
    """Nothing reaches beyond the sides of the screen."""
    await page.wait_for_timeout(100)
    assert await page.evaluate(OVERFLOW) == {"wide": 0, "out": []}


@pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS.keys())
async def test_nothing_reaches_beyond_the_screen(
    browser: Browser, device: Device, screen: ViewportSize
) -> None:
    fill(device)
    for number in range(30):
        await device.control.write_line("a-service-with-a-long-name", f"line {number} " + "x" * 300)
    async with window(browser, viewport=screen) as page:
        await page.goto(device.url)
        await expect(page.locator("li.app")).to_have_count(9)
        await check_fits(page)
        more = row(page, LONG).locator(".more")
        if await more.is_visible():
            await more.click()
            await check_fits(page)
        await row(page, LONG).get_by_role("button", name="Releases").click()
        await expect(page.get_by_role("dialog").locator("li")).to_have_count(2)
        await check_fits(page)
        await page.keyboard.press("Escape")
        await tile(page, LONG, "a-service-with-a-long-name").click()
        await expect(page.locator(".line").first).to_be_visible()
        await check_fits(page)
        log = await page.locator("#log").bounding_box()
        assert log is not None
        assert log["height"] >= 110, "the log can be read"


@pytest.mark.parametrize("screen", [PHONE, SEVEN_INCH], ids=["phone", "seven-inch"])
async def test_what_is_pressed_is_large_enough_for_a_finger(
    browser: Browser, device: Device, screen: ViewportSize
) -> None:
    fill(device)
    async with window(browser, viewport=screen, has_touch=True) as page:
        await page.goto(device.url)
        await expect(page.locator("li.app")).to_have_count(9)
        sizes = await page.locator("button:visible, input:visible").evaluate_all(
            "all => all.map((one) => [one.textContent, one.offsetWidth, one.offsetHeight])"
        )
        assert len(sizes) > 15
        assert [one for one in sizes if one[1] < 44 or one[2] < 44] == []


async def test_at_arms_length_every_text_is_large_enough(browser: Browser, device: Device) -> None:
    """7 inches with 800 by 480 are 133 pixels an inch: 16 are 3 mm."""
    fill(device)
    async with window(browser, viewport=SEVEN_INCH) as page:
        await page.goto(device.url)
        await expect(page.locator("li.app")).to_have_count(9)
        texts = await page.evaluate(TEXTS)
        assert len(texts) > 30
        assert [one for one in texts if one["pixels"] < 16] == []
        names = [one["pixels"] for one in texts if one["what"].startswith(("tile-name", "H3"))]
        assert min(names) >= 19


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_stands_out_from_what_is_behind_it(
    browser: Browser, device: Device, scheme: Any
) -> None:
    fill(device)
    await device.control.write_line("web", "a line")
    async with window(browser, color_scheme=scheme) as page:
        await page.goto(device.url)
        await tile(page, "shop", "web").click()
        await expect(page.locator(".line")).to_have_count(1)
        await device.control.write_line("web", "a line on stderr")
        await row(page, "shop").get_by_role("button", name="Releases").click()
        await expect(page.get_by_role("dialog").locator("li")).to_have_count(2)

        texts = await page.evaluate(TEXTS)
        assert len(texts) > 60
        assert [one for one in texts if one["contrast"] < 4.5] == []
        dark = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, dark[4:-1].split(","))) < 150) == (scheme == "dark")


async def test_a_phone_has_one_column_and_a_desk_two(browser: Browser, device: Device) -> None:
    fill(device)
    for screen, columns in ((DESK, 2), (SEVEN_INCH, 1), (PHONE, 1)):
        async with window(browser, viewport=screen) as page:
            await page.goto(device.url)
            await expect(page.locator("li.app")).to_have_count(9)
            apps = await page.locator("#app-list").bounding_box()
            events = await page.locator(".events").bounding_box()
            assert apps is not None
            assert events is not None
            beside = events["x"] >= apps["x"] + apps["width"]
            assert beside == (columns == 2)


@pytest.mark.parametrize(("motion", "moving"), [("reduce", False), ("no-preference", True)])
async def test_nothing_moves_where_motion_is_not_wanted(
    browser: Browser, device: Device, motion: Any, moving: bool
) -> None:
    fill(device)
    async with window(browser, reduced_motion=motion) as page:
        await page.goto(device.url)
        await expect(page.locator("li.app")).to_have_count(9)
        running = await page.evaluate("document.getAnimations().length")
        assert (running > 0) == moving
