"""Releases of an App, what holds it back, and the original's routes with the App in the body."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.device_api.conftest import Api
from tests.unit.device_api.described import check


@pytest.mark.parametrize("name", ["shop", "1001"])
async def test_history_is_newest_first(shop_api: Api, name: str) -> None:
    first, second = check(await shop_api.unix.get(f"/v1/apps/{name}/history"))["items"]

    assert first == {
        "release": "2",
        "digest": "d2",
        "created": "2026-01-02T00:00:00Z",
        "state": "quarantined",
        "why": "web: never ready",
        "images": ["web:2"],
    }
    assert (second["release"], second["state"]) == ("1", "serving")


@pytest.mark.parametrize(
    ("body", "asked", "release"),
    [({"release": "2"}, "2", "2"), ({"release": None}, "", "1"), ({}, "", "1"), (None, "", "1")],
)
async def test_rollback(shop_api: Api, body: Any, asked: str, release: str) -> None:
    sent = {} if body is None else {"json": body}
    answer = check(await shop_api.unix.post("/v1/apps/1001/rollback", **sent))

    assert (answer["name"], answer["release"], answer["result"]) == ("shop", release, "configured")
    assert shop_api.releases.asked == [("rollback", "shop", asked)]


async def test_rollback_to_an_unknown_release_names_the_known_ones(shop_api: Api) -> None:
    body = check(await shop_api.unix.post("/v1/apps/shop/rollback", json={"release": "9"}), 404)

    assert body["hint"] == "there are: 1, 2"


async def test_explain(shop_api: Api) -> None:
    body = check(await shop_api.unix.get("/v1/apps/shop/explain"))

    assert body["commands"] == ["iotctl retry shop"]
    assert body["state"] == "Undone"


@pytest.mark.parametrize(
    ("body", "service"), [(None, ""), ({}, ""), ({"service": "web"}, "web"), ({"service": "web-1"}, "web")]
)
async def test_retry_of_an_app_or_one_service(shop_api: Api, body: Any, service: str) -> None:
    sent = {} if body is None else {"json": body}
    answer = check(await shop_api.unix.post("/v1/apps/1001/retry", **sent))

    assert answer == {"app": "shop", "service": service, "status": "retrying"}
    assert shop_api.releases.asked == [("retry", "shop", service)]


async def test_recover_of_what_is_not_orphaned_is_a_conflict(shop_api: Api) -> None:
    check(await shop_api.unix.post("/v1/apps/shop/recover"), 409)


async def test_locks_can_be_set_changed_and_taken_away(shop_api: Api) -> None:
    lock = {"reason": "a batch is running ✓", "owner": "line 3", "until": "2026-01-01T12:00:00+01:00"}
    path = "/v1/apps/shop/lock"

    body = check(await shop_api.unix.post(path, json=lock))
    check(await shop_api.unix.post(path, json=lock | {"service": "web", "until": None}))

    assert body == {"app": "shop", "service": "", "status": "locked"}
    assert shop_api.releases.locks == {
        ("shop", ""): lock,
        ("shop", "web"): lock | {"until": ""},
    }
    check(await shop_api.unix.post(path, json=lock | {"owner": "another"}), 409)
    assert check(await shop_api.unix.delete(path))["status"] == "unlocked"
    assert check(await shop_api.unix.delete(f"{path}?service=web"))["service"] == "web"
    check(await shop_api.unix.delete(path), 404)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "   "}, "reason"),
        ({"owner": "x" * 201}, "owner"),
        ({"owner": "me\x1b[2J"}, "owner"),
        ({"reason": "two\nlines"}, "reason"),
        ({"reason": "back\u202ewards"}, "reason"),
        ({"until": "tomorrow"}, "until"),
        ({"until": "2026-01-01T12:00:00"}, "until"),
        ({"until": "9" * 5000}, "until"),
        ({"service": "../../etc"}, "service"),
        ({"untill": "2026-01-01T12:00:00Z"}, "untill"),
    ],
)
async def test_bad_locks_are_refused_with_the_field(
    shop_api: Api, change: dict[str, str], where: str
) -> None:
    lock = {"reason": "a batch", "owner": "line 3"} | change

    body = check(await shop_api.unix.post("/v1/apps/shop/lock", json=lock), 400)

    assert [one["path"] for one in body["problems"]] == [where]
    assert shop_api.releases.locks == {}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/apps/none/history", None),
        ("GET", "/v1/apps/none/explain", None),
        ("POST", "/v1/apps/none/rollback", {}),
        ("POST", "/v1/apps/none/retry", {}),
        ("POST", "/v1/apps/shop/retry", {"service": "none"}),
        ("POST", "/v1/apps/none/recover", None),
        ("POST", "/v1/apps/none/lock", {"reason": "a", "owner": "b"}),
        ("POST", "/v1/apps/shop/lock", {"reason": "a", "owner": "b", "service": "none"}),
        ("DELETE", "/v1/apps/none/lock", None),
        ("POST", "/v1/restart", {"appId": 4711}),
        ("POST", "/v1/purge", {"appId": "none"}),
    ],
)
async def test_nothing_of_the_kind_is_404(shop_api: Api, method: str, path: str, body: Any) -> None:
    sent = {} if body is None else {"json": body}

    assert "none" in check(await shop_api.unix.request(method, path, **sent), 404)[
        "detail"
    ] or "4711" in path + str(body)
    assert shop_api.releases.asked == []


@pytest.mark.parametrize("app_id", [1001, "1001", "shop"])
@pytest.mark.parametrize("force", [{}, {"force": True}])
async def test_the_originals_restart_and_purge(shop_api: Api, app_id: Any, force: dict[str, bool]) -> None:
    for path in ("/v1/restart", "/v1/purge"):
        answer = await shop_api.unix.post(path, json={"appId": app_id, **force})
        assert (answer.status_code, answer.text) == (200, "OK")
        assert answer.headers["content-type"].startswith("text/plain")

    assert shop_api.control.restarted == [("shop", None)]
    assert shop_api.releases.asked == [("purge", "shop")]


@pytest.mark.parametrize(
    "body", [{}, {"appId": None}, {"appId": True}, {"appId": 1.5}, {"appId": ""}, [], None]
)
async def test_a_bad_app_id_is_a_bad_request(shop_api: Api, body: Any) -> None:
    check(await shop_api.unix.post("/v1/restart", json=body), 400)
    check(await shop_api.unix.post("/v1/purge", json=body), 400)

    assert (shop_api.control.restarted, shop_api.releases.asked) == ([], [])
