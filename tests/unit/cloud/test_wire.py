"""Target states of the original's cloud, read into Apps and written again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iotistic.api.app import App
from iotistic.api.appservice import RunState
from iotistic.api.documents import check_documents
from iotistic.cloud.wire import OriginalNames, original_names, read_target
from iotistic.cloud.writing import write_app
from tests.unit.cloud.states import BOTTLING, one_app, only, service

EXPECTED: dict[str, Any] = {
    "metadata": {"name": "bottling-line"},
    "spec": {
        "appId": 1001,
        "services": [
            {
                "image": "eclipse-mosquitto:2.0",
                "serviceId": 1,
                "name": "broker",
                "ports": [
                    {"containerPort": 1883, "hostPort": 1883},
                    {"containerPort": 9001, "hostPort": 9001, "hostIP": "127.0.0.1"},
                    {"containerPort": 5353, "hostPort": 53, "protocol": "UDP"},
                ],
                "volumeMounts": [
                    {"name": "broker-data", "mountPath": "/mosquitto/data"},
                    {"name": "etc-site", "mountPath": "/site", "readOnly": True},
                ],
                "networks": {"floor": {}},
                "env": [
                    {"name": "TZ", "value": "UTC"},
                    {"name": "LEVEL", "value": "3"},
                    {"name": "DEBUG", "value": "false"},
                    {"name": "RATIO", "value": "1"},
                    {"name": "NONE", "value": "null"},
                ],
                "labels": {"team": "ot"},
                "resources": {
                    "limits": {"cpu": "0.5", "memory": "256Mi"},
                    "requests": {"cpu": "100m", "memory": "128k"},
                },
                "livenessProbe": {
                    "tcpSocket": {"port": 1883},
                    "initialDelaySeconds": 5,
                    "periodSeconds": 10,
                    "timeoutSeconds": 1,
                    "failureThreshold": 3,
                },
            },
            {
                "image": "registry.local:5000/collector:1.4",
                "serviceId": 2,
                "name": "collector",
                "networks": {"floor": {}, "out-side": {}},
                "restartPolicy": "OnFailure",
                "args": ["collector", "--fast"],
                "command": ["/init"],
                "securityContext": {"runAsUser": 1000, "runAsGroup": 1000},
                "startupProbe": {
                    "exec": {"command": ["test", "-f", "/ready"]},
                    "periodSeconds": 2,
                    "failureThreshold": 30,
                },
                "readinessProbe": {
                    "httpGet": {
                        "path": "/ready",
                        "port": 8080,
                        "scheme": "HTTPS",
                        "httpHeaders": [{"name": "X-Probe", "value": "1"}],
                    }
                },
            },
            {"image": "reporter:2", "serviceId": 3, "name": "reporter-2"},
        ],
        "networks": [{"name": "floor"}, {"name": "out-side"}],
        "volumes": [{"name": "broker-data"}, {"name": "etc-site", "hostPath": {"path": "/etc/site"}}],
    },
}


@pytest.mark.parametrize(
    "state",
    [
        {"apps": {"1001": BOTTLING}},
        {"0f6d5b0e-8c0f": {"version": 4, "apps": {"1001": BOTTLING}, "config": {"logging": {}}}},
        {"apps": [BOTTLING], "config": {}},
    ],
    ids=["plain", "under the device's uuid", "as a list"],
)
def test_everything_that_has_a_counterpart_is_taken_over(state: Any) -> None:
    wanted = read_target(state)

    assert wanted.warnings == ()
    (app,) = wanted.apps
    document = app.wire()
    document["metadata"].pop("annotations")
    assert document == EXPECTED
    assert wanted.run_states == {
        "bottling-line": {"collector": RunState.STOPPED, "reporter-2": RunState.PAUSED}
    }
    assert check_documents([app.wire() | {"apiVersion": "iotistic.io/v1alpha1", "kind": "App"}])[0] == [app]


def test_names_as_the_cloud_writes_them_are_kept() -> None:
    assert original_names(only({"apps": {"1001": BOTTLING}})) == OriginalNames(
        app="Bottling Line",
        uuid="b1d2",
        services={"reporter-2": "Reporter_2"},
        networks={"out-side": "Out Side"},
        volumes={"broker-data": "broker_data"},
    )


@pytest.mark.parametrize(
    "annotation", [None, "", "[]", "{", '{"app": {}, "services": [1], "volumes": {"a": 1}}']
)
def test_names_of_an_app_that_never_was_in_the_cloud_are_its_own(annotation: str | None) -> None:
    annotations = {} if annotation is None else {"iotistic.io/original": annotation}
    spec = {"services": [{"name": "web", "image": "web:1"}]}
    app = App.model_validate({"metadata": {"name": "shop", "annotations": annotations}, "spec": spec})

    assert original_names(app) == OriginalNames(app="shop")


def test_a_services_fields_may_stand_flat_beside_its_config() -> None:
    flat = {"serviceId": "7", "serviceName": "web", "image": "web:2", "ports": ["80:80"], "restart": "no"}

    (found,) = only(one_app(flat)).spec.services

    assert (found.image, found.service_id, found.ports[0].host_port) == ("web:2", 7, 80)
    assert found.restart_policy == "Never"


def test_the_config_wins_over_what_stands_flat() -> None:
    (found,) = only(one_app(service({"image": "web:3"}, image="web:2"))).spec.services

    assert found.image == "web:3"


@pytest.mark.parametrize(
    ("state", "warning"),
    [
        ({}, "apps: there are none"),
        ([], "apps: there are none"),
        ({"apps": "x"}, "apps: not taken over: expected names with values"),
        ({"apps": {"1": "x"}}, "App 1: not taken over: expected an object"),
        (one_app(), "App 1001 (shop): services: the App is not taken over: no service of it can run"),
        (one_app(service({"image": "UPPER:1"})), "App 1001 (shop), service web: config.image: the service"),
        (one_app(service(), what="x"), "App 1001 (shop): what: not taken over"),
        (one_app(service(what="x")), "App 1001 (shop), service web: what: not taken over"),
        (one_app(service(state="resting")), "App 1001 (shop), service web: state: not taken over"),
        (one_app(service(serviceId=0)), "App 1001 (shop), service web: serviceId: not taken over"),
        (one_app(service(), appId="x") | {}, ""),
        ({"apps": [{"appName": "shop", "services": [service()]}]}, "App [0] (shop): appId: not taken over"),
        (one_app(service(), services={"web": {}}), "App 1001 (shop): services: not taken over: expected a"),
        (
            one_app(*(service({"ports": [f"80:{n}"]}, serviceId=n) for n in (1, 2))),
            "App 1001 (shop): as App shop, spec.services[1].ports[0].hostPort: host port 80 is taken",
        ),
    ],
)  # fmt: skip
def test_warnings_of_apps_and_services(state: Any, warning: str) -> None:
    warnings = read_target(state).warnings

    assert any(one.startswith(warning) for one in warnings) if warning else warnings == ()


def test_what_is_only_observed_is_no_loss() -> None:
    """A target that was put back together from the current state holds such fields."""
    observed = {
        "containerId": "c",
        "status": "running",
        "serviceStatus": "running",
        "appId": 1001,
        "error": {},
    }

    assert read_target(one_app(service(**observed))).warnings == ()


def test_an_app_that_breaks_a_rule_here_is_taken_over_all_the_same() -> None:
    """It runs already."""
    wanted = read_target(one_app(service({"resources": {"limits": {"memory": "1Mi"}}})))

    assert wanted.apps[0].spec.services[0].resources.limits.memory == "1Mi"
    assert "Docker needs at least" in wanted.warnings[0] or "too little" in wanted.warnings[0]


def test_names_that_become_the_same_are_told_apart_by_number() -> None:
    shops = {
        str(number): {"appId": number, "appName": name, "services": [service()]}
        for number, name in ((7, "My Shop"), (3, "my-shop"), (9, "MY_SHOP"), (4, "1st"), (5, "☃"))
    }

    wanted = read_target({"apps": shops})

    assert [app.name for app in wanted.apps] == ["my-shop", "app-1st", "app-5", "my-shop-7", "my-shop-9"]
    assert wanted.warnings == ()


def test_services_that_become_the_same_are_told_apart_by_number() -> None:
    services = [
        service(serviceId=n, serviceName=name) for n, name in ((1, "Web"), (2, "web"), (3, "WEB"), (4, ""))
    ]

    app = only(one_app(*services))

    assert [one.name for one in app.spec.services] == ["web", "web-2", "web-3", "service-4"]


def test_an_app_that_is_here_keeps_its_name() -> None:
    """The cloud tells Apps by number; another name there is no other App."""
    state = {
        "apps": {
            "7": {"appName": "Renamed", "services": [service()]},
            "8": {"appName": "shop", "services": [service()]},
        }
    }

    wanted = read_target(state, {7: "shop"})

    assert [app.name for app in wanted.apps] == ["shop", "shop-8"]
    assert original_names(wanted.apps[0]).app == "Renamed"


def test_two_apps_with_the_same_number() -> None:
    wanted = read_target(
        {"apps": [{"appId": 1, "services": [service()]}, {"appId": "1", "services": [service()]}]}
    )

    assert len(wanted.apps) == 1
    assert "another one has this number" in wanted.warnings[0]


def test_a_volume_that_apps_shared_is_told() -> None:
    apps = {str(n): {"appName": f"a{n}", "services": [service({"volumes": ["Data:/data"]})]} for n in (1, 2)}

    wanted = read_target({"apps": apps})

    assert wanted.warnings == ("volume Data was one for the Apps a1, a2; later Apps have their own",)


def test_text_that_can_t_be_written_is_mended() -> None:
    state = json.loads(
        '{"apps": {"1": {"services": [{"imageName": "web:1", "environment": {"A\\ud800": "b\\udfff"}}]}}}'
    )

    (app,) = read_target(state).apps

    app.model_dump_json().encode()
    assert app.spec.services[0].env[0].value == "b?"


def test_written_again_it_is_the_state_that_it_was() -> None:
    app = only({"apps": {"1001": BOTTLING}})

    written = write_app(
        app,
        app_id=0,
        service_ids={},
        run_states={"collector": RunState.STOPPED, "reporter-2": RunState.PAUSED},
    )

    broker, collector, reporter = written.pop("services")
    assert written == {"appId": 1001, "appName": "Bottling Line", "appUuid": "b1d2"}
    before = BOTTLING["services"]
    texts = {"TZ": "UTC", "LEVEL": "3", "DEBUG": "false", "RATIO": "1", "NONE": "null"}
    resources = {**before[0]["config"]["resources"], "requests": {"cpu": "100m", "memory": "128k"}}
    assert broker == before[0] | {
        "config": before[0]["config"] | {"environment": texts, "resources": resources}
    }
    config = {key: value for key, value in before[1]["config"].items() if key != "networkMode"}
    assert collector == before[1] | {"config": config}
    assert reporter == before[2] | {"config": {"image": "reporter:2", "restart": "unless-stopped"}}


def test_what_a_state_has_no_words_for_is_left_out_and_values_of_secrets_are_never_in_it() -> None:
    ref = {"secretKeyRef": {"name": "login", "key": "password"}}
    web = {
        "name": "web",
        "image": "web:1",
        "env": [{"name": "PASSWORD", "valueFrom": ref}, {"name": "A"}],
        "dependsOn": {"db": "started"},
        "ports": [{"name": "http", "containerPort": 8080}],
        "volumeMounts": [{"name": "files", "mountPath": "/files"}],
        "readinessProbe": {"httpGet": {"port": "http"}},
        "stopGracePeriod": "1m30s",
    }
    volumes = [{"name": "files", "secret": {"secretName": "login"}}]
    spec = {"services": [web, {"name": "db", "image": "db:1"}], "volumes": volumes}
    app = App.model_validate({"metadata": {"name": "shop"}, "spec": spec})

    written = write_app(app, app_id=1001, service_ids={"web": 1, "db": 2})

    assert written["appId"] == 1001
    assert [one["serviceId"] for one in written["services"]] == [1, 2]
    assert written["services"][0]["config"] == {
        "image": "web:1",
        "environment": {"A": ""},
        "ports": ["8080"],
        "restart": "unless-stopped",
        "stopTimeout": 90,
        "readinessProbe": {"type": "http", "path": "/", "port": 8080, "scheme": "http"},
    }
