"""Every route, through the real server; every answer is what OpenAPI says."""

from __future__ import annotations

from typing import Any

import pytest

from iotistic.api.app import App
from iotistic.api.appservice import AppService, RunState
from tests.unit.device_api.conftest import Api
from tests.unit.device_api.described import check
from tests.unit.device_api.memory import shop

SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "login"},
    "data": {"password": "czNjcmV0"},
}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"a": "b"}}


async def test_ping_and_healthy_are_text(api: Api) -> None:
    for path in ("/ping", "/v1/healthy"):
        answer = await api.unix.get(path)
        assert (answer.status_code, answer.text) == (200, "OK")
        assert answer.headers["content-type"].startswith("text/plain")


async def test_unhealthy_says_why(api: Api) -> None:
    api.control.unwell = ("the engine does not answer",)

    answer = await api.unix.get("/v1/healthy")

    assert (answer.status_code, answer.text) == (500, "Unhealthy\nthe engine does not answer")


async def test_version(api: Api) -> None:
    body = check(await api.tcp.get("/v1/version"))

    assert body == {
        "version": "1.2.3",
        "engine": {"kind": "simulated", "version": "1", "address": "memory", "details": {"disk": "none"}},
        "apiVersion": "iotistic.io/v1alpha1",
        "installId": "abc",
    }


async def test_apply_takes_all_documents(api: Api) -> None:
    body = check(await api.unix.post("/v1/apply", json={"documents": [SECRET, shop()]}))

    assert [(one["kind"], one["name"], one["result"]) for one in body["applied"]] == [
        ("App", "shop", "created"),
        ("Secret", "login", "created"),
    ]
    assert list(api.control.stored) == ["shop"]


async def test_a_dry_run_changes_nothing(api: Api) -> None:
    check(await api.unix.post("/v1/apply?dryRun=true", json={"documents": [shop()]}))
    check(await api.unix.put("/v1/apps/shop?dryRun=true", json=shop()))

    assert api.control.stored == {}


async def test_put_is_an_apply_of_one(api: Api) -> None:
    first = check(await api.unix.put("/v1/apps/shop", json=shop()))
    second = check(await api.unix.put("/v1/apps/shop", json=shop("web")))

    assert [first["applied"][0]["result"], second["applied"][0]["result"]] == ["created", "configured"]


@pytest.mark.parametrize("body", [{"documents": [shop()]}, {"documents": []}, {}, None])
async def test_plan_with_and_without_documents(shop_api: Api, body: Any) -> None:
    answer = check(await shop_api.unix.post("/v1/plan", json=body))

    assert answer["text"] == "shop/web\nshop/db"
    assert [step["subject"] for step in answer["rounds"][0]] == ["shop/web", "shop/db"]
    assert answer["converged"] is True


async def test_plan_without_a_body(shop_api: Api) -> None:
    assert check(await shop_api.unix.post("/v1/plan"))["text"] == "shop/web\nshop/db"


async def test_apps_are_listed_with_status(shop_api: Api) -> None:
    (item,) = check(await shop_api.unix.get("/v1/apps"))["items"]

    assert App.model_validate(item).status == shop_api.control.app("shop").status
    assert item["status"]["services"][0]["runState"] == "Running"
    assert (item["apiVersion"], item["kind"]) == ("iotistic.io/v1alpha1", "App")


async def test_an_app_by_name_is_the_resource(shop_api: Api) -> None:
    body = check(await shop_api.unix.get("/v1/apps/shop"))

    assert body["spec"] == shop()["spec"]
    assert body["status"]["ready"] == "2/2"


async def test_an_app_by_number_has_the_fields_of_the_original(api: Api) -> None:
    document = shop(appId=1001)
    document["spec"]["services"][0] |= {
        "env": [{"name": "A", "value": "1"}],
        "ports": [
            {"containerPort": 80, "hostPort": 8080},
            {"containerPort": 53, "hostPort": 53, "protocol": "UDP"},
        ],
    }
    await api.control.apply([document])

    body = check(await api.unix.get("/v1/apps/1001"))

    services = body.pop("services")
    assert body == services[0]
    assert body == {
        "appId": 1001,
        "appName": "shop",
        "containerId": "id-shop-web",
        "serviceId": 1,
        "serviceName": "web",
        "imageName": "web:1",
        "status": "running",
        "config": {
            "image": "web:1",
            "ports": ["8080:80", "53:53/udp"],
            "environment": {"A": "1"},
            "volumes": [],
            "networks": [],
            "labels": {},
        },
    }
    assert services[1]["serviceName"] == "db"


