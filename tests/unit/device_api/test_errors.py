"""Every error has the same shape: what went wrong, on what, and what to do now."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from iotistic.api import errors
from iotistic.device_api.frame import Frame
from iotistic.device_api.problems import problem
from tests.unit.device_api.conftest import Api
from tests.unit.device_api.memory import shop

FIELDS = {"type", "title", "status", "detail", "reason", "hint", "error", "message"}
CODES = {
    "EdgeError": 500,
    "InvalidResourceError": 422,
    "NotFoundError": 404,
    "ConflictError": 409,
    "LockedError": 423,
    "StoreError": 500,
    "StoreDamagedError": 500,
    "EngineError": 502,
    "EngineUnreachableError": 503,
    "NoSpaceError": 507,
    "ImageNotFoundError": 502,
    "RegistryError": 502,
}


def kinds(kind: type[errors.EdgeError] = errors.EdgeError) -> Iterator[type[errors.EdgeError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from kinds(one)


def check(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body.keys() - {"problems"} == FIELDS
    assert body["status"] == status
    assert body["message"] == body["detail"] != ""
    return body


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.__name__)
async def test_every_kind_of_error_has_its_code(api: Api, kind: type[errors.EdgeError]) -> None:
    if kind is errors.InvalidResourceError:
        one = errors.Problem(
            resource="App shop", path="spec", message="is wrong", hint="mend it", source="f", line=3
        )
        api.control.failure = errors.InvalidResourceError([one])
    else:
        api.control.failure = kind("it went wrong", hint="do something")

    body = check(await api.unix.get("/v1/apps"), CODES[kind.__name__])

    assert body["reason"] == kind.reason
    if kind is errors.InvalidResourceError:
        assert body["problems"] == [
            {
                "resource": "App shop",
                "path": "spec",
                "message": "is wrong",
                "hint": "mend it",
                "source": "f",
                "line": 3,
            }
        ]
    else:
        assert (body["detail"], body["hint"]) == ("it went wrong", "do something")


def test_text_that_is_no_unicode_can_be_told() -> None:
    """Names of files and output of engines may hold such."""
    body = problem(500, "the file a\udcff is \ud800 strange ✓").body

    assert json.loads(body)["detail"] == "the file a\udcff is \ud800 strange ✓"
    assert "✓".encode() in body


async def test_a_defect_is_a_plain_500_and_told_in_the_log(api: Api) -> None:
    api.control.failure = RuntimeError("the password is hunter2")

    with capture_logs() as logs:
        body = check(await api.unix.get("/v1/apps/shop"), 500)

    assert "hunter2" not in str(body)
    assert body["error"] == "Internal server error"
    assert [(line["event"], line["path"]) for line in logs] == [("api_request_failed", "/v1/apps/{name}")]
    assert logs[0]["exc_info"]


@pytest.mark.parametrize(
    ("method", "path", "detail"),
    [
        ("GET", "/", "there is no route GET /"),
        ("GET", "/v2/apps", "there is no route GET /v2/apps"),
        ("GET", "/v1/apps/", "there is no route GET /v1/apps/"),
        ("GET", "/v1/apps/none", "no App 'none' on this device"),
        ("GET", "/v1/apps/4711", "no App '4711' on this device"),
        ("POST", "/v1/apps/none/stop", "no App 'none' on this device"),
        ("DELETE", "/v1/apps/none", "no App 'none' on this device"),
        ("GET", "/v1/apps/none/logs", "no App 'none' on this device"),
        ("GET", "/v1/services?app=none", "no App 'none' on this device"),
        ("GET", "/v1/apps/shop/services/none", "no service 'none' in App shop"),
        ("POST", "/v1/apps/shop/services/none/stop", "no service 'none' in App shop"),
        ("GET", "/v1/apps/shop/services/none/logs", "no service 'none' in App shop"),
        ("POST", "/v1/services/none/start", "no service 'none' in this device"),
        ("GET", "/v1/services/none/logs", "no service 'none' in this device"),
        ("GET", "/v1/secrets/none", "no Secret 'none' on this device"),
        ("DELETE", "/v1/configmaps/none", "no ConfigMap 'none' on this device"),
    ],
)
async def test_not_found(api: Api, method: str, path: str, detail: str) -> None:
    await api.control.apply([shop()])

    body = check(await api.unix.request(method, path), 404)

    assert (body["detail"], body["error"], body["reason"]) == (detail, "Not found", "NotFound")


async def test_not_found_names_what_there_is(api: Api) -> None:
    await api.control.apply([shop()])

    body = check(await api.unix.get("/v1/services/wbe"), 404)

    assert body["hint"] == "services there: shop-db-2, shop-web-1"


async def test_a_wrong_method_names_the_right_ones(api: Api) -> None:
    answer = await api.unix.post("/ping")

    assert check(answer, 405)["detail"] == "POST /ping: this path takes GET"
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ('{"documents": [\n  {"a" 1}]}', "the body is not JSON: Expecting ':' delimiter at line 2, column 8"),
        ("{", "the body is not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
        ("apiVersion: v1", "the body is not JSON: Expecting value at line 1, column 1"),
    ],
)
async def test_bad_json_is_told_with_its_position(api: Api, text: str, detail: str) -> None:
    answer = await api.unix.post("/v1/apply", content=text, headers={"Content-Type": "application/json"})

    body = check(answer, 400)
    assert (body["detail"], body["error"]) == (detail, "Bad request")


@pytest.mark.parametrize(
    ("method", "path", "body", "where"),
    [
        ("POST", "/v1/apply", {}, "documents"),
        ("POST", "/v1/apply", {"documents": {}}, "documents"),
        ("POST", "/v1/apply", {"documents": [1]}, "documents[0]"),
        ("POST", "/v1/apply", {"documents": [], "force": True}, "force"),
        ("POST", "/v1/apply", None, ""),
        ("PUT", "/v1/apps/shop", [1], ""),
        ("POST", "/v1/apply?dryRun=maybe", {"documents": []}, "dryRun"),
        ("GET", "/v1/apps/shop/logs?tail=-1", None, "tail"),
        ("GET", "/v1/apps/shop/logs?tail=all", None, "tail"),
        ("GET", "/v1/events?after=x", None, "after"),
        ("DELETE", "/v1/apps/shop?purge=please", None, "purge"),
    ],
)
async def test_bad_requests_name_the_field(api: Api, method: str, path: str, body: Any, where: str) -> None:
    content = {} if body is None else {"json": body}

    answer = check(await api.unix.request(method, path, **content), 400)

    assert [one["path"] for one in answer["problems"]] == [where]
    assert where in answer["detail"]


async def test_a_body_of_another_type_is_told_how_to_send_it(api: Api) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    body = check(await api.unix.post("/v1/apply", content=b'{"documents": []}', headers=form), 400)

    assert body["hint"] == "send the body with Content-Type: application/json"


async def test_a_misspelt_parameter_never_becomes_a_real_apply(api: Api) -> None:
    body = check(await api.unix.post("/v1/apply?dry_run=true", json={"documents": [shop()]}), 400)

    assert (body["detail"], body["hint"]) == ("unknown query parameter 'dry_run'", "did you mean dryRun?")
    assert api.control.stored == {}
    assert check(await api.unix.get("/v1/apps?x=1"), 400)["hint"] == "this route takes none"


async def test_bad_documents_change_nothing(api: Api) -> None:
    bad = shop(name="till") | {"spec": {"services": [{"name": "ui"}]}}

    body = check(await api.unix.post("/v1/apply", json={"documents": [shop(), bad]}), 422)

    assert [one["path"] for one in body["problems"]] == ["spec.services.0.image"]
    assert api.control.stored == {}


@pytest.mark.parametrize(
    ("path", "change", "where"),
    [
        ("/v1/apps/till", {}, ["metadata.name"]),
        ("/v1/apps/1001", {}, ["metadata.name"]),
        ("/v1/apps/shop", {"kind": "Secret"}, ["kind"]),
        ("/v1/apps/till", {"kind": "Secret"}, ["kind", "metadata.name"]),
    ],
)
async def test_put_refuses_another_thing_than_the_address_says(
    api: Api, path: str, change: dict[str, str], where: list[str]
) -> None:
    body = check(await api.unix.put(path, json=shop() | change), 422)

    assert [one["path"] for one in body["problems"]] == where
    assert (api.control.stored, api.control.core) == ({}, {})


async def test_an_ambiguous_address_names_all_it_could_mean(api: Api) -> None:
    await api.control.apply([shop("web"), shop("web", name="till")])

    body = check(await api.unix.post("/v1/services/web/stop"), 409)

    assert body["detail"] == "'web' could be shop-web-1, till-web-1"
    assert api.control.run_states == {}
    assert (await api.unix.post("/v1/services/web/stop?app=till")).json()["app"] == "till"


async def test_a_document_in_use_is_kept(api: Api) -> None:
    await api.control.apply([{"kind": "Secret", "metadata": {"name": "used"}, "data": {}}])

    assert check(await api.unix.delete("/v1/secrets/used"), 409)["hint"] == "delete the App first"


async def test_version_answers_without_the_engine(api: Api) -> None:
    api.control.failure = errors.EngineUnreachableError("no answer from the engine")

    body = (await api.unix.get("/v1/version")).json()

    assert body["version"] == "1.2.3"
    assert body["engine"]["error"] == "no answer from the engine"


async def test_errors_of_the_engine_before_the_first_line_are_proper_answers(api: Api) -> None:
    await api.control.apply([shop()])
    api.control.run_states.clear()
    opened = api.control.logs

    async def failing(*_: Any, **__: Any) -> Any:
        raise errors.EngineUnreachableError("gone", hint="start it")
        yield

    api.control.logs = failing
    assert check(await api.unix.get("/v1/apps/shop/logs?follow=true"), 503)["hint"] == "start it"
    api.control.logs = opened
    assert (await api.unix.get("/v1/apps/shop/logs")).status_code == 200


class TestBodies:
    """Bodies are bounded, whether announced or not."""

    @pytest.mark.parametrize("path", ["/v1/apply", "/v1/plan"])
    async def test_an_announced_body_is_refused_at_once(self, api: Api, path: str) -> None:
        check(await api.tcp.post(path, content=b" " * (10 * 1024 * 1024 + 1)), 413)

    async def test_a_chunked_body_is_refused_when_it_gets_too_large(self, api: Api) -> None:
        async def chunks() -> Any:
            for _ in range(11):
                yield b" " * 1024 * 1024

        headers = {"Content-Type": "application/json"}
        check(await api.unix.post("/v1/apply", content=chunks(), headers=headers), 413)

    async def test_a_large_body_below_the_limit_is_taken(self, api: Api) -> None:
        document = shop() | {"metadata": {"name": "shop", "annotations": {"a": "x" * 9_000_000}}}

        assert (await api.tcp.post("/v1/apply", json={"documents": [document]})).status_code == 200

    async def test_a_body_that_does_not_come_is_given_up(self, api: Api) -> None:
        frame = Frame(api.app, body_seconds=0.05)

        async def never() -> Any:
            await asyncio.sleep(5)

        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/apply",
            "query_string": b"",
            "headers": headers,
            "state": {},
        }
        await asyncio.wait_for(frame(scope, never, send), 2)

        assert sent[0]["status"] == 408
