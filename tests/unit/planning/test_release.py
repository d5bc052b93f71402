"""Digests: what makes a new release, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from iotistic.api.app import App
from iotistic.planning.release import digest_contents, release_digest

WEB: dict[str, Any] = {"name": "web", "image": "web:1"}


def digest(*services: dict[str, Any], contents: dict[str, str] | None = None, **spec: Any) -> str:
    app = {"metadata": {"name": "shop"}, "spec": {"services": list(services) or [WEB]} | spec}
    return release_digest(App.model_validate(app), contents or {})


@pytest.mark.parametrize(
    "changed",
    [
        [WEB | {"image": "web:2"}],
        [WEB | {"env": [{"name": "A", "value": "1"}]}],
        [WEB | {"readinessProbe": {"tcpSocket": {"port": 80}}}],
        [WEB | {"dependsOn": {"db": "started"}}, {"name": "db", "image": "db:1"}],
        [WEB, {"name": "db", "image": "db:1"}],
        [{"name": "api", "image": "web:1"}],
    ],
)
def test_another_service_is_another_release(changed: list[dict[str, Any]]) -> None:
    assert digest(*changed) != digest()


@pytest.mark.parametrize(
    "spec",
    [
        {"networks": [{"name": "back"}]},
        {"networks": [{"name": "default", "internal": True}]},
        {"volumes": [{"name": "data"}]},
        {"volumes": [{"name": "data", "size": "2Gi"}]},
    ],
)
def test_another_network_or_volume_is_another_release(spec: dict[str, Any]) -> None:
    assert digest(**spec) != digest()


@pytest.mark.parametrize(
    "spec",
    [
        {"release": "9"},
        {"update": {"strategy": "HandOver", "windows": [{"cron": "0 3 * * *", "duration": "1h"}]}},
        {"suspend": True},
        {"historyLimit": 9},
        {"deletionPolicy": "Delete"},
        {"appId": 7},
        {"networks": [{"name": "default"}]},
    ],
)
def test_how_it_is_brought_in_and_what_it_is_called_is_no_release(spec: dict[str, Any]) -> None:
    assert digest(**spec) == digest()


@pytest.mark.parametrize(
    "written",
    [
        WEB | {"image": "docker.io/library/web:1"},
        WEB | {"env": [], "restartPolicy": "Always", "networks": {"default": {}}},
        WEB | {"serviceId": 9},
        WEB | {"update": {"strategy": "HandOver"}},
    ],
)
def test_other_words_are_the_same_release(written: dict[str, Any]) -> None:
    assert digest(written) == digest()


def test_the_order_of_services_and_volumes_means_nothing() -> None:
    db = {"name": "db", "image": "db:1"}
    volumes = [{"name": "a"}, {"name": "b", "size": "1Gi"}]

    assert digest(WEB, db, volumes=volumes) == digest(db, WEB, volumes=volumes[::-1])
    assert digest(volumes=[{"name": "a", "size": "1Gi"}]) == digest(volumes=[{"name": "a", "size": 1 << 30}])


def test_contents_that_a_service_refers_to_are_part_of_it() -> None:
    service = WEB | {"envFrom": [{"secretRef": {"name": "login"}}]}
    one, other = {"Secret/login": "aa"}, {"Secret/login": "bb"}

    assert digest(service, contents=one) != digest(service, contents=other)
    assert digest(service, contents=one) != digest(service)
    assert digest(WEB, contents=one) == digest(WEB)


def test_contents_are_digested_with_the_key() -> None:
    values = {"user": b"root", "password": b"hush"}
    one = digest_contents(b"key", "Secret", "login", values)

    assert one == digest_contents(b"key", "Secret", "login", dict(reversed(values.items())))
    assert len(one) == 64
    others = [
        digest_contents(b"other", "Secret", "login", values),
        digest_contents(b"key", "ConfigMap", "login", values),
        digest_contents(b"key", "Secret", "logi", values),
        digest_contents(b"key", "Secret", "login", values | {"password": b"hush2"}),
        digest_contents(b"key", "Secret", "login", {"user": b"rootpasswordhush"}),
        digest_contents(b"key", "Secret", "login", {"userroot": b"password", "hush": b""}),
    ]
    assert len({one, *others}) == 1 + len(others)
