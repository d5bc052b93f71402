"""Everything by keyboard alone: in a sensible order, with the focus in sight, and Esc closes."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, expect

from tests.browser.device import Device
from tests.browser.test_apps import row, tile

FOCUSED = """() => {
  const node = document.activeElement;
  const style = getComputedStyle(node);
  return {
    name: node.getAttribute("aria-label") || node.id || node.textContent.trim(),
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    inSight: node.getBoundingClientRect().bottom > 0 && node.getBoundingClientRect().top < innerHeight,
  };
}"""


async def tab(page: Page, times: int = 1) -> dict[str, Any]:
    """Press Tab so often; what has the focus then."""
    for _ in range(times):
        await page.keyboard.press("Tab")
    found: dict[str, Any] = await page.evaluate(FOCUSED)
    return found


async def test_tab_goes_through_the_page_in_order_with_the_focus_in_sight(page: Page, device: Device) -> None:
    device.control.put("shop", {"db": {}, "web": {}})
    device.control.put("till", {"pay": {}}, state="Degraded", why="pay: exit 1")
    device.say("Started", "started shop/web")
    await page.goto(device.url)
    await expect(tile(page, "till", "pay")).to_be_visible()

    names = []
    for _ in range(13):
        focused = await tab(page)
        names.append(focused["name"])
        assert focused["outline"] >= 2, focused
        assert focused["inSight"], focused
    assert names == [
        "Skip to the Apps",
        "Restart: till",
        "Stop: till",
        "Logs: till",
        "Releases: till",
        "What helps till?",
        "payReadypay:1",
        "Restart: shop",
        "Stop: shop",
        "Logs: shop",
        "Releases: shop",
        "dbReadydb:1",
        "forget",
    ]
    assert "Started shop/web" in (await tab(page))["name"], "the events can be scrolled"


async def test_the_skip_link_leads_to_the_apps(page: Page, device: Device) -> None:
    device.control.put("shop", {"db": {}})
    await page.goto(device.url)
    await expect(tile(page, "shop", "db")).to_be_visible()
    await tab(page)
    await page.keyboard.press("Enter")

    await expect(page.locator("#apps-title")).to_be_focused()
    assert (await tab(page))["name"] == "Restart: shop"


async def test_arrows_go_from_service_to_service(page: Page, device: Device) -> None:
    device.control.put("shop", {"api": {}, "db": {}, "web": {}})
    await page.goto(device.url)
    await tile(page, "shop", "api").focus()
    for key, service in (
        ("ArrowRight", "db"),
        ("ArrowDown", "web"),
        ("ArrowRight", "web"),
        ("ArrowLeft", "db"),
        ("Home", "api"),
        ("ArrowUp", "api"),
        ("End", "web"),
    ):
        await page.keyboard.press(key)
        await expect(tile(page, "shop", service)).to_be_focused()
    stops = await row(page, "shop").locator(".tile").evaluate_all("all => all.map((one) => one.tabIndex)")
    assert stops == [-1, -1, 0]


async def test_a_service_is_stopped_without_a_mouse(page: Page, device: Device) -> None:
    device.control.put("shop", {"db": {}, "web": {}})
    await page.goto(device.url)
    await tile(page, "shop", "db").focus()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await expect(page.locator("#panel-title")).to_be_focused()
    await tab(page, 2)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog").get_by_role("heading")).to_have_text("Stop web of shop?")
    await tab(page)
    await page.keyboard.press("Enter")

    await expect(page.locator("#panel-word")).to_have_text("Stopped")
    assert list(device.control.run_states) == [("shop", "web")]


async def test_esc_closes_what_is_on_top_and_the_focus_goes_back(page: Page, device: Device) -> None:
    device.control.put("shop", {"db": {}, "web": {}})
    await page.goto(device.url)
    await tile(page, "shop", "db").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#panel-title")).to_be_focused()
    await tab(page)
    await page.keyboard.press("Space")
    await expect(page.get_by_role("dialog")).to_be_visible()

    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page.locator("#panel")).to_be_visible()
    await expect(page.locator("#panel-actions button").first).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#panel")).to_be_hidden()
    await expect(tile(page, "shop", "db")).to_be_focused()


async def test_the_focus_stays_where_it_is_while_things_change(page: Page, device: Device) -> None:
    device.control.put("alpha", {"web": {}})
    device.control.put("shop", {"db": {}, "web": {}})
    await page.goto(device.url)
    await tile(page, "shop", "db").focus()
    await page.evaluate("performance.now = () => 1e9")  # nobody has been at the list for long

    device.control.put("shop", {"db": {}, "web": {"state": "Exited", "ready": False}}, state="Degraded")
    device.control.drop("alpha")
    device.say("Exited", "shop/web ended", app="shop", type="Warning")
    device.say("Deleted", "nothing is left of alpha", app="alpha")

    await expect(page.locator("li.app")).to_have_count(1)
    await expect(tile(page, "shop", "db")).to_be_focused()
    assert await page.locator("#alarm").text_content() == "shop/web ended"


async def test_roles_and_names_are_there_for_screen_readers(page: Page, device: Device) -> None:
    device.control.put("shop", {"web": {}}, state="Updating", why="web: pulling web:2")
    await page.goto(device.url)
    await tile(page, "shop", "web").click()

    await expect(page.get_by_role("main")).to_be_visible()
    await expect(page.get_by_role("banner")).to_be_visible()
    await expect(page.get_by_role("complementary", name="Events")).to_be_visible()
    await expect(page.get_by_role("list", name="Apps")).to_be_visible()
    await expect(page.get_by_role("toolbar", name="Services of shop")).to_be_visible()
    await expect(page.get_by_role("progressbar", name="Progress of shop")).to_be_visible()
    await expect(page.get_by_role("region", name="shop / web")).to_be_visible()
    await expect(page.get_by_role("log", name="shop / web")).to_be_visible()
    await expect(page.locator("#announcer")).to_have_attribute("role", "status")
    await expect(page.locator("#alarm")).to_have_attribute("role", "alert")
    assert await page.locator("svg:not([aria-hidden='true'])").count() == 0
