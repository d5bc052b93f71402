"""What the page shows of Apps and services, and that it is never taken for HTML."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from iotistic.api.appservice import RunState
from iotistic.controllers.base import Explanation
from tests.browser.device import Device

BAD = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def row(page: Page, app: str) -> Locator:
    """The row of an App."""
    return page.locator("li.app").filter(has=page.get_by_role("heading", name=app, exact=True))


def tile(page: Page, app: str, service: str) -> Locator:
    """The tile of a service."""
    return row(page, app).locator(".tile").filter(has=page.get_by_text(service, exact=True))


async def test_an_empty_device_says_what_to_type(page: Page, device: Device) -> None:
    await page.goto(device.url)

    await expect(page.locator("#empty")).to_contain_text("iotctl apply -f hello.yaml")
    await expect(page.locator("#empty-remote")).to_have_text(f"iotctl --url {device.url} apply -f hello.yaml")
    await expect(page.locator("#health")).to_have_text("Well No App yet.", use_inner_text=True)
    await expect(page.locator("#events-note")).to_have_text("Nothing has happened since the agent started.")


async def test_an_app_that_is_applied_shows_up_by_itself(page: Page, device: Device) -> None:
    await page.goto(device.url)
    await expect(page.locator("#empty")).to_be_visible()

    device.control.put("shop", {"db": {}, "web": {}})
    device.say("Applied", "App shop: release 1 is wanted", app="shop")

    await expect(row(page, "shop")).to_contain_text("release 1 · 2 services")
    await expect(page.locator("#empty")).to_be_hidden()
    await expect(page.locator("#health-why")).to_have_text("1 App with 2 services, all as wanted.")


async def test_states_and_names_are_words_and_no_boxes(page: Page, device: Device) -> None:
    device.control.put("shop", {"sensor": {}})
    await page.goto(device.url)
    await expect(row(page, "shop")).to_be_visible()
    edges = "all => all.map((one) => getComputedStyle(one).borderTopWidth)"
    found = await page.locator(".word, .tile-name").evaluate_all(edges)
    assert len(found) >= 3
    assert set(found) == {"0px"}


async def test_an_app_that_is_gone_leaves_by_itself(page: Page, device: Device) -> None:
    device.control.put("shop", {"db": {}})
    await page.goto(device.url)
    await expect(row(page, "shop")).to_be_visible()

    device.control.drop("shop")
    device.say("Deleted", "nothing is left of shop", app="shop")

    await expect(page.locator("#empty")).to_be_visible()
    await expect(page.locator("li.app")).to_have_count(0)


async def test_every_mark_that_is_named_is_drawn(page: Page, device: Device) -> None:
    states = ["Running", "Completed", "Stopped", "Paused", "CrashLoop", "Pulling", "Waiting", "Starting"]
    ready = {"Running", "Completed", "Stopped", "Paused"}
    services = {
        state.lower(): {"state": state, "ready": state in ready, "reason": "because"} for state in states
    }
    device.control.put("shop", services)
    for state in ("Stalled", "Undone", "Held", "Deleting", "Orphaned", "Elsewhere"):
        device.control.put(state.lower(), {"web": {}}, state=state)
    await page.goto(device.url)
    await expect(page.locator("li.app")).to_have_count(7)

    used = await page.locator("use").evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    drawn = await page.locator("defs > g").evaluate_all("all => all.map((one) => `#${one.id}`)")
    assert set(used) <= set(drawn)
    assert len(set(used)) > 12
    await expect(tile(page, "shop", "crashloop").locator(".tile-note")).to_have_text("Because")
    await expect(tile(page, "shop", "running").locator(".tile-note")).to_have_text("running:1")


async def test_a_release_that_comes_in_shows_how_far_it_is(page: Page, device: Device) -> None:
    pulling = {"state": "Pulling", "ready": False, "reason": "pulling web:2 2.0 of 8.0 MB", "release": "1"}
    device.control.put(
        "shop", {"db": {"release": "2"}, "web": pulling}, state="Updating", release="2", why="web: pulling"
    )
    await page.goto(device.url)

    await expect(row(page, "shop").locator(".facts")).to_have_text("release 1 → 2 · 1 of 2 services ready")
    bar = row(page, "shop").get_by_role("progressbar")
    await expect(bar).to_have_attribute("aria-valuenow", "1")
    await expect(bar).to_have_attribute("aria-valuemax", "2")
    widths = await bar.locator("b").evaluate_all("all => all.map((one) => one.style.width)")
    assert widths == ["100%", "25%"]

    device.control.scripts["shop"]["services"]["web"]["reason"] = "pulling web:2 6.0 of 8.0 MB"
    note = tile(page, "shop", "web").locator(".tile-note")
    await expect(note).to_have_text("web:2 6.0 of 8.0 MB")  # without an event: it looks by itself
    assert await tile(page, "shop", "web").locator("b").evaluate("one => one.style.width") == "75%"


async def test_what_needs_attention_comes_first_then_what_moves(page: Page, device: Device) -> None:
    for name in ("alpha", "beta", "gamma"):
        device.control.put(name, {"web": {}})
    device.control.put("news", {"web": {}}, state="Updating", why="web: pulling web:2")
    device.control.put("kiosk", {"web": {}}, state="Undone", why="release 2: web never became ready")
    device.control.put("omega", {"web": {}}, state="Degraded", why="web: exit 1")
    await page.goto(device.url)

    await expect(page.locator("li.app h3")).to_have_text(["omega", "kiosk", "news", "alpha", "beta", "gamma"])
    await expect(page.locator("#health-why")).to_have_text("omega: web: exit 1 (and 1 more App)")


async def test_nothing_changes_its_place_under_somebodys_hand(page: Page, device: Device) -> None:
    for name in ("alpha", "beta"):
        device.control.put(name, {"web": {}})
    await page.goto(device.url)
    await row(page, "alpha").hover()

    device.control.put("beta", {"web": {}}, state="Degraded", why="web: exit 1")
    device.say("CrashLoop", "beta/web exited", app="beta", type="Warning")

    await expect(row(page, "beta")).to_contain_text("Degraded")
    await expect(page.locator("li.app h3")).to_have_text(["alpha", "beta"])


async def test_many_apps_can_be_filtered(page: Page, device: Device) -> None:
    for number in range(8):
        device.control.put(f"app-{number}", {"web": {}})
    device.control.put("till", {"pay": {"state": "CrashLoop", "ready": False, "reason": "exit 137"}})
    device.say("Started", "started till/pay", app="till")
    device.say("Started", "started app-1/web", app="app-1")
    await page.goto(device.url)
    await expect(page.locator("li.app")).to_have_count(9)

    await page.keyboard.press("/")
    await page.keyboard.type("exit 137")
    await expect(page.locator("li.app h3")).to_have_text(["till"])
    await expect(page.locator("#apps-note")).to_have_text("1 of 9 Apps.")
    await page.fill("#filter", "till")
    await expect(page.locator("#event-list li:visible")).to_have_count(1)
    await page.fill("#filter", "nowhere")
    await expect(page.locator("#apps-note")).to_have_text("No App fits.")
    await expect(page.locator("#events-note")).to_have_text("No event fits.")
    await page.fill("#filter", "")
    await expect(page.locator("li.app")).to_have_count(9)


async def test_what_helps_is_told_with_what_to_type(page: Page, device: Device) -> None:
    device.control.put("shop", {"web": {}}, state="Stalled", why="it would lose data")
    device.releases.explanation = Explanation(
        app="shop", state="Stalled", sentence="shop would lose its data", commands=("iotctl plan shop",)
    )
    await page.goto(device.url)
    await page.get_by_role("button", name="What helps shop?").click()

    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("shop would lose its data.")
    await expect(dialog.locator("code")).to_have_text("iotctl plan shop")


async def test_an_agent_that_is_unwell_says_why(page: Page, device: Device) -> None:
    device.control.unwell = ("the engine does not answer", "the loop is late")
    await page.goto(device.url)

    await expect(page.locator("#health-word")).to_have_text("Trouble")
    await expect(page.locator("#health-why")).to_have_text("The engine does not answer; the loop is late.")


async def test_nothing_of_a_resource_becomes_html(page: Page, device: Device) -> None:
    bad_service = {
        "state": BAD,
        "ready": False,
        "reason": BAD,
        "image": BAD,
        "release": BAD,
        "ports": [f"{BAD}->80/tcp"],
        "since": BAD,
    }
    device.control.put("shop", {"web": bad_service}, state="Degraded", why=BAD, release=BAD)
    device.releases.explanation = Explanation(app="shop", state=BAD, sentence=BAD, commands=(BAD,))
    device.say("Started", BAD, app="shop", service="web")
    device.say("Failed", BAD, app=BAD, service=BAD, type="Warning", hint=BAD)
    await device.control.write_line("web", BAD)
    device.facts.device = lambda: {"deviceName": BAD}  # type: ignore[method-assign]
    await page.goto(device.url)
    await expect(page.locator("#name")).to_have_text(BAD)
    await tile(page, "shop", "web").click()
    await expect(page.locator(".line span")).to_have_text(BAD)
    await page.get_by_role("button", name="What helps shop?").click()
    await expect(page.get_by_role("dialog").locator("code")).to_have_text(BAD)

    await expect(page.locator("#event-list .said").first).to_contain_text(BAD)
    assert await page.locator("script").count() == 2, "those of the page itself"
    assert await page.locator("img").count() == 2, "those of the page itself"
    links = await page.locator("a").evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    assert all(link.startswith(("#", "http://127.0.0.1")) for link in links), links


async def test_a_published_port_is_a_link_where_http_is_likely(page: Page, device: Device) -> None:
    ports = ["8080->80/tcp", "127.0.0.1:9000->8080/tcp", "5432->5432/tcp", "53->53/udp"]
    device.control.put("shop", {"web": {"ports": ports}})
    await page.goto(device.url)
    await tile(page, "shop", "web").click()

    values = page.locator("#panel-facts dd").last.locator("> *")
    await expect(values).to_have_text(["8080 → 80", "127.0.0.1:9000 → 8080", "5432 → 5432", "53 → 53/udp"])
    links = await values.evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    assert links == ["http://127.0.0.1:8080/", "http://127.0.0.1:9000/", None, None]


async def test_a_service_that_was_stopped_by_hand_looks_stopped(page: Page, device: Device) -> None:
    device.control.put("shop", {"db": {}, "web": {}})
    await page.goto(device.url)
    await expect(tile(page, "shop", "web").locator(".word")).to_have_text("Ready")

    await device.control.set_run_state("shop", "web", RunState.STOPPED)
    device.say("Stopped", "stopped shop/web", app="shop", service="web")

    await expect(tile(page, "shop", "web").locator(".word")).to_have_text("Stopped")
    await expect(tile(page, "shop", "db").locator(".word")).to_have_text("Ready")
