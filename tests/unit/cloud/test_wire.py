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

BOTTLING: dict[str, Any] = {
    "appId": 1001,
    "appName": "Bottling Line",
    "appUuid": "b1d2",
    "services": [
        {
            "serviceId": 1,
            "serviceName": "broker",
            "imageName": "eclipse-mosquitto:2.0",
            "state": "running",
            "config": {
                "image": "eclipse-mosquitto:2.0",
                "ports": ["1883:1883", "127.0.0.1:9001:9001", "53:5353/udp"],
                "volumes": ["broker_data:/mosquitto/data", "/etc/site:/site:ro"],
                "networks": ["floor"],
                "environment": {"TZ": "UTC", "LEVEL": 3, "DEBUG": False, "RATIO": 1.0, "NONE": None},
                "restart": "unless-stopped",
                "labels": {"team": "ot"},
                "resources": {
                    "limits": {"cpu": "0.5", "memory": "256Mi"},
                    "requests": {"cpu": "100m", "memory": "128K"},
                },
                "livenessProbe": {
                    "type": "tcp",
                    "tcpPort": 1883,
                    "initialDelaySeconds": 5,
                    "periodSeconds": 10,
                    "timeoutSeconds": 1,
                    "failureThreshold": 3,
                },
            },
        },
        {
            "serviceId": 2,
            "serviceName": "collector",
            "imageName": "registry.local:5000/collector:1.4",
            "state": "stopped",
            "config": {
                "image": "registry.local:5000/collector:1.4",
                "networks": ["floor", "Out Side"],
                "networkMode": "bridge",
                "restart": "on-failure",
                "command": ["collector", "--fast"],
                "entrypoint": ["/init"],
                "user": "1000:1000",
                "startupProbe": {
                    "type": "exec",
                    "command": ["test", "-f", "/ready"],
                    "periodSeconds": 2,
                    "failureThreshold": 30,
                },
                "readinessProbe": {
                    "type": "http",
                    "path": "/ready",
                    "port": 8080,
                    "scheme": "https",
                    "headers": {"X-Probe": "1"},
                },
            },
        },
        {"serviceId": 3, "serviceName": "Reporter_2", "state": "paused", "imageName": "reporter:2"},
    ],
}
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


def one_app(*services: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"apps": {"1001": {"appId": 1001, "appName": "shop", "services": list(services)} | fields}}


