"""Which Secrets and ConfigMaps an App needs, so that they are kept."""

from __future__ import annotations

from typing import Any

import pytest

from iotctl.cluster.specs import uses

Json = dict[str, Any]


def spec(service: Json, *volumes: Json) -> Json:
    return {"services": [{"name": "web", "image": "web:1"} | service], "volumes": list(volumes)}


MOUNT = {"volumeMounts": [{"name": "etc", "mountPath": "/etc/web"}]}
USES: dict[str, tuple[Json, str]] = {
    "a variable of a Secret": (
        spec({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "it", "key": "a"}}}]}),
        "Secret",
    ),
    "a variable of a ConfigMap": (
        spec({"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "it", "key": "a"}}}]}),
        "ConfigMap",
    ),
    "all variables of a Secret": (spec({"envFrom": [{"secretRef": {"name": "it"}}]}), "Secret"),
    "all variables of a ConfigMap": (spec({"envFrom": [{"configMapRef": {"name": "it"}}]}), "ConfigMap"),
    "files of a Secret": (spec(MOUNT, {"name": "etc", "secret": {"secretName": "it"}}), "Secret"),
    "files of a ConfigMap": (spec(MOUNT, {"name": "etc", "configMap": {"name": "it"}}), "ConfigMap"),
    "a registry's password": (spec({"imagePullSecrets": [{"name": "it"}]}), "Secret"),
}


@pytest.mark.parametrize("how", USES)
def test_what_an_app_needs(how: str) -> None:
    found, kind = USES[how]
    other = {"Secret": "ConfigMap", "ConfigMap": "Secret"}[kind]
    assert [uses(found, one, name) for one, name in ((kind, "it"), (other, "it"), (kind, "i"))] == [
        True,
        False,
        False,
    ]


def test_an_app_that_can_not_be_read_needs_what_it_names() -> None:
    older = {"services": [{"name": "web", "secrets": ["it"]}]}
    assert uses(older, "Secret", "it")
    assert not uses(older, "Secret", "i")
