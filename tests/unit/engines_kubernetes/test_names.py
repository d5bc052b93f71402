"""Names of children: readable, never too long, never two the same in one App."""

from __future__ import annotations

import pytest

from iotistic.engines.kubernetes import names
from tests.unit.engines_kubernetes.shop import app_of, one, rendered

LONG = "a" * 40


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (names.child("shop", "web"), "shop-web"),
        (names.claim("shop", "data"), "shop-data"),
        (names.names_object("shop"), "shop-names"),
        (names.service_object("shop", "web"), "shop-web"),
        (names.account("shop"), "shop"),
        (names.copy("shop", "0123456789abcdef0123"), "shop-0123456789abcdef"),
        (names.child("a-b", "c"), names.child("a", "b-c")),
    ],
)
def test_names(name: str, expected: str) -> None:
    assert name == expected


def test_long_names_are_cut_and_stay_apart() -> None:
    found = {names.child(LONG, f"{LONG}{end}") for end in ("b", "c", "-")}
    assert len(found) == 3
    assert {len(name) for name in found} == {63}
    assert names.child(f"{'a' * 53}-b", "-" * 3 + "c" * 9).count("--") == 0


def test_the_service_of_one_called_names_is_not_that_of_all_names() -> None:
    shop = app_of({"name": "names", "ports": [{"containerPort": 80}]})
    services = [o["metadata"]["name"] for o in rendered(shop).objects if o["kind"] == "Service"]
    assert "shop-names" in services
    assert len(set(services)) == 2
    assert one(shop, "AppService", "shop-names")
    assert one(shop, "Deployment", "shop-names")


def test_an_app_called_default_does_not_want_the_account_that_each_namespace_has() -> None:
    assert names.account("default") == names.account("default") != "default"
    assert names.account("default").startswith("default-account-")


@pytest.mark.parametrize("service", ["", "web"])
def test_labels_of_children(service: str) -> None:
    assert names.labels("shop", service) == {
        "iotistic.io/app": "shop",
        "app.kubernetes.io/name": service or "shop",
        "app.kubernetes.io/instance": "shop",
        "app.kubernetes.io/part-of": "shop",
        "app.kubernetes.io/managed-by": "iotistic-edge",
        **({"iotistic.io/service": service} if service else {}),
    }
