"""Services, names and NetworkPolicies."""

from __future__ import annotations

from typing import Any

import pytest

from iotistic.engines.kubernetes.networking import names_slice, spoken_of_pods
from iotistic.engines.kubernetes.values import PodAddress
from tests.unit.engines_kubernetes.shop import CONTEXT, app_of, one, rendered

PORT = {"ports": [{"containerPort": 80}]}
HAND_OVER = {"update": {"strategy": "HandOver"}}


def service_names(*services: dict[str, Any]) -> list[str]:
    objects = rendered(app_of(*services)).objects
    return [o["metadata"]["name"] for o in objects if o["kind"] == "Service"]


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ([{}], ["shop-names"]),
        ([PORT], ["shop-names", "shop-web"]),
        ([PORT | {"networkMode": "host"}], []),
        ([{"networkMode": "none"}], []),
        ([PORT, {"name": "db"}], ["shop-names", "shop-web"]),
    ],
)
def test_which_services_there_are(services: list[dict[str, Any]], expected: list[str]) -> None:
    assert service_names(*services) == expected


def test_ports_of_a_service_each_once_and_with_a_name() -> None:
    ports = [
        {"containerPort": 80},
        {"containerPort": 80, "protocol": "UDP"},
        {"name": "tcp-80", "containerPort": 81, "hostPort": 8081},
    ]
    assert one(app_of({"ports": ports}), "Service", "shop-web")["spec"]["ports"] == [
        {"name": "tcp-80-port", "port": 80, "targetPort": 80, "protocol": "TCP"},
        {"name": "udp-80", "port": 80, "targetPort": 80, "protocol": "UDP"},
        {"name": "tcp-80", "port": 81, "targetPort": 81, "protocol": "TCP"},
    ]


@pytest.mark.parametrize(("service", "published"), [({}, True), (HAND_OVER, False)])
def test_a_name_leads_to_what_is_not_ready_but_for_a_hand_over(
    service: dict[str, Any], published: bool
) -> None:
    shop = app_of(PORT | service, {"name": "db"} | service)
    for name in ("shop-web", "shop-names"):
        assert one(shop, "Service", name)["spec"]["publishNotReadyAddresses"] is published


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ({}, ()),
        ({"networks": {"default": {"aliases": ["B", "a", "a", "web"]}}}, ("a", "b")),
        ({"hostname": "other"}, ("web",)),
        ({"hostname": "web"}, ()),
        ({"hostname": "other", "networks": {"default": {"aliases": ["a"]}}}, ("web", "a")),
        (PORT | {"networks": {"default": {"aliases": ["a"]}}}, ()),
        ({"networkMode": "host"}, ()),
    ],
)
def test_names_that_need_addresses_of_pods(service: dict[str, Any], expected: tuple[str, ...]) -> None:
    shop = app_of(service)
    assert spoken_of_pods(shop, shop.spec.services[0]) == expected


def endpoints(*services: dict[str, Any], addresses: dict[str, str], **pods: list[PodAddress]) -> list[str]:
    made = names_slice(app_of(*services), CONTEXT, addresses, pods)
    return [
        f"{e['hostname']} {e['addresses'][0]}{'' if e['conditions']['ready'] else ' not ready'}"
        for e in made["endpoints"]
    ]


def test_names_lead_to_services_and_where_there_are_no_ports_to_pods() -> None:
    web = PORT | {"networks": {"default": {"aliases": ["www"]}}}
    db = {"name": "db", "networks": {"default": {"aliases": ["store"]}}}
    pods = [PodAddress(address="10.42.0.5", ready=False)]
    assert endpoints(web, db, addresses={"web": "10.43.0.5", "gone": "10.43.0.6"}, db=pods) == [
        "store 10.42.0.5",
        "web 10.43.0.5",
        "www 10.43.0.5",
    ]
    assert endpoints(web, db | HAND_OVER, addresses={}, db=pods) == ["store 10.42.0.5 not ready"]


def test_a_service_that_is_handed_over_hides_no_other() -> None:
    """The one Service of hostnames leads to ready pods only; who is not handed over is in the slice."""
    web, db, ran = HAND_OVER, {"name": "db"}, {"name": "ran", "restartPolicy": "Never"}
    pods = {
        name: [PodAddress(address=f"10.42.0.{n}", ready=False)] for n, name in enumerate(("web", "db", "ran"))
    }
    assert endpoints(web, db, ran, addresses={}, **pods) == ["db 10.42.0.1", "ran 10.42.0.2"]
    assert endpoints(db, ran, addresses={}, **pods) == []
    assert endpoints(web | PORT, db, addresses={}, **pods) == []
    assert one(app_of(web, db), "Service", "shop-names")["spec"]["publishNotReadyAddresses"] is False
    assert one(app_of(web | PORT, db), "Service", "shop-names")["spec"]["publishNotReadyAddresses"] is True


def test_slice_of_names() -> None:
    made = names_slice(app_of(PORT), CONTEXT, {"web": "fd00::5"})
    assert made["addressType"] == "IPv6"
    assert made["metadata"]["name"] == "shop-names"
    assert made["metadata"]["labels"]["kubernetes.io/service-name"] == "shop-names"
    assert made["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == "iotistic-edge"
    assert names_slice(app_of(PORT), CONTEXT, {})["endpoints"] == []


def members(network: str) -> dict[str, Any]:
    labels = {"iotistic.io/app": "shop", f"networks.iotistic.io/{network}": "joined"}
    return {"podSelector": {"matchLabels": labels}}


OTHERS = {
    "namespaceSelector": {},
    "podSelector": {
        "matchExpressions": [{"key": "iotistic.io/app", "operator": "NotIn", "values": ["shop"]}]
    },
}
DNS = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        },
        {"ipBlock": {"cidr": "10.43.0.10/32"}},
    ],
    "ports": [{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}],
}


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ({}, {"policyTypes": ["Ingress"], "ingress": [{"from": [members("default")]}]}),
        (
            {"networks": {"front": {}, "back": {}}},
            {"policyTypes": ["Ingress"], "ingress": [{"from": [members("back"), members("front")]}]},
        ),
        (
            {"ports": [{"containerPort": 80}, {"containerPort": 81, "hostPort": 81, "protocol": "UDP"}]},
            {
                "policyTypes": ["Ingress"],
                "ingress": [
                    {"from": [members("default")]},
                    {"ports": [{"port": 81, "protocol": "UDP"}]},
                    {"from": [OTHERS], "ports": [{"port": 80, "protocol": "TCP"}]},
                ],
            },
        ),
        (
            {"networks": {"back": {}}},
            {
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": [members("back")]}],
                "egress": [{"to": [members("back")]}, DNS],
            },
        ),
        ({"networkMode": "none"}, {"policyTypes": ["Ingress", "Egress"]}),
    ],
)
def test_policies(service: dict[str, Any], expected: dict[str, Any]) -> None:
    front = {"name": "front"} if "front" in service.get("networks", {}) else {"name": "other"}
    shop = app_of(service, networks=[{"name": "back", "internal": True}, front])
    spec = dict(one(shop, "NetworkPolicy", "shop-web")["spec"])
    selected = spec.pop("podSelector")
    assert selected == {"matchLabels": {"iotistic.io/app": "shop", "iotistic.io/service": "web"}}
    assert spec == expected


def test_no_policy_on_the_network_of_the_host() -> None:
    kinds = [o["kind"] for o in rendered(app_of({"networkMode": "host"})).objects]
    assert "NetworkPolicy" not in kinds
