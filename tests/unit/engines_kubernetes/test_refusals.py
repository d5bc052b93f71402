"""What Kubernetes can't do is refused in the words of docs/kubernetes-fields.md, which has every field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from iotistic.api.app import AppSpec
from iotistic.api.appservice import AppServiceSpec, RunState
from iotistic.engines.kubernetes.refusals import refused
from tests.unit.engines_kubernetes.shop import EVERYTHING, app, app_of

PAGE = (Path(__file__).parents[3] / "docs" / "kubernetes-fields.md").read_text()
PORTS = [{"containerPort": 80, "hostPort": 80}, {"containerPort": 80, "hostPort": 81}]


def models(root: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and all that it is made of."""
    yield root
    for field in root.model_fields.values():
        for part in _parts(field.annotation):
            yield from models(part)


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _parts(inner)


FIELDS = sorted(
    {
        (model.__name__, field.alias or name)
        for root in (AppSpec, AppServiceSpec)
        for model in models(root)
        for name, field in model.model_fields.items()
    }
)


def rows() -> dict[tuple[str, str], str]:
    """What the page says on Kubernetes, by model and field."""
    found = {}
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        model, _, text = section.partition("\n")
        for field, meaning in re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", text, re.MULTILINE):
            found[model, field] = meaning
    return found


def test_the_page_has_every_field_and_no_other() -> None:
    assert sorted(rows()) == FIELDS


