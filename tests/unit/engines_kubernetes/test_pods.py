"""What each field of a service becomes in its pod."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.engines_kubernetes.shop import CONTEXT, app_of, container_of, pod_of, rendered

QUIET = {"seccompProfile": {"type": "RuntimeDefault"}}
PROBE = {"periodSeconds": 10, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3}


@pytest.mark.parametrize(
    ("service", "field", "expected"),
    [
        ({"command": ["sh", "-c"]}, "command", ["sh", "-c"]),
        ({"args": ["$(A)"]}, "args", ["$(A)"]),
        ({"workingDir": "/srv"}, "workingDir", "/srv"),
        ({}, "imagePullPolicy", "IfNotPresent"),
        ({}, "command", None),
        ({}, "resources", None),
        ({}, "lifecycle", None),
        (
            {"env": [{"name": "A", "value": "1"}, {"name": "B"}]},
            "env",
            [{"name": "A", "value": "1"}, {"name": "B"}],
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]},
            "env",
            [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        ),
        (
            {"envFrom": [{"prefix": "P_", "configMapRef": {"name": "c", "optional": True}}]},
            "envFrom",
            [{"prefix": "P_", "configMapRef": {"name": "c", "optional": True}}],
        ),
        (
            {"ports": [{"name": "http", "containerPort": 80, "hostPort": 8080, "hostIP": "127.0.0.1"}]},
            "ports",
            [
                {
                    "name": "http",
                    "containerPort": 80,
                    "protocol": "TCP",
                    "hostPort": 8080,
                    "hostIP": "127.0.0.1",
                }
            ],
        ),
        (
            {"ports": [{"name": "a-name-longer-than-fifteen", "containerPort": 80}]},
            "ports",
            [{"containerPort": 80, "protocol": "TCP"}],
        ),
        (
            {"ports": [{"name": "80", "containerPort": 80}]},
            "ports",
            [{"containerPort": 80, "protocol": "TCP"}],
        ),
        (
            {"networkMode": "host", "ports": [{"containerPort": 80}]},
            "ports",
            [{"containerPort": 80, "protocol": "TCP", "hostPort": 80}],
        ),
        (
            {"resources": {"limits": {"cpu": 1.5, "memory": "1024Mi"}, "requests": {"cpu": 0.25}}},
            "resources",
            {"limits": {"cpu": "1500m", "memory": "1Gi"}, "requests": {"cpu": "250m", "memory": "0"}},
        ),
        (
            {"resources": {"requests": {"memory": 1000, "cpu": 2}}},
            "resources",
            {"requests": {"memory": "1000", "cpu": "2"}},
        ),
        ({"resources": {"requests": {"memory": 0}}}, "resources", {"requests": {"memory": "0"}}),
        (
            {
                "readinessProbe": {"httpGet": {"port": "http"}},
                "ports": [{"name": "http", "containerPort": 80}],
            },
            "readinessProbe",
            PROBE | {"httpGet": {"path": "/", "scheme": "HTTP", "port": 80}},
        ),
        (
            {"livenessProbe": {"tcpSocket": {"port": 5, "host": "a"}, "initialDelaySeconds": 4}},
            "livenessProbe",
            PROBE | {"tcpSocket": {"port": 5, "host": "a"}, "initialDelaySeconds": 4},
        ),
        (
            {"startupProbe": {"exec": {"command": ["ok"]}, "failureThreshold": 9}},
            "startupProbe",
            PROBE | {"exec": {"command": ["ok"]}, "failureThreshold": 9},
        ),
        ({}, "securityContext", QUIET),
        (
            {"securityContext": {"runAsUser": 1000, "runAsGroup": 0}},
            "securityContext",
            QUIET | {"runAsUser": 1000, "runAsGroup": 0, "runAsNonRoot": True},
        ),
        ({"securityContext": {"runAsUser": 0}}, "securityContext", QUIET | {"runAsUser": 0}),
        ({"securityContext": {"privileged": True}}, "securityContext", {"privileged": True}),
        (
            {"securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True}},
            "securityContext",
            QUIET | {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True},
        ),
        (
            {"securityContext": {"capabilities": {"add": ["SYS_TIME"], "drop": ["ALL"]}}},
            "securityContext",
            QUIET | {"capabilities": {"add": ["SYS_TIME"], "drop": ["ALL"]}},
        ),
        (
            {"update": {"strategy": "HandOver"}},
            "lifecycle",
            {"preStop": {"sleep": {"seconds": 4}}},
        ),
    ],
)
def test_container(service: dict[str, Any], field: str, expected: object) -> None:
    assert container_of(app_of(service)).get(field) == expected


@pytest.mark.parametrize(
    ("service", "field", "expected"),
    [
        ({}, "serviceAccountName", "shop"),
        ({}, "automountServiceAccountToken", False),
        ({}, "enableServiceLinks", False),
        ({}, "restartPolicy", "Always"),
        ({}, "terminationGracePeriodSeconds", 10),
        ({"stopGracePeriod": "1.2s"}, "terminationGracePeriodSeconds", 2),
        ({"stopGracePeriod": 0}, "terminationGracePeriodSeconds", 0),
        ({"update": {"strategy": "HandOver"}}, "terminationGracePeriodSeconds", 14),
        ({"restartPolicy": "Never"}, "restartPolicy", "Never"),
        ({}, "hostname", "web"),
        ({}, "subdomain", "shop-names"),
        ({"hostname": "other"}, "hostname", "other"),
        ({"hostname": "other"}, "subdomain", None),
        ({"ports": [{"containerPort": 80}]}, "hostname", None),
        ({"networkMode": "host"}, "hostNetwork", True),
        ({"networkMode": "host"}, "dnsPolicy", "Default"),
        ({"networkMode": "host"}, "hostname", None),
        ({"networkMode": "none"}, "dnsConfig", {"nameservers": ["127.0.0.1"]}),
        ({}, "dnsPolicy", "None"),
        (
            {},
            "dnsConfig",
            {
                "nameservers": ["10.43.0.10"],
                "searches": [
                    "shop-names.plant.svc.cluster.local",
                    "plant.svc.cluster.local",
                    "svc.cluster.local",
                    "cluster.local",
                ],
                "options": [{"name": "ndots", "value": "5"}],
            },
        ),
        ({"imagePullSecrets": [{"name": "login"}]}, "imagePullSecrets", [{"name": "login"}]),
        (
            {"extraHosts": ["a:10.0.0.7", "b:10.0.0.7", "c:[fd00::1]"]},
            "hostAliases",
            [{"ip": "10.0.0.7", "hostnames": ["a", "b"]}, {"ip": "fd00::1", "hostnames": ["c"]}],
        ),
        (
            {"sysctls": {"net.core.somaxconn": "512"}},
            "securityContext",
            {"sysctls": [{"name": "net.core.somaxconn", "value": "512"}]},
        ),
    ],
)
def test_pod(service: dict[str, Any], field: str, expected: object) -> None:
    assert pod_of(app_of(service)).get(field) == expected


def test_without_known_nameservers_kubernetes_names_them() -> None:
    pod = pod_of(app_of({}), context=replace(CONTEXT, dns=type(CONTEXT.dns)()))
    assert pod["dnsPolicy"] == "ClusterFirst"
    assert pod["dnsConfig"] == {"searches": ["shop-names.plant.svc.cluster.local"]}


@pytest.mark.parametrize(
    ("image", "override", "expected"),
    [
        ("web", "", "web"),
        ("web:1", "mirror.local:5000", "mirror.local:5000/library/web:1"),
        ("web", "mirror.local/edge/", "mirror.local/edge/library/web:latest"),
        ("other.example/team/web:1", "mirror.local:5000", "mirror.local:5000/team/web:1"),
        ("team/web@sha256:0123", "mirror.local:5000", "mirror.local:5000/team/web@sha256:0123"),
    ],
)
def test_images_come_from_the_registry_that_replaces_theirs(image: str, override: str, expected: str) -> None:
    context = replace(CONTEXT, registry_override=override)
    assert container_of(app_of({"image": image}), context=context)["image"] == expected


def test_a_label_that_kubernetes_takes_for_none_is_an_annotation_and_ours_win() -> None:
    users = {"tier": "front", "note": "two words", "empty": "", "iotistic.io/app": "mine", "long": "x" * 64}
    metadata = rendered(app_of({"labels": users})).workloads["web"]["spec"]["template"]["metadata"]
    assert metadata["labels"] == {
        "tier": "front",
        "empty": "",
        "iotistic.io/app": "shop",
        "iotistic.io/service": "web",
        "app.kubernetes.io/name": "web",
        "app.kubernetes.io/instance": "shop",
        "app.kubernetes.io/part-of": "shop",
        "app.kubernetes.io/managed-by": "iotistic-edge",
        "networks.iotistic.io/default": "joined",
        "iotistic.io/named": "pod",
    }
    assert metadata["annotations"] == {"note": "two words", "iotistic.io/app": "mine", "long": "x" * 64}


def test_references_lead_to_copies() -> None:
    service = {
        "env": [
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}},
            {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
        ],
        "envFrom": [{"secretRef": {"name": "s"}}, {"configMapRef": {"name": "c"}}],
        "imagePullSecrets": [{"name": "s"}],
    }
    context = replace(CONTEXT, copies={("Secret", "s"): "shop-1", ("ConfigMap", "c"): "shop-2"})
    container = container_of(app_of(service), context=context)
    assert [var["valueFrom"] for var in container["env"]] == [
        {"secretKeyRef": {"name": "shop-1", "key": "k", "optional": True}},
        {"configMapKeyRef": {"name": "shop-2", "key": "k"}},
    ]
    assert container["envFrom"] == [{"secretRef": {"name": "shop-1"}}, {"configMapRef": {"name": "shop-2"}}]
    assert pod_of(app_of(service), context=context)["imagePullSecrets"] == [{"name": "s"}]
