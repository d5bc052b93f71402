"""50 Apps with 10 services each: what has not changed costs nothing."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, expect

from tests.browser.device import Device

WATCH = """() => {
  window.changes = [];
  const rowOf = (node) => (node.closest ? node : node.parentElement)?.closest("li.app");
  const name = (node) => rowOf(node)?.querySelector("h3").textContent;
  new MutationObserver((all) => changes.push(...all.map((one) => name(one.target))))
    .observe(document.querySelector("#app-list"), {
      subtree: true, childList: true, attributes: true, characterData: true });
}"""


def fill(device: Device) -> None:
    """50 Apps with 10 services each."""
    for number in range(50):
        services: dict[str, dict[str, Any]] = {f"service-{one}": {} for one in range(10)}
        device.control.put(f"app-{number:02}", services)


async def test_all_tiles_are_there_and_what_is_unchanged_is_not_touched(page: Page, device: Device) -> None:
    fill(device)
    await page.goto(device.url)
    await expect(page.locator(".tile")).to_have_count(500)
    await page.evaluate(WATCH)

    async with page.expect_response("**/v1/apps"):
        for number in range(8):
            device.say("Started", "started again", app=f"app-{number:02}")
    await page.wait_for_timeout(300)
    assert await page.evaluate("changes") == []

    services: dict[str, dict[str, Any]] = {f"service-{one}": {} for one in range(10)}
    services["service-3"] = {"state": "Exited", "ready": False, "reason": "exit 1"}
    device.control.put("app-00", services, state="Updating", why="service-3: exit 1")
    async with page.expect_response("**/v1/apps/app-00"):
        device.say("Exited", "app-00/service-3 ended", app="app-00")
    await expect(page.locator(".tile[data-tone='bad']")).to_have_count(1)
    assert set(await page.evaluate("changes")) == {"app-00"}


async def test_many_events_at_once_are_few_looks(page: Page, device: Device) -> None:
    fill(device)
    await page.goto(device.url)
    await expect(page.locator(".tile")).to_have_count(500)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/v1/apps" in request.url else None)
    for number in range(50):
        device.say("Started", f"started app-{number:02}/web", app=f"app-{number:02}")
    await expect(page.locator("#event-list li")).to_have_count(50)
    await page.wait_for_timeout(600)

    assert 1 <= len(asked) <= 3, asked
