"""The operator notices by itself that it is not well, and says of what: each made for real."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.kube import Kube, until
from tests.cluster.operator import RunningOperator, running_operator
from tests.cluster.proxy import Proxy, proxied
from tests.cluster.rights import NAME, RIGHTS, grant, kubeconfig_of, reading_only

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "hack" / "cluster"
CHECK_SECONDS = "4"
APP = """
apiVersion: iotistic.io/v1alpha1
kind: App
metadata: {name: shop}
spec:
  services:
  - {name: web, image: "web:1"}
"""
BLOCKING = """
import time
from iotistic.engines.kubernetes.lean import leave_out
leave_out()
from iotistic.logging import set_up_logging
from iotistic.operator import run_operator
from iotistic.settings import OperatorSettings

class Hanging:
    async def reconcile(self, key):
        time.sleep(3600)

    def content_changed(self, kind, namespace, name):
        return ()

set_up_logging(level="info", form="json")
run_operator(OperatorSettings(), lambda settings, client, cache: Hanging())
"""


@pytest.fixture
def place(api_server: Kube) -> Iterator[str]:
    """A namespace of the test's own; nothing runs in it."""
    name = f"live-{secrets.token_hex(4)}"
    api_server.kubectl("create", "namespace", name)
    yield name
    api_server.try_kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def kinds_of_their_own(tmp_path: Path) -> Iterator[Kube]:
    """An API server whose CRDs may be removed: nobody else uses it."""
    ran = subprocess.run([TOOL, "api-up", tmp_path], capture_output=True, text=True, check=False)
    if ran.returncode:
        pytest.skip(f"no API server (hack/cluster api-up DIR): {ran.stderr.strip()[-300:]}")
    yield Kube(kubeconfig=ran.stdout.strip())
    subprocess.run([TOOL, "api-down", tmp_path], capture_output=True, check=False)


def put_crds(kube: Kube) -> None:
    """Make the API server know our kinds."""
    kube.kubectl("apply", "--server-side", "-f", ROOT / "crds")
    for plural in ("apps", "appservices"):
        kube.until_served(plural)


