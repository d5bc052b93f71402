"""Volumes of Apps: claims, files, paths of the host, file systems in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iotistic.engines.kubernetes.storage import never_less
from tests.unit.engines_kubernetes.shop import CONTEXT, app_of, container_of, one, pod_of

MOUNT = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}


@pytest.mark.parametrize(
    ("volume", "expected", "mount"),
    [
        ({}, {"persistentVolumeClaim": {"claimName": "shop-v"}}, {}),
        (
            {"secret": {"secretName": "s"}},
            {"secret": {"secretName": "s-copy", "defaultMode": 0o444}},
            {"readOnly": True},
        ),
        (
            {"configMap": {"name": "c", "items": [{"key": "a", "path": "b/c"}], "optional": True}},
            {
                "configMap": {
                    "name": "c-copy",
                    "defaultMode": 0o444,
                    "items": [{"key": "a", "path": "b/c"}],
                    "optional": True,
                }
            },
            {"readOnly": True},
        ),
        ({"hostPath": {"path": "/d"}}, {"hostPath": {"path": "/d", "type": ""}}, {}),
        (
            {"hostPath": {"path": "/d", "type": "CharDevice"}},
            {"hostPath": {"path": "/d", "type": "CharDevice"}},
            {},
        ),
    ],
)
def test_volumes(volume: dict[str, Any], expected: dict[str, Any], mount: dict[str, Any]) -> None:
    shop = app_of(MOUNT, volumes=[{"name": "v"} | volume, {"name": "unused"}])
    context = replace(CONTEXT, copies={("Secret", "s"): "s-copy", ("ConfigMap", "c"): "c-copy"})
    assert pod_of(shop, context=context)["volumes"] == [{"name": "v"} | expected]
    assert container_of(shop)["volumeMounts"] == [{"name": "v", "mountPath": "/v"} | mount]


@pytest.mark.parametrize(
    ("volume", "policy", "spec", "owned"),
    [
        ({}, "Retain", {"storage": "1Gi"}, False),
        ({"size": "2048Mi"}, "Delete", {"storage": "2Gi"}, True),
        ({"storageClass": "slow", "size": 5000}, "Retain", {"storage": "5000"}, False),
    ],
)
def test_claims(volume: dict[str, Any], policy: str, spec: dict[str, Any], owned: bool) -> None:
    shop = app_of(MOUNT, volumes=[{"name": "v"} | volume], deletionPolicy=policy)
    claim = one(shop, "PersistentVolumeClaim", "shop-v")
    assert claim["spec"]["resources"]["requests"] == spec
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert claim["spec"].get("storageClassName") == volume.get("storageClass")
    assert claim["metadata"]["labels"]["iotistic.io/volume"] == "v"
    assert ("ownerReferences" in claim["metadata"]) == owned


def test_file_systems_in_memory_beside_a_volume_of_that_name() -> None:
    service = {
        "volumeMounts": [{"name": "tmpfs-0", "mountPath": "/v", "readOnly": True}],
        "tmpfs": [{"mountPath": "/tmp", "size": "32Mi"}, {"mountPath": "/run"}],
    }
    shop = app_of(service, volumes=[{"name": "tmpfs-0"}])
    assert pod_of(shop)["volumes"][1:] == [
        {"name": "tmpfs-0-own", "emptyDir": {"medium": "Memory", "sizeLimit": "32Mi"}},
        {"name": "tmpfs-1", "emptyDir": {"medium": "Memory"}},
    ]
    assert container_of(shop)["volumeMounts"] == [
        {"name": "tmpfs-0", "mountPath": "/v", "readOnly": True},
        {"name": "tmpfs-0-own", "mountPath": "/tmp"},
        {"name": "tmpfs-1", "mountPath": "/run"},
    ]


def test_devices_of_a_privileged_service_that_have_another_name_inside() -> None:
    service = {"securityContext": {"privileged": True}, "devices": ["/dev/a", "/dev/b:/dev/c:rw"]}
    shop = app_of(service)
    assert pod_of(shop)["volumes"] == [{"name": "device-1", "hostPath": {"path": "/dev/b", "type": ""}}]
    assert container_of(shop)["volumeMounts"] == [{"name": "device-1", "mountPath": "/dev/c"}]


@pytest.mark.parametrize(
    ("there", "expected"),
    [("512Mi", "1Gi"), ("1Gi", "1Gi"), ("1024Mi", "1Gi"), ("2Gi", "2Gi"), ("1.5Gi", "1.5Gi"), (None, "1Gi")],
)
def test_a_claim_is_never_asked_to_shrink(there: str | None, expected: str) -> None:
    wanted = one(app_of(volumes=[{"name": "d", "size": "1Gi"}]), "PersistentVolumeClaim", "shop-d")
    live = {"spec": {"resources": {"requests": {"storage": there}}}} if there else {}
    asked = never_less(wanted, live)
    assert asked["spec"]["resources"]["requests"]["storage"] == expected
    assert asked["spec"]["accessModes"] == wanted["spec"]["accessModes"]
    assert never_less({"kind": "Service"}, live) == {"kind": "Service"}