NETWORK = {"networks": [{"name": "back"}]}
REFUSED: list[tuple[str, str, dict[str, Any], dict[str, Any], str, str]] = [
    (
        "Service",
        "devices",
        {"devices": ["/dev/ttyUSB0"]},
        {},
        "spec.services[web].devices",
        "Kubernetes gives a container no single device",
    ),
    (
        "ContainerPort",
        "containerPort",
        {"ports": PORTS},
        {},
        "spec.services[web].ports",
        "can lead to one port of the host only",
    ),
    (
        "Service",
        "hostname",
        {"networkMode": "host", "hostname": "a"},
        {},
        "spec.services[web].hostname",
        "on the host's network a pod has the name of its node",
    ),
    (
        "Service",
        "extraHosts",
        {"extraHosts": ["a:host-gateway"]},
        {},
        "spec.services[web].extraHosts",
        "host-gateway is known on Docker only",
    ),
    (
        "Service",
        "labels",
        {"labels": {"a b": "c"}},
        {},
        "spec.services[web].labels",
        "is no key of a label or annotation on Kubernetes",
    ),
    (
        "NetworkAttachment",
        "ipv4Address",
        {"networks": {"default": {"ipv4Address": "10.5.0.7"}}},
        {},
        "spec.services[web].networks.default.ipv4Address",
        "Kubernetes gives pods their addresses",
    ),
    (
        "NetworkAttachment",
        "aliases",
        {"networks": {"default": {"aliases": ["a.b"]}}},
        {},
        "spec.services[web].networks.default.aliases",
        "can't be a name here",
    ),
    (
        "Logging",
        "driver",
        {"logging": {"driver": "syslog"}},
        {},
        "spec.services[web].logging.driver",
        "the kubelet keeps the output of containers; there is no other log driver",
    ),
    (
        "Logging",
        "options",
        {"logging": {"options": {"max-size": "1m"}}},
        {},
        "spec.services[web].logging.options",
        "how much output is kept is a setting of the kubelet (containerLogMaxSize), for all pods",
    ),
    (
        "SecurityContext",
        "allowPrivilegeEscalation",
        {"securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"add": ["SYS_ADMIN"]}}},
        {},
        "spec.services[web].securityContext.allowPrivilegeEscalation",
        "false can't be had with the capability SYS_ADMIN on Kubernetes",
    ),
    (
        "Network",
        "driver",
        {},
        {"networks": [{"name": "back", "driver": "macvlan"}]},
        "spec.networks[back].driver",
        "pods are in the cluster's network; there is no other",
    ),
    (
        "Network",
        "driverOpts",
        {},
        {"networks": [{"name": "back", "driverOpts": {"a": "b"}}]},
        "spec.networks[back].driverOpts",
        "a network has no driver on Kubernetes",
    ),
    (
        "Network",
        "ipam",
        {},
        {"networks": [{"name": "back", "ipam": {"config": [{"subnet": "10.5.0.0/24"}]}}]},
        "spec.networks[back].ipam",
        "the cluster's network gives the addresses",
    ),
    (
        "Network",
        "labels",
        {},
        {"networks": [{"name": "back", "labels": {"a": "b"}}]},
        "spec.networks[back].labels",
        "a network is no object on Kubernetes that could have labels",
    ),
    (
        "Volume",
        "driver",
        {},
        {"volumes": [{"name": "data", "driver": "other"}]},
        "spec.volumes[data].driver",
        "a volume has no driver on Kubernetes",
    ),
    (
        "Volume",
        "driverOpts",
        {},
        {"volumes": [{"name": "data", "driverOpts": {"type": "nfs"}}]},
        "spec.volumes[data].driverOpts",
        "a volume has no driver options on Kubernetes",
    ),
]


@pytest.mark.parametrize(("model", "field", "service", "spec", "path", "words"), REFUSED)
def test_refused(
    model: str, field: str, service: dict[str, Any], spec: dict[str, Any], path: str, words: str
) -> None:
    found = refused(app_of(service, **spec))
    assert [finding.path for finding in found] == [path]
    assert words in found[0].message
    assert "efused" in rows()[model, field]
    assert words in rows()[model, field]


def test_paused_is_refused() -> None:
    found = refused(app_of({}), {"web": RunState.PAUSED})
    assert [finding.path for finding in found] == ["spec.services[web].runState"]
    assert found[0].message in rows()["AppServiceSpec", "runState"]
    assert refused(app_of({}), {"web": RunState.STOPPED}) == []


def test_every_refusal_of_the_page_is_tested() -> None:
    tested = {(model, field) for model, field, *_ in REFUSED} | {("AppServiceSpec", "runState")}
    written = {key for key, row in rows().items() if "Refused" in row or "Else refused" in row}
    assert written == tested


@pytest.mark.parametrize(
    ("web", "db", "expected"),
    [
        ({"front": {"aliases": ["api"]}}, {"back": {"aliases": ["api"]}}, True),
        ({"front": {"aliases": ["db"]}}, {"back": {}}, True),
        ({"front": {"aliases": ["API"]}}, {"front": {"aliases": ["api"]}}, False),
        ({"front": {"aliases": ["api"]}, "back": {}}, {"back": {}}, False),
        (
            {"front": {"aliases": ["api"]}, "back": {"aliases": ["api"]}},
            {"front": {"aliases": ["api"]}},
            True,
        ),
    ],
)
def test_a_name_means_one_thing(web: dict[str, Any], db: dict[str, Any], expected: bool) -> None:
    services = [{"networks": web}, {"name": "db", "networks": db}]
    found = refused(app_of(*services, networks=[{"name": "front"}, {"name": "back"}]))
    assert bool(found) == expected
    words = "a name means one thing in the whole App on Kubernetes"
    assert all(words in finding.message for finding in found)
    assert words in rows()["NetworkAttachment", "aliases"]


def test_what_may_look_alike_and_is_not_refused() -> None:
    services = [
        {"devices": ["/dev/null"], "securityContext": {"privileged": True}},
        {"name": "a", "networkMode": "none", "hostname": "b"},
        {"name": "b", "logging": {"driver": "json-file"}, "labels": {"example.com/a_b": "any text"}},
        {"name": "c", "ports": [{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}]},
    ]
    assert refused(app_of(*services)) == []
    assert refused(app(EVERYTHING)) == []
