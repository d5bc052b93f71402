"""Differences between what is wanted and what the API server has, and how they are taken away."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iotistic.engines.kubernetes.comparing import differences, repaired
from tests.unit.engines_kubernetes.edits import FIXED, Steps, at, leaves, other
from tests.unit.engines_kubernetes.shop import CONTEXT, EVERYTHING, app, app_of, one, rendered

OBJECTS = rendered(app(EVERYTHING), replace(CONTEXT, release="1")).objects

WEB: dict[str, Any] = {
    "env": [{"name": "LOG", "value": "info"}],
    "args": ["--token=secret"],
    "ports": [{"containerPort": 80}],
    "resources": {"limits": {"cpu": 1, "memory": "64Mi"}},
    "labels": {"tier": "front"},
}
CONTAINER: Steps = ("spec", "template", "spec", "containers", 0)
POD: Steps = ("spec", "template", "spec")


def edited(path: Steps, value: Any, kind: str = "Deployment", name: str = "shop-web") -> list[str]:
    """Differences after a change by hand; None takes the field away."""
    wanted = one(app_of(WEB, volumes=[{"name": "d"}]), kind, name)
    live = copy.deepcopy(wanted)
    parent = at(live, path[:-1])
    if value is None:
        del parent[path[-1]]
    elif isinstance(parent, list) and path[-1] == len(parent):
        parent.append(value)
    else:
        parent[path[-1]] = value
    found = differences(wanted, live)
    assert not differences(wanted, repaired(wanted, live))
    return found


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("spec", "replicas"), 3, ["spec.replicas: 3, wanted 1"]),
        (("spec", "replicas"), 0, ["spec.replicas: 0, wanted 1"]),
        (("spec", "paused"), True, ["spec.paused: True, wanted none"]),
        (
            ("spec", "strategy", "type"),
            "RollingUpdate",
            ["spec.strategy.type: RollingUpdate, wanted Recreate"],
        ),
        (
            ("spec", "strategy"),
            {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}},
            [
                "spec.strategy.type: RollingUpdate, wanted Recreate",
                "spec.strategy.rollingUpdate: {maxSurge}, wanted none",
            ],
        ),
        (
            (*CONTAINER, "image"),
            "web:2",
            ["spec.template.spec.containers[web].image: web:2, wanted web:1"],
        ),
        (
            (*CONTAINER, "env", 0, "value"),
            "debug",
            ["spec.template.spec.containers[web].env[LOG].value: differs"],
        ),
        (
            (*CONTAINER, "env", 1),
            {"name": "MORE", "value": "1"},
            ["spec.template.spec.containers[web].env[MORE]: added"],
        ),
        (
            (*CONTAINER, "env", 0),
            {"name": "LOG", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}},
            [
                "spec.template.spec.containers[web].env[LOG].value: missing",
                "spec.template.spec.containers[web].env[LOG].valueFrom: added",
            ],
        ),
        ((*CONTAINER, "env"), None, ["spec.template.spec.containers[web].env: missing"]),
        ((*CONTAINER, "env", 0), None, ["spec.template.spec.containers[web].env[LOG]: missing"]),
        ((*CONTAINER, "args", 0), "--token=b", ["spec.template.spec.containers[web].args[0]: differs"]),
        ((*CONTAINER, "args", 1), "more", ["spec.template.spec.containers[web].args: differs"]),
        ((*CONTAINER, "command"), ["sh"], ["spec.template.spec.containers[web].command: added"]),
        (
            (*CONTAINER, "ports", 0, "hostPort"),
            80,
            ["spec.template.spec.containers[web].ports[80/TCP].hostPort: 80, wanted none"],
        ),
        (
            (*CONTAINER, "resources", "limits", "memory"),
            "128Mi",
            ["spec.template.spec.containers[web].resources.limits.memory: 128Mi, wanted 64Mi"],
        ),
        (
            (*CONTAINER, "livenessProbe"),
            {"tcpSocket": {"port": 80}},
            ["spec.template.spec.containers[web].livenessProbe: {tcpSocket}, wanted none"],
        ),
        (
            (*CONTAINER, "securityContext", "privileged"),
            True,
            ["spec.template.spec.containers[web].securityContext.privileged: True, wanted none"],
        ),
        (
            ("spec", "template", "spec", "containers", 1),
            {"name": "side", "image": "side"},
            ["spec.template.spec.containers[side]: {name, image}, wanted none"],
        ),
        ((*POD, "hostNetwork"), True, ["spec.template.spec.hostNetwork: True, wanted none"]),
        (
            ("spec", "template", "metadata", "labels", "mine"),
            "1",
            ["spec.template.metadata.labels.mine: 1, wanted none"],
        ),
        (
            ("spec", "template", "metadata", "labels", "tier"),
            None,
            ["spec.template.metadata.labels.tier: none, wanted front"],
        ),
        (
            ("metadata", "labels", "iotistic.io/service"),
            "db",
            ["metadata.labels.iotistic.io/service: db, wanted web"],
        ),
        (
            ("metadata", "ownerReferences"),
            [],
            [
                "metadata.ownerReferences[u-1]: none, wanted "
                "{apiVersion, kind, name, uid, controller, blockOwnerDeletion..."
            ],
        ),
    ],
)
def test_a_change_by_hand_is_seen(path: Steps, value: Any, expected: list[str]) -> None:
    assert edited(path, value) == expected


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("metadata", "labels", "team"), "blue"),
        (("metadata", "annotations"), {"deployment.kubernetes.io/revision": "3", "iotistic.io/release": "9"}),
        (("metadata", "resourceVersion"), "17"),
        (("metadata", "finalizers"), ["foregroundDeletion"]),
        (("status",), {"replicas": 1}),
        (("spec", "progressDeadlineSeconds"), 600),
        (("spec", "template", "metadata", "annotations"), {"kubectl.kubernetes.io/restartedAt": "now"}),
        ((*POD, "schedulerName"), "default-scheduler"),
        ((*POD, "nodeSelector"), {"disk": "fast"}),
        ((*POD, "tolerations"), [{"operator": "Exists"}]),
        ((*POD, "serviceAccount"), "shop"),
        ((*CONTAINER, "terminationMessagePath"), "/dev/termination-log"),
        ((*CONTAINER, "somethingNew"), "of a newer API server"),
        ((*CONTAINER, "resources", "limits", "cpu"), "1000m"),
        ((*CONTAINER, "resources", "limits", "memory"), "67108864"),
    ],
)
def test_what_is_not_ours_is_left_alone(path: Steps, value: Any) -> None:
    assert edited(path, value) == []


@pytest.mark.parametrize(
    ("kind", "name", "path", "value"),
    [
        ("Service", "shop-web", ("spec", "type"), "NodePort"),
        ("Service", "shop-web", ("spec", "ports", 0, "targetPort"), 81),
        ("Service", "shop-web", ("spec", "ports", 1), {"port": 81, "protocol": "TCP"}),
        ("Service", "shop-web", ("spec", "selector", "a"), "b"),
        ("Service", "shop-web", ("spec", "externalIPs"), ["10.0.0.1"]),
        ("Service", "shop-names", ("spec", "ports"), [{"port": 80, "protocol": "TCP"}]),
        ("ServiceAccount", "shop", ("automountServiceAccountToken",), True),
        ("NetworkPolicy", "shop-web", ("spec", "ingress", 2), {"from": []}),
        ("NetworkPolicy", "shop-web", ("spec", "ingress", 0, "from"), None),
        ("NetworkPolicy", "shop-web", ("spec", "ingress", 1, "from", 0, "namespaceSelector"), None),
        ("NetworkPolicy", "shop-web", ("spec", "egress"), [{"ports": [{"port": 1}]}]),
        ("PersistentVolumeClaim", "shop-d", ("spec", "resources", "requests", "storage"), "512Mi"),
        (
            "PersistentVolumeClaim",
            "shop-d",
            ("metadata", "ownerReferences"),
            [{"kind": "App", "apiVersion": "iotistic.io/v1alpha1", "uid": "u-1", "name": "shop"}],
        ),
        ("AppService", "shop-web", ("spec", "service"), "db"),
    ],
)
def test_a_change_of_the_others_is_seen(kind: str, name: str, path: Steps, value: Any) -> None:
    assert edited(path, value, kind, name)


@pytest.mark.parametrize(
    ("kind", "name", "path", "value"),
    [
        ("AppService", "shop-web", ("spec", "runState"), "Stopped"),
        ("Service", "shop-web", ("spec", "clusterIP"), "10.43.0.5"),
        ("Service", "shop-web", ("spec", "sessionAffinity"), "None"),
        ("PersistentVolumeClaim", "shop-d", ("spec", "volumeName"), "pvc-1"),
        ("PersistentVolumeClaim", "shop-d", ("spec", "resources", "requests", "storage"), "2Gi"),
        ("PersistentVolumeClaim", "shop-d", ("metadata", "ownerReferences"), [{"kind": "X", "uid": "1"}]),
        ("Deployment", "shop-web", ("metadata", "ownerReferences", 1), {"kind": "X", "uid": "1"}),
    ],
)
def test_of_the_others_too_what_is_not_ours(kind: str, name: str, path: Steps, value: Any) -> None:
    assert edited(path, value, kind, name) == []


PROBE = {"httpGet": {"port": 80, "path": "/?key=hunter2", "httpHeaders": [{"name": "A", "value": "hunter2"}]}}
HIDING: dict[str, Any] = {
    "command": ["web", "--password=hunter2"],
    "args": ["hunter2"],
    "env": [{"name": "LOG", "value": "hunter2"}],
    "readinessProbe": PROBE,
    "startupProbe": PROBE,
    "livenessProbe": {"exec": {"command": ["redis-cli", "-a", "hunter2"]}},
}
OTHERS: dict[str, Any] = {
    **HIDING,
    "readinessProbe": {"exec": {"command": ["redis-cli", "-a", "hunter2"]}},
    "startupProbe": {"httpGet": {"port": 80, "path": "/?key=hunter2"}},
    "livenessProbe": PROBE,
}


@pytest.mark.parametrize("before", [{}, HIDING, OTHERS])
@pytest.mark.parametrize("after", [{}, HIDING, OTHERS])
def test_what_may_be_secret_is_never_in_a_difference(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Whether it is added, changed or taken away."""
    live = one(app_of(before), "Deployment", "shop-web")
    words = json.dumps(after).replace("hunter2", "hunter3")
    wanted = one(app_of(json.loads(words)), "Deployment", "shop-web")
    found = differences(wanted, live)
    assert bool(found) is bool(before or after)
    assert "hunter" not in "".join(found)