def service(config: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    given = {"serviceId": 1, "serviceName": "web", "imageName": "web:1", "config": {"image": "web:1"}}
    return given | {"config": {"image": "web:1"} | (config or {})} | fields


def only(state: Any) -> App:
    (app,) = read_target(state).apps
    return app


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
    ("config", "field", "value"),
    [
        ({"ports": ["8080:80"]}, "ports", [{"containerPort": 80, "hostPort": 8080}]),
        ({"ports": ["8080:80/TCP", "8080:80"]}, "ports", [{"containerPort": 80, "hostPort": 8080}]),
        ({"ports": [80]}, "ports", [{"containerPort": 80}]),
        ({"ports": ["[::1]:80:80"]}, "ports", [{"containerPort": 80, "hostPort": 80, "hostIP": "::1"}]),
        ({"environment": ["A=b=c", "B="]}, "env",
         [{"name": "A", "value": "b=c"}, {"name": "B", "value": ""}]),
        ({"networkMode": "host"}, "networkMode", "host"),
        (
            {"networkMode": "host", "ports": ["80:80"]},
            "ports",
            [{"containerPort": 80, "hostPort": 80}],
        ),
        ({"volumes": ["a:/a:rw"]}, "volumeMounts", [{"name": "a", "mountPath": "/a"}]),
        ({"command": "sh -c 'a b'"}, "args", ["sh", "-c", "a b"]),
        ({"user": "0"}, "securityContext", {"runAsUser": 0}),
        ({"readonlyRootfs": True}, "securityContext", {"readOnlyRootFilesystem": True}),
        ({"stopTimeout": 30}, "stopGracePeriod", 30),
        ({"hostname": "web", "workingDir": "/app"}, "hostname", "web"),
        ({"resources": {"limits": {"cpu": 0.5, "memory": 67108864}}}, "resources",
         {"limits": {"cpu": 0.5, "memory": 67108864}}),
        ({"livenessProbe": {"type": "http", "port": "80", "path": "up"}}, "livenessProbe",
         {"httpGet": {"port": 80, "path": "/up"}}),
        ({"livenessProbe": {"type": "tcp", "port": 80}}, "livenessProbe", {"tcpSocket": {"port": 80}}),
    ],
)  # fmt: skip
def test_one_field(config: dict[str, Any], field: str, value: Any) -> None:
    wanted = read_target(one_app(service(config)))

    assert wanted.warnings == ()
    assert wanted.apps[0].wire()["spec"]["services"][0][field] == value


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"ports": ["3000-3005:3000-3005"]}, "config.ports[0]"),
        ({"ports": ["80:80", "0:80"]}, "config.ports[1]"),
        ({"ports": ["1.2.3.400:80:80"]}, "config.ports[0]"),
        ({"ports": {"80": 80}}, "config.ports"),
        ({"environment": {"A": {"secret": "hunter2"}}}, "config.environment.A"),
        ({"environment": {"A=hunter2": "x"}}, "config.environment"),
        ({"environment": ["hunter2"]}, "config.environment[0]"),
        ({"volumes": ["./data:/data"]}, "config.volumes[0]"),
        ({"volumes": ["a:/data:z"]}, "config.volumes[0]"),
        ({"volumes": ["a:/data", "b:/data/"]}, "config.volumes[1]"),
        ({"volumes": ["a:/"]}, "config.volumes[0]"),
        ({"volumes": [{"type": "bind"}]}, "config.volumes[0]"),
        ({"networks": [""]}, "config.networks[0]"),
        ({"networkMode": "container:other"}, "config.networkMode"),
        ({"networkMode": "host", "networks": ["a"]}, "config.networks"),
        ({"networkMode": "host", "ports": ["8080:80"]}, "config.ports"),
        ({"networkMode": "none", "ports": ["80:80"]}, "config.ports"),
        ({"restart": "sometimes"}, "config.restart"),
        ({"labels": {"iotistic.io/app": "x"}}, "config.labels.iotistic.io/app"),
        ({"labels": ["a"]}, "config.labels"),
        ({"resources": {"limits": {"cpu": "much"}}}, "config.resources.limits.cpu"),
        ({"resources": {"limits": {"gpu": 1}}}, "config.resources.limits.gpu"),
        ({"resources": {"reservations": {}}}, "config.resources.reservations"),
        ({"command": "a 'b"}, "config.command"),
        ({"command": [["a"]]}, "config.command"),
        ({"user": "www-data"}, "config.user"),
        ({"hostname": "Web_1"}, "config.hostname"),
        ({"domainname": "example.org"}, "config.domainname"),
        ({"privileged": True}, "config.privileged"),
        ({"workingDir": "app"}, "config.workingDir"),
        ({"stopTimeout": "soon"}, "config.stopTimeout"),
        ({"readonlyRootfs": "yes"}, "config.readonlyRootfs"),
        ({"livenessProbe": {"http": {"path": "/"}}}, "config.livenessProbe.type"),
        ({"livenessProbe": {"type": "http"}}, "config.livenessProbe.port"),
        ({"livenessProbe": {"type": "tcp"}}, "config.livenessProbe.tcpPort"),
        ({"livenessProbe": {"type": "exec", "command": "true"}}, "config.livenessProbe.command"),
        ({"livenessProbe": {"type": "tcp", "port": 1, "periodSeconds": 0.5}},
         "config.livenessProbe.periodSeconds"),
        ({"livenessProbe": {"type": "tcp", "port": 1, "successThreshold": 2}},
         "config.livenessProbe.successThreshold"),
        ({"livenessProbe": {"type": "tcp", "port": 1, "grace": 2}}, "config.livenessProbe.grace"),
        (
            {"readinessProbe": {"type": "http", "port": 80, "expectedStatus": [200]}},
            "config.readinessProbe.expectedStatus",
        ),
        ({"readinessProbe": {"type": "http", "port": 80, "scheme": "ftp"}}, "config.readinessProbe.scheme"),
        ({"readinessProbe": {"type": "http", "port": 80, "headers": {"A": "b\r\nC: d"}}},
         "config.readinessProbe.headers.A"),
    ],
)  # fmt: skip
def test_what_can_t_be_taken_over_is_named_without_its_value(config: dict[str, Any], place: str) -> None:
    wanted = read_target(one_app(service(config)))

    (warning,) = wanted.warnings
    assert warning.startswith(f"App 1001 (shop), service web: {place}")
    assert "hunter2" not in warning.replace("A=hunter2", "")
    assert wanted.apps[0].spec.services[0].image == "web:1"


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

    assert wanted.warnings == ("volume Data was one for the Apps a1, a2; here each App has its own",)


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
