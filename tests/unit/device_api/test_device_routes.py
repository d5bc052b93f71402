"""The device itself: what it is, readiness, settings, metrics, diagnostics, and what ends the process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from iotistic.api.app import AppStatus
from tests.unit.device_api.conftest import Api
from tests.unit.device_api.described import check


async def test_the_device_shows_no_secret(shop_api: Api) -> None:
    body = check(await shop_api.tcp.get("/v1/device"))

    assert body == {
        "uuid": "0f6d5b0e-8c0f-4f7e-9a5e-0f8c6f0a1b2c",
        "deviceName": "line-3",
        "provisioned": False,
        "agentVersion": "1.2.3",
        "apps": 1,
        "status": "Idle",
        "config": {"logLevel": "info", "resyncSeconds": 60},
    }


@pytest.mark.parametrize(
    ("state", "status"), [("Updating", "Updating"), ("Deleting", "Updating"), ("Degraded", "Idle")]
)
async def test_the_device_is_updating_while_apps_change(shop_api: Api, state: str, status: str) -> None:
    (app,) = shop_api.control.apps()
    shop_api.control.apps = lambda: [app.model_copy(update={"status": AppStatus(state=state)})]

    assert check(await shop_api.unix.get("/v1/device"))["status"] == status


async def test_readiness_says_why_not(api: Api) -> None:
    assert check(await api.unix.get("/v1/readiness")) == {
        "ready": True,
        "state": "RUNNING",
        "criticalFailures": [],
        "reasons": [],
    }
    api.device.reasons = ("the engine does not answer",)

    body = check(await api.unix.get("/v1/readiness"), 503)

    assert (body["ready"], body["state"]) == (False, "ERROR")
    assert body["criticalFailures"] == body["reasons"] == ["the engine does not answer"]


async def test_settings_can_be_read_set_and_reset(api: Api) -> None:
    assert check(await api.unix.get("/v1/config")) == {"logLevel": "info", "resyncSeconds": 60}
    changed = check(await api.unix.post("/v1/config", json={"logLevel": "debug"}))
    assert changed == api.device.settings == {"logLevel": "debug", "resyncSeconds": 60}
    assert check(await api.unix.delete("/v1/config"))["logLevel"] == "info"
    assert check(await api.unix.post("/v1/config", json={})) == api.device.settings


async def test_bad_settings_change_nothing_and_all_are_named(api: Api) -> None:
    body = check(await api.unix.post("/v1/config", json={"logLevel": "debug", "no": 1, "neither": 2}), 422)

    assert [one["path"] for one in body["problems"]] == ["no", "neither"]
    assert api.device.settings["logLevel"] == "info"


@pytest.mark.parametrize("body", [[1], "text", 7, None])
async def test_settings_are_an_object(api: Api, body: Any) -> None:
    check(await api.unix.post("/v1/config", json=body), 400)


async def test_metrics_are_prometheus_text(api: Api) -> None:
    answer = await api.tcp.get("/metrics", headers={"Authorization": "Bearer x"})

    assert answer.text == "# TYPE iotistic_apps gauge\niotistic_apps 1\n"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_diagnostics_are_ok_until_one_check_fails(api: Api) -> None:
    body = check(await api.unix.get("/v1/diagnostics"))
    assert (body["ok"], [one["status"] for one in body["items"]]) == (True, ["OK", "WARN"])

    async def failing() -> list[dict[str, str]]:
        return [{"name": "Clock", "status": "FAIL", "text": "off by 9 years", "advice": "set it"}]

    api.device.diagnose = failing
    assert check(await api.unix.get("/v1/diagnostics"))["ok"] is False


async def test_connection_health_where_there_is_one(api: Api) -> None:
    assert check(await api.unix.get("/v1/connection")) == {
        "status": "offline",
        "uptime": 3.5,
        "pollSuccessRate": 0.0,
    }


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/v1/reboot", 202, {"Data": "Agent restarting", "Error": None}),
        ("/v1/shutdown", 202, {"Data": "Shutdown scheduled", "Error": None}),
        ("/v1/factory-reset", 200, {"message": "everything is removed", "status": "factory-reset"}),
    ],
)
@pytest.mark.parametrize("sent", [{}, None])
async def test_what_ends_the_process(api: Api, path: str, status: int, body: Any, sent: Any) -> None:
    answer = await api.unix.post(path) if sent is None else await api.unix.post(path, json=sent)

    assert check(answer, status) == body
    assert api.device.asked == [path.removeprefix("/v1/")]


@pytest.mark.parametrize("path", ["/ping", "/v1/healthy"])
async def test_health_can_be_asked_without_a_body(api: Api, path: str) -> None:
    """`wget --spider` and many load balancers send HEAD."""
    answer = await api.unix.head(path)
    assert (answer.status_code, answer.text) == (200, "")

    api.control.unwell = ("stuck",)
    assert (await api.unix.head("/v1/healthy")).status_code == 500


async def test_parts_that_are_not_there_have_no_routes(folder: Path) -> None:
    from iotistic.bus import Bus
    from iotistic.device_api.app import create_app
    from tests.unit.device_api.memory import Memory

    paths = create_app(control=Memory(), bus=Bus(), version="1", install="x").openapi()["paths"]

    assert "/v1/restart" in paths
    assert {
        "/v1/device",
        "/v1/purge",
        "/v1/usage",
        "/v1/images",
        "/v1/logs",
        "/v1/connection",
    } & paths.keys() == set()
