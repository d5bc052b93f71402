"""What Apps may not be side by side, and the Secrets and ConfigMaps that they need."""

# ruff: noqa: E501  a message on one line is found by searching for it
from __future__ import annotations

from collections.abc import Collection

import pytest

from iotistic.api.app import App
from iotistic.api.documents import check_together
from iotistic.api.errors import InvalidResourceError
from tests.unit.api.writing import app

WEB = "services: [{name: web, image: 'a:1', ports: [{containerPort: 80, hostPort: 8080}]}]"
NETWORK = (
    "services: [{name: web, image: 'a:1'}]\nnetworks: [{name: back, ipam: {config: [{subnet: 10.5.0.0/24}]}}]"
)


def told(
    apps: list[App], others: Collection[App] = (), documents: Collection[tuple[str, str]] = ()
) -> list[str]:
    try:
        check_together(apps, list(others), documents)
    except InvalidResourceError as error:
        return [problem.text() for problem in error.problems]
    return []


def test_a_port_of_the_host_is_one_app_s() -> None:
    shop, till = app(WEB), app(WEB, "till")
    problem = "App shop  spec.services[0].ports[0].hostPort: host port 8080 is taken by App till, service web; choose another"
    assert told([shop], [till]) == [problem]
    assert told([till, shop]) == [problem]
    assert told([shop], [app(WEB.replace("8080", "8081"), "till")]) == []
    assert told([shop], [app(WEB.replace("8080", "8080, hostIP: 127.0.0.1"), "till")]) == [problem]
    assert told([shop], [app(WEB.replace("8080", "8080, protocol: UDP"), "till")]) == []


def test_an_app_is_not_in_its_own_way() -> None:
    assert told([app(WEB)], [app(WEB)]) == []


def test_an_app_that_was_there_is_not_told_of() -> None:
    clashing = [app(WEB, "a"), app(WEB, "b")]
    assert told([app(WEB.replace("8080", "1"))], clashing) == []


def test_what_one_gives_up_another_may_take_in_the_same_step() -> None:
    moved = WEB.replace("8080", "9090")
    assert told([app(WEB), app(moved, "till")], [app(WEB, "till")]) == []


def test_numbers_and_subnets() -> None:
    assert told([app(f"appId: 7\n{WEB}")], [app(f"appId: 7\n{NETWORK}", "till")]) == [
        "App shop  spec.appId: 7 is the number of App till; choose another"
    ]
    assert told([app(NETWORK)], [app(NETWORK.replace(".0/24", ".0/28"), "till")]) == [
        "App shop  spec.networks[0].ipam.config[0].subnet: 10.5.0.0/24 overlaps 10.5.0.0/28 of network back of App till; choose another"
    ]


REFERENCES = [
    ("env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]", "Secret", "env[0].valueFrom.secretKeyRef.name"),
    ("env: [{name: A, valueFrom: {configMapKeyRef: {name: s, key: k}}}]", "ConfigMap", "env[0].valueFrom.configMapKeyRef.name"),
    ("envFrom: [{secretRef: {name: s}}]", "Secret", "envFrom[0].secretRef.name"),
    ("envFrom: [{configMapRef: {name: s}}]", "ConfigMap", "envFrom[0].configMapRef.name"),
    ("imagePullSecrets: [{name: s}]", "Secret", "imagePullSecrets[0].name"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "kind", "path"), REFERENCES)
def test_what_a_service_refers_to_must_be_there(line: str, kind: str, path: str) -> None:
    found = app(f"services: [{{name: web, image: 'a:1', {line}}}]")
    other = {"Secret": "ConfigMap", "ConfigMap": "Secret"}[kind]
    assert told([found], documents={(other, "s")}) == [
        f'App shop  spec.services[0].{path}: there is no {kind} "s"; apply the {kind} first, or in the same command'
    ]
    assert told([found], documents={(kind, "s")}) == []
    if "imagePullSecrets" not in line:
        assert (
            told(
                [
                    app(
                        f"services: [{{name: web, image: 'a:1', {line}}}]".replace(
                            "name: s", "name: s, optional: true"
                        )
                    )
                ]
            )
            == []
        )


@pytest.mark.parametrize(
    ("source", "kind", "path"),
    [("secret: {secretName: dbb}", "Secret", "secret.secretName"), ("configMap: {name: dbb}", "ConfigMap", "configMap.name")],
)  # fmt: skip
def test_what_a_volume_refers_to_must_be_there(source: str, kind: str, path: str) -> None:
    found = app(f"services: [{{name: web, image: 'a:1'}}]\nvolumes: [{{name: v, {source}}}]")
    assert told([found], documents={(kind, "db")}) == [
        f'App shop  spec.volumes[0].{path}: there is no {kind} "dbb"; did you mean db?'
    ]
