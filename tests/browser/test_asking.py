"""Nothing is done before it was said what will happen and somebody agreed."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from iotistic.api.appservice import RunState
from iotistic.api.errors import LockedError
from iotistic.controllers.base import Revision
from tests.browser.device import Device
from tests.browser.test_apps import row, tile
from tests.browser.test_words import app, call


@pytest.fixture
def shop(device: Device) -> Device:
    """db <- api <- web, and web publishes a port."""
    device.control.put(
        "shop",
        {
            "db": {},
            "api": {"spec": {"dependsOn": {"db": "healthy"}}},
            "web": {
                "spec": {"dependsOn": {"api": "started"}, "ports": [{"containerPort": 80, "hostPort": 8080}]}
            },
        },
    )
    return device


async def ask(page: Page, device: Device, verb: str, service: str = "") -> Locator:
    """Press a button; the dialog that it opens."""
    await page.goto(device.url)
    if service:
        await tile(page, "shop", service).click()
        await page.locator("#panel-actions").get_by_role("button", name=verb).click()
    else:
        await row(page, "shop").get_by_role("button", name=f"{verb}: shop").click()
    return page.get_by_role("dialog")


async def test_stopping_an_app_says_what_will_happen_then_does_it(page: Page, shop: Device) -> None:
    dialog = await ask(page, shop, "Stop")

    await expect(dialog.get_by_role("heading")).to_have_text("Stop shop?")
    await expect(dialog.locator("#dialog-body p")).to_have_text(
        [
            "db, api and web are stopped and stay stopped, also over reboots and new releases, "
            "until started again.",
            "Nothing answers on port 8080 meanwhile.",
            "Data in volumes stays.",
        ]
    )
    assert shop.control.run_states == {}
    await dialog.get_by_role("button", name="Stop shop").click()
    await expect(dialog).to_be_hidden()
    await expect(page.locator("#announcer")).to_contain_text("The agent was asked: Stop shop.")
    assert set(shop.control.run_states.values()) == {RunState.STOPPED}
    assert len(shop.control.run_states) == 3
    await expect(row(page, "shop").get_by_role("button", name="Start: shop")).to_be_visible()
    await expect(row(page, "shop").get_by_role("button", name="Stop: shop")).to_have_count(0)


@pytest.mark.parametrize("way", ["Escape", "Leave as it is", "beside"])
async def test_leaving_the_dialog_changes_nothing(page: Page, shop: Device, way: str) -> None:
    dialog = await ask(page, shop, "Stop")
    await expect(dialog.get_by_role("button", name="Leave as it is")).to_be_focused()
    if way == "Escape":
        await page.keyboard.press("Escape")
    elif way == "beside":
        await page.mouse.click(5, 400)
    else:
        await dialog.get_by_role("button", name=way).click()

    await expect(dialog).to_be_hidden()
    await expect(row(page, "shop").get_by_role("button", name="Stop: shop")).to_be_focused()
    assert shop.control.run_states == {}


async def test_restarting_an_app(page: Page, shop: Device) -> None:
    dialog = await ask(page, shop, "Restart")
    await expect(dialog).to_contain_text("db, api and web are restarted, and away until up again.")
    await expect(dialog).to_contain_text("What others depend on comes first.")
    await dialog.get_by_role("button", name="Restart shop").click()
    await expect(dialog).to_be_hidden()
    assert shop.control.restarted == [("shop", None)]


async def test_stopping_one_service_names_what_goes_on_without_it(page: Page, shop: Device) -> None:
    dialog = await ask(page, shop, "Stop", "api")
    await expect(dialog).to_contain_text("api is stopped and stays stopped, also over reboots")
    await expect(dialog).to_contain_text("web depends on it and goes on without it.")
    await dialog.get_by_role("button", name="Stop api of shop").click()
    await expect(page.locator("#panel-word")).to_have_text("Stopped")
    assert shop.control.run_states == {("shop", "api"): RunState.STOPPED}

    await page.locator("#panel-actions").get_by_role("button", name="Start").click()
    await expect(dialog).to_contain_text("api runs again. Other services stay as they are.")
    await dialog.get_by_role("button", name="Start api of shop").click()
    await expect(page.locator("#panel-word")).to_have_text("Ready")


async def test_a_paused_service_can_be_started(page: Page, shop: Device) -> None:
    await shop.control.set_run_state("shop", "web", RunState.PAUSED)
    dialog = await ask(page, shop, "Start", "web")
    await expect(dialog).to_contain_text("web runs again.")
    await dialog.get_by_role("button", name="Start web of shop").click()
    await expect(page.locator("#panel-word")).to_have_text("Ready")
    assert shop.control.run_states["shop", "web"] is RunState.RUNNING


async def test_a_refusal_is_told_where_it_was_asked(page: Page, shop: Device) -> None:
    dialog = await ask(page, shop, "Restart")
    shop.control.failure = LockedError("shop is locked by plc", hint="wait until the batch is done")
    await dialog.get_by_role("button", name="Restart shop").click()

    await expect(dialog.get_by_role("alert")).to_have_text(
        "Shop is locked by plc. Wait until the batch is done."
    )
    shop.control.failure = None
    await dialog.get_by_role("button", name="Restart shop").click()
    await expect(dialog).to_be_hidden()
    assert shop.control.restarted == [("shop", None)]


async def test_an_undone_release_can_be_tried_again(page: Page, shop: Device) -> None:
    shop.control.scripts["shop"] |= {"state": "Undone", "why": "release 2: web never became ready (500)"}
    dialog = await ask(page, shop, "Try again")
    await expect(dialog.get_by_role("heading")).to_have_text("Try release 2 of shop again?")
    await expect(dialog).to_contain_text("It has 300 s to get ready, else release 1 comes back.")
    await dialog.get_by_role("button", name="Try release 2 of shop again").click()
    await expect(dialog).to_be_hidden()
    assert shop.releases.asked == [("retry", "shop", "")]


async def test_another_release_can_be_wanted(page: Page, shop: Device) -> None:
    shop.control.scripts["shop"] |= {"release": "3"}
    shop.releases.revisions = [
        Revision(release="3", digest="c", created="2026-01-03T00:00:00Z", state="serving", images=("web:3",)),
        Revision(
            release="2", digest="b", created="2026-01-02T00:00:00Z", state="quarantined", why="web: 500"
        ),
        Revision(release="1", digest="a", created="2026-01-01T00:00:00Z", state="good", images=("web:0",)),
    ]
    dialog = await ask(page, shop, "Releases")
    await expect(dialog.locator("li")).to_have_count(3)
    await expect(dialog.locator("li").first.get_by_role("button")).to_have_count(0)
    await expect(dialog.locator("li").nth(1)).to_contain_text("web: 500.")
    await dialog.get_by_role("button", name="Switch … release 1").click()
    await expect(dialog).to_contain_text("Release 1 is wanted from now on, with web:0.")
    await expect(dialog).to_contain_text("Services that differ from it are replaced")
    await dialog.get_by_role("button", name="Switch shop to release 1").click()
    await expect(dialog).to_be_hidden()
    assert shop.releases.asked == [("rollback", "shop", "1")]


async def test_of_an_undone_app_the_failed_release_is_tried_and_the_serving_one_taken(
    page: Page, shop: Device
) -> None:
    shop.control.scripts["shop"] |= {"state": "Undone", "why": "release 2: web never became ready (500)"}
    dialog = await ask(page, shop, "Releases")

    await expect(dialog.get_by_role("button", name="Try again … release 2")).to_be_visible()
    await dialog.get_by_role("button", name="Switch … release 1").click()
    await expect(dialog).to_contain_text("It serves already: nothing is replaced.")


async def test_while_it_is_undone_the_failed_release_is_not_offered(page: Page, shop: Device) -> None:
    shop.control.scripts["shop"] |= {"state": "Undoing", "why": "release 2: web is not ready; going back"}
    dialog = await ask(page, shop, "Releases")

    await expect(dialog.locator("li")).to_have_count(2)
    await expect(dialog.locator("li").first.get_by_role("button")).to_have_count(0)
    await expect(dialog.locator("#dialog-problem")).to_be_empty()


async def test_what_is_offered_in_each_state(page: Page, device: Device) -> None:
    await page.goto(device.url)
    stopped, crashing = {"runState": "Stopped"}, {"state": "CrashLoop", "ready": False}
    failed = "release 2: web never became ready"
    for one, verbs in (
        (app("Ready", web={}), ["Restart", "Stop"]),
        (app("Stopped", web=stopped), ["Start"]),
        (app("Ready", web={}, db=stopped), ["Start", "Restart", "Stop"]),
        (app("Degraded", web=crashing), ["Try again", "Restart", "Stop"]),
        (app("Undone", failed, web={}), ["Try again", "Restart", "Stop"]),
        (app("Failed", failed, web={}), ["Try again", "Restart", "Stop"]),
        (app("Updating", web={}), ["Restart", "Stop"]),
        (app("Held", web={}), []),
        (app("Deleting", web={}), []),
        (app("Orphaned", web={}), []),
    ):
        asks = await call(page, "asksOfApp", one, module="asking")
        assert [ask["verb"] for ask in asks] == verbs, one["status"]
        assert all(ask["said"] and all(ask["said"]) for ask in asks)
