"""What states and sentences become: the page's pure functions, run where they run."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page

from tests.browser.device import Device

CALL = """async ([module, name, args]) =>
  (await import(`/dashboard/${module}.js`))[name](...args)"""


async def call(page: Page, name: str, *args: Any, module: str = "words") -> Any:
    """What a function of the page answers."""
    return await page.evaluate(CALL, [module, name, list(args)])


def app(state: str, why: str = "", *, release: str = "1", **services: dict[str, Any]) -> dict[str, Any]:
    """An App as the API tells it."""
    told = [{"name": name, "ready": True, "runState": "Running"} | one for name, one in services.items()]
    return {
        "metadata": {"name": "shop"},
        "spec": {"services": [{"name": name, "image": f"{name}:1"} for name in services]},
        "status": {"state": state, "why": why, "release": release, "services": told},
    }


async def test_services(page: Page, device: Device) -> None:
    await page.goto(device.url)
    for state, ready, word, tone, mark in (
        ("Running", True, "Ready", "good", "check"),
        ("Completed", True, "Completed", "good", "done"),
        ("Stopped", True, "Stopped", "off", "stop"),
        ("Paused", True, "Paused", "off", "pause"),
        ("CrashLoop", False, "Crash loop", "bad", "alert"),
        ("Failed", False, "Failed", "bad", "alert"),
        ("Unhealthy", False, "Unhealthy", "bad", "alert"),
        ("Exited", False, "Exited", "bad", "alert"),
        ("Dead", False, "Dead", "bad", "alert"),
        ("Restarting", False, "Restarting", "warn", "alert"),
        ("Pulling", False, "Pulling", "busy", "down"),
        ("Waiting", False, "Waiting", "busy", "clock"),
        ("Starting", False, "Starting", "busy", "turn"),
        ("Stopping", False, "Stopping", "busy", "turn"),
        ("SomethingNew", False, "Something new", "busy", "turn"),
    ):
        looks = await call(page, "serviceLook", {"state": state, "ready": ready})
        assert looks == {"tone": tone, "mark": mark, "word": word}, state


async def test_apps_and_the_device(page: Page, device: Device) -> None:
    await page.goto(device.url)
    lost = "release 2: web never became ready (GET :80/ -> 500)"
    said = "web never became ready (GET :80/ → 500)"
    for state, why, tone, health, text in (
        ("Ready", "", "good", "Well", ""),
        ("Stopped", "", "off", "Well", ""),
        ("Updating", "web: pulling web:2", "busy", "Updating", "web: pulling web:2"),
        ("Undoing", f"{lost}; going back", "warn", "Needs attention", f"Release 2: {said}; going back"),
        ("Undone", lost, "warn", "Needs attention", f"Release 2 was undone: {said}. Release 1 serves."),
        ("Failed", lost, "bad", "Needs attention", f"Release 2 has failed: {said}."),
        ("Degraded", "web: exit 1", "bad", "Needs attention", "web: exit 1"),
        ("Stalled", "data would be lost", "bad", "Needs attention", "Data would be lost"),
        ("Held", "suspended", "off", "Well", "Suspended"),
        ("Deleting", "going", "off", "Deleting", "Going"),
        ("Orphaned", "orphaned: apply", "warn", "Needs attention", "Orphaned: apply"),
        ("", "", "off", "Well", ""),
        ("SomethingNew", "", "off", "Well", ""),
    ):
        one = app(state, why, web={})
        assert (await call(page, "appLook", one))["tone"] == tone, state
        assert await call(page, "whyText", one) == text, state
        told = await call(page, "health", {"apps": [one], "ailments": [], "lost": None})
        assert told["word"] == health, state


async def test_releases(page: Page, device: Device) -> None:
    await page.goto(device.url)
    for services, text in (
        ({"web": {"release": "1"}}, "release 1"),
        ({"web": {}}, "release 1"),
        ({"web": {"release": "0"}, "db": {"release": "1"}}, "release 0 → 1"),
    ):
        assert await call(page, "releaseText", app("Updating", **services)) == text


async def test_small_words(page: Page, device: Device) -> None:
    await page.goto(device.url)
    for name, args, answer in (
        ("list", [[]], ""),
        ("list", [["web"]], "web"),
        ("list", [["db", "api", "web"]], "db, api and web"),
        ("shortImage", ["docker.io/library/web:2"], "web:2"),
        ("shortImage", ["docker.io/grafana/grafana:10"], "grafana/grafana:10"),
        ("shortImage", ["registry.example:5000/web:latest"], "registry.example:5000/web"),
        ("shortImage", [f"web@sha256:{'ab' * 32}"], "web@sha256:abababababab"),
        ("shortImage", [""], ""),
        ("sentence", ["started shop/web (web:1 -> web:2)"], "Started shop/web (web:1 → web:2)"),
        ("sentence", ["web/x: exit 1", ["web"]], "web/x: exit 1"),
        ("sentence", ["since 2026-03-04T12:02:00.028Z."], "Since Mar 4, 12:02."),
        ("full", ["try again in a second"], "Try again in a second."),
        ("full", ["Is it running?"], "Is it running?"),
        ("full", ["iotctl retry shop"], "iotctl retry shop"),
        ("full", [""], ""),
        ("age", ["no time"], ""),
        ("clock", ["no time"], ""),
        ("address", ["8080->80/tcp", "box"], {"text": "8080 → 80", "href": "http://box:8080/"}),
        ("address", ["53->53/udp", "box"], {"text": "53 → 53/udp", "href": ""}),
        ("address", ["5432->5432/tcp", "box"], {"text": "5432 → 5432", "href": ""}),
    ):
        assert await call(page, name, *args) == answer, (name, args)
