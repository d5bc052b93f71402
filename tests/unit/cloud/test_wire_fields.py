"""The fields of a service: each form that has a counterpart, and each that has none."""

from __future__ import annotations

from typing import Any

import pytest

from iotistic.cloud.wire import read_target
from tests.unit.cloud.states import one_app, service


@pytest.mark.parametrize(
    ("config", "field", "value"),
    [
        ({"ports": ["8080:80"]}, "ports", [{"containerPort": 80, "hostPort": 8080}]),
        ({"ports": ["8080:80/TCP", "8080:80"]}, "ports", [{"containerPort": 80, "hostPort": 8080}]),
        ({"ports": [80]}, "ports", [{"containerPort": 80}]),
        ({"ports": ["[::1]:80:80"]}, "ports", [{"containerPort": 80, "hostPort": 80, "hostIP": "::1"}]),
        ({"environment": ["A=b=c", "B="]}, "env",
         [{"name": "A", "value": "b=c"}, {"name": "B", "value": ""}]),
        ({"environment": {"A": "$$HOME $(B) $ 5$ $$(B)"}}, "env",
         [{"name": "A", "value": "$$$HOME $$(B) $ 5$ $$$$(B)"}]),
        ({"entrypoint": ["echo", "$(A)", "$$", "$A"]}, "command", ["echo", "$$(A)", "$$$", "$A"]),
        ({"command": "echo '$(A) $A'"}, "args", ["echo", "$$(A) $A"]),
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
