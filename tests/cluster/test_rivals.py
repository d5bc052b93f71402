"""A second operator for the same namespace, forgotten by somebody: both say so, with a node or without."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.cluster.kube import Kube, until
from tests.cluster.operator import running_operator
from tests.cluster.site import app, sleeping

DNS = {"CLUSTER_DNS": "10.43.0.10"}
LATE = {"progressDeadlineSeconds": 86400}
WORDS = "another operator changes Deployment"


@pytest.fixture
def place(api_server: Kube) -> Iterator[tuple[Kube, str]]:
    """A namespace."""
    name = f"rivals-{secrets.token_hex(4)}"
    api_server.kubectl("create", "namespace", name)
    yield api_server, name
    api_server.kubectl("delete", "apps.iotistic.io", "--all", "-n", name, "--wait=false")
    api_server.remove_namespace(name)


def test_two_operators_for_one_namespace_are_told(place: tuple[Kube, str]) -> None:
    kube, namespace = place
    elsewhere = {"CLUSTER_DNS": "10.43.0.99"}  # so they want different things, and no other image
    with running_operator(kube.kubeconfig, [namespace], DNS) as first:
        kube.apply(app(sleeping(), name="shop", update=LATE), namespace=namespace)
        first.until_idle()
        with running_operator(kube.kubeconfig, [namespace], elsewhere) as second:
            for operator in (first, second):
                until(lambda: any(WORDS in one for one in operator.reasons("/readyz")), operator.tail(3))  # noqa: B023
                # The log has it with the next change that a watch tells, /readyz by itself.
                until(lambda: operator.lines("another_operator"), "it is in the log")  # noqa: B023
                # A restart would not help.
                assert operator.reasons("/healthz") == []


def test_one_operator_after_another_is_no_rival(place: tuple[Kube, str]) -> None:
    kube, namespace = place
    with running_operator(kube.kubeconfig, [namespace], DNS) as operator:
        for generation in range(4):
            env = [{"name": "GENERATION", "value": str(generation)}]
            kube.apply(app(sleeping(env=env), name="alone", update=LATE), namespace=namespace)
            operator.until_idle()
            if generation == 1:
                operator.restart()
        assert operator.reasons("/readyz") == []
        assert not operator.lines("another_operator")