def test_annotations_of_pods_that_others_add_are_not_shown() -> None:
    path = ("spec", "template", "metadata", "annotations")
    assert edited(path, {"a/b": "hunter2"}) == ["spec.template.metadata.annotations: added"]


def test_contents_of_files_are_never_shown() -> None:
    wanted = {"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a.conf": "key=hunter2"}}
    live = {"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a.conf": "key=hunter3"}}
    assert differences(wanted, live) == ["data.a.conf: differs"]


def test_values_of_secrets_are_never_shown() -> None:
    wanted = {"kind": "Secret", "metadata": {"name": "a"}, "data": {"password": "c2VjcmV0"}}
    live = {"kind": "Secret", "metadata": {"name": "a"}, "data": {"password": "b3RoZXI=", "more": "eA=="}}
    assert differences(wanted, live) == ["data.password: differs", "data.more: added"]


def test_what_an_app_says_no_longer_is_a_difference() -> None:
    """Every field of a service that is dropped has to go on the cluster too."""
    full = app(EVERYTHING).spec.services[0].wire()
    bare = {"name": "web", "image": full["image"]}
    volumes = [volume.wire() for volume in app(EVERYTHING).spec.volumes]
    networks = [{"name": "back"}]
    before = {
        field: one(
            app_of(bare | {field: value}, volumes=volumes, networks=networks), "Deployment", "shop-web"
        )
        for field, value in full.items()
        if field not in bare and field not in {"dependsOn", "serviceId"}
    }
    after = one(app_of(bare, volumes=volumes, networks=networks), "Deployment", "shop-web")
    unseen = [field for field, live in before.items() if not differences(after, live)]
    assert unseen == []