@pytest.mark.parametrize(
    ("query", "policy", "asked", "said"),
    [
        ("", "Retain", None, False),
        ("", "Delete", None, True),
        ("?purge=true", "Retain", True, True),
        ("?purge=false", "Delete", False, False),
    ],
)
async def test_delete(api: Api, query: str, policy: str, asked: bool | None, said: bool) -> None:
    await api.control.apply([shop(deletionPolicy=policy, appId=7)])

    body = check(await api.unix.delete(f"/v1/apps/7{query}"), 202)

    assert body == {"name": "shop", "purge": said}
    assert api.control.purged == {"shop": asked}


@pytest.mark.parametrize("name", ["shop", "1001"])
@pytest.mark.parametrize(
    ("action", "status", "state"),
    [("stop", "stopped", RunState.STOPPED), ("start", "started", RunState.RUNNING)],
)
async def test_start_and_stop_act_on_all_services(
    shop_api: Api, name: str, action: str, status: str, state: RunState
) -> None:
    body = check(await shop_api.unix.post(f"/v1/apps/{name}/{action}", json={"force": True}))

    assert body == {"app": "shop", "services": ["web", "db"], "status": status, "containerId": "id-shop-web"}
    assert shop_api.control.run_states == {("shop", "web"): state, ("shop", "db"): state}


async def test_restart_of_an_app(shop_api: Api) -> None:
    body = check(await shop_api.unix.post("/v1/apps/1001/restart"))

    assert body["status"] == "restarting"
    assert shop_api.control.restarted == [("shop", None)]


@pytest.mark.parametrize(
    "base", ["/v1/apps/shop/services/web", "/v1/apps/1001/services/web-1", "/v1/services/web-1"]
)
@pytest.mark.parametrize(
    ("action", "status", "state"),
    [
        ("start", "started", RunState.RUNNING),
        ("stop", "stopped", RunState.STOPPED),
        ("pause", "paused", RunState.PAUSED),
        ("unpause", "unpaused", RunState.RUNNING),
    ],
)
async def test_run_state_of_one_service(
    shop_api: Api, base: str, action: str, status: str, state: RunState
) -> None:
    body = check(await shop_api.unix.post(f"{base}/{action}"))

    assert body == {"app": "shop", "service": "web", "status": status}
    assert shop_api.control.run_states == {("shop", "web"): state}


@pytest.mark.parametrize("base", ["/v1/apps/shop/services/db", "/v1/services/shop-db-2", "/v1/services/db"])
async def test_restart_of_one_service(shop_api: Api, base: str) -> None:
    assert check(await shop_api.unix.post(f"{base}/restart"))["status"] == "restarting"
    assert shop_api.control.restarted == [("shop", "db")]


async def test_services_are_listed_of_one_app_and_of_all(shop_api: Api) -> None:
    await shop_api.control.apply([shop("ui", name="till")])

    async def names(path: str) -> list[str]:
        items = check(await shop_api.unix.get(path))["items"]
        return [AppService.model_validate(item).metadata.name for item in items]

    assert await names("/v1/services") == ["shop-web", "shop-db", "till-ui"]
    assert await names("/v1/services?app=till") == ["till-ui"]
    assert await names("/v1/services?app=1001") == ["shop-web", "shop-db"]
    assert await names("/v1/apps/1002/services") == ["till-ui"]


@pytest.mark.parametrize(
    "path", ["/v1/apps/shop/services/db", "/v1/services/shop-db-2", "/v1/services/db?app=shop"]
)
async def test_one_service(shop_api: Api, path: str) -> None:
    body = check(await shop_api.unix.get(path))

    assert (body["kind"], body["spec"]["service"], body["status"]["serviceId"]) == ("AppService", "db", 2)


async def test_secrets_show_no_values(api: Api) -> None:
    await api.control.apply([SECRET, CONFIG])

    listed = check(await api.unix.get("/v1/secrets"))["items"]

    assert [item["data"] for item in listed] == [{"password": ""}]
    assert check(await api.unix.get("/v1/secrets/login")) == listed[0]
    assert check(await api.unix.get("/v1/configmaps"))["items"] == [CONFIG]
    assert check(await api.unix.get("/v1/configmaps/conf"))["data"] == {"a": "b"}


async def test_documents_can_be_deleted(api: Api) -> None:
    await api.control.apply([SECRET, CONFIG])

    assert check(await api.unix.delete("/v1/secrets/login")) == {"kind": "Secret", "name": "login"}
    assert check(await api.unix.delete("/v1/configmaps/conf")) == {"kind": "ConfigMap", "name": "conf"}
    assert api.control.core == {}


async def test_openapi_names_every_route_once(api: Api) -> None:
    document = (await api.unix.get("/openapi.json")).json()

    operations = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(operations) == len(set(operations))
    assert {"App", "AppService", "ProblemBody", "EventBody", "Line"} <= document["components"][
        "schemas"
    ].keys()
    body = document["paths"]["/v1/apps/{name}"]["put"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/App"}
    assert "/v1/services/{address}/restart" in document["paths"]