def config_map(name: str, **data: str) -> dict[str, Any]:
    """A child of an App that is not there: the operator knows it and does nothing about it."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"iotistic.io/app": "nobody"}},
        "data": data,
    }


@pytest.fixture
def through(api_server: Kube, place: str, tmp_path: Path) -> Iterator[tuple[Proxy, RunningOperator]]:
    """An operator whose watches can be made deaf."""
    api_server.apply(config_map("there", key="1"), namespace=place)
    with (
        proxied(api_server.kubeconfig, tmp_path) as (proxy, kubeconfig),
        running_operator(kubeconfig, [place], {"WATCH_CHECK_SECONDS": CHECK_SECONDS}) as operator,
    ):
        yield proxy, operator


@pytest.mark.parametrize("change", ["added", "changed", "removed"])
def test_a_deaf_watch_fails_liveness_while_the_api_answers(
    api_server: Kube, place: str, through: tuple[Proxy, RunningOperator], change: str
) -> None:
    proxy, operator = through
    assert operator.reasons("/healthz") == []

    proxy.deaf.set()
    if change == "removed":
        api_server.kubectl("delete", "configmap", "there", "-n", place)
    else:
        name = "there" if change == "changed" else "new"
        api_server.apply(config_map(name, key="2"), namespace=place)

    until(lambda: operator.page("/healthz")[0] == 503, f"liveness fails; {operator.tail(5)}")
    assert any(f"ConfigMap in {place}" in reason for reason in operator.reasons("/healthz"))
    assert operator.metric("iotistic_watch_deaf", watch=f"ConfigMap in {place}") == 1
    assert operator.lines("watch_deaf")
    assert operator.reasons("/readyz") == []  # the API server answers, and writes are possible


def test_a_watch_that_hears_again_is_well_again(
    api_server: Kube, place: str, through: tuple[Proxy, RunningOperator]
) -> None:
    proxy, operator = through
    proxy.deaf.set()
    api_server.apply(config_map("new", key="2"), namespace=place)
    until(lambda: operator.page("/healthz")[0] == 503, "liveness fails")

    proxy.deaf.clear()
    # Silent connections are given up after 70 s at the latest.
    until(lambda: operator.page("/healthz")[0] == 200, f"liveness holds; {operator.tail(5)}", 240)
    # While watches begin anew none counts as deaf; told is it when they have delivered everything.
    until(lambda: operator.lines("watch_hears_again"), "it is told")


def test_quiet_watches_are_well(through: tuple[Proxy, RunningOperator]) -> None:
    _, operator = through
    checked = operator.metric("iotistic_watch_checks_total")

    until(lambda: operator.metric("iotistic_watch_checks_total") > checked + 40, "every watch checked twice")

    assert operator.reasons("/healthz") == []
    assert sum(operator.writes().values()) == 0


def test_a_loop_that_hangs_fails_liveness(api_server: Kube, place: str) -> None:
    command = [sys.executable, "-c", BLOCKING]
    with running_operator(api_server.kubeconfig, [place], command=command) as operator:
        assert operator.reasons("/healthz") == []

        api_server.apply(APP, namespace=place)

        until(lambda: operator.page("/healthz")[0] == 503, "liveness fails")
        assert any("event loop" in reason for reason in operator.reasons("/healthz"))
        assert operator.metric("iotistic_loop_lag_seconds") > 5


def test_without_rights_readiness_fails_and_comes_back_with_them(
    api_server: Kube, place: str, tmp_path: Path
) -> None:
    kubeconfig = kubeconfig_of(api_server, place, tmp_path, RIGHTS)
    with running_operator(kubeconfig, [place]) as operator:
        grant(api_server, place, reading_only(RIGHTS))
        may = ("auth", "can-i", "create", "deployments", "-n", place)
        account = f"--as=system:serviceaccount:{place}:{NAME}"
        until(lambda: api_server.try_kubectl(*may, account).stdout.strip() == "no", "the API server knows")

        api_server.apply(APP, namespace=place)

        until(lambda: operator.page("/readyz")[0] == 503, f"readiness fails; {operator.tail(5)}")
        assert any("forbidden" in reason for reason in operator.reasons("/readyz"))
        assert operator.metric("iotistic_api_write_failures_total", error="Forbidden") > 0
        assert operator.lines("write_failed")
        assert operator.reasons("/healthz") == []  # a restart cures no rights

        grant(api_server, place, RIGHTS)
        until(lambda: operator.page("/readyz")[0] == 200, f"readiness holds; {operator.tail(5)}", 240)
        assert sum(operator.writes().values()) > 0


def test_a_namespace_that_is_taken_away_stops_no_other(api_server: Kube, place: str, tmp_path: Path) -> None:
    """Whoever deletes one of several namespaces takes the operator's Role there away with it."""
    other = f"{place}-other"
    api_server.kubectl("create", "namespace", other)
    kubeconfig = kubeconfig_of(api_server, place, tmp_path, RIGHTS)
    account = f"--serviceaccount={place}:{NAME}"
    grant(api_server, other, RIGHTS)
    api_server.kubectl("create", "rolebinding", NAME, "--role", NAME, account, "-n", other)
    with running_operator(kubeconfig, [other, place]) as operator:
        api_server.apply(APP, namespace=other)
        until(lambda: api_server.items("deployment", other), "looked after")
        api_server.kubectl("delete", "role", NAME, "-n", other)

        operator.restart(ready=False)
        api_server.apply(APP, namespace=place)
        until(lambda: api_server.items("deployment", place), f"the other goes on; {operator.tail(5)}")
        reasons = operator.reasons("/readyz")
        assert [one for one in reasons if one.startswith(f"namespace {other} can't be watched: ")], reasons
        assert operator.reasons("/healthz") == []

        grant(api_server, other, RIGHTS)
        operator.until_ready()
        api_server.kubectl("delete", "deployment", "--all", "-n", other)
        until(lambda: api_server.items("deployment", other), "looked after again")
    api_server.remove_namespace(other)


def test_it_waits_for_missing_kinds_and_goes_on_when_they_are_put_back(
    kinds_of_their_own: Kube,
) -> None:
    kube = kinds_of_their_own
    with running_operator(kube.kubeconfig, ready=False) as operator:
        until(lambda: operator.lines("kinds_missing"), "told")
        assert any("CRD of kind App is missing" in reason for reason in operator.reasons("/readyz"))
        assert operator.reasons("/healthz") == []

        put_crds(kube)
        operator.until_ready()

        kube.kubectl("delete", "crd", "apps.iotistic.io")
        until(lambda: operator.page("/readyz")[0] == 503, f"seen that they are gone; {operator.tail(5)}", 240)
        put_crds(kube)
        operator.until_ready(240)
        kube.apply(APP, namespace="default")
        until(lambda: operator.metric("iotistic_objects", kind="App") == 1, "the App is seen")


def test_it_ends_quickly(api_server: Kube, place: str) -> None:
    with running_operator(api_server.kubeconfig, [place]) as operator:
        assert operator.stop() < 5
        assert operator.lines("operator_stopped")