ALL = [
    (index, path)
    for index, made in enumerate(OBJECTS)
    for path in leaves(made)
    if path not in FIXED and path[:2] != ("metadata", "annotations")
]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(ALL))
def test_every_single_field_that_we_set_is_watched(where: tuple[int, Steps]) -> None:
    index, path = where
    wanted = OBJECTS[index]
    live = copy.deepcopy(wanted)
    parent = at(live, path[:-1])
    parent[path[-1]] = other(parent[path[-1]])
    assert differences(wanted, live)
    assert not differences(wanted, repaired(wanted, live))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(ALL), st.data())
def test_what_is_dropped_anywhere_is_seen(where: tuple[int, Steps], data: st.DataObject) -> None:
    index, path = where
    wanted = OBJECTS[index]
    live = copy.deepcopy(wanted)
    depth = data.draw(st.integers(1 if path[0] != "metadata" else 2, len(path)))
    del at(live, path[: depth - 1])[path[depth - 1]]
    means_nothing = at(wanted, path[:depth]) in ("", False, [])
    assert differences(wanted, live) or means_nothing
    assert not differences(wanted, repaired(wanted, live))


@pytest.mark.parametrize("made", OBJECTS, ids=lambda made: f"{made['kind']}-{made['metadata']['name']}")
def test_the_same_is_no_difference(made: dict[str, Any]) -> None:
    assert differences(made, copy.deepcopy(made)) == []
    assert repaired(made, made) == made
