"""An App that an older version wrote and today's can't read: told on that App, and all others go on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.kube import Kube, until
from tests.cluster.operator import RunningOperator, running_operator
from tests.cluster.reaching import ROOT, TOOL, missing, with_crds
from tests.cluster.site import app, sleeping

OTHER_SHAPE, TWICE = "nolist", "twice"
OLD = [
    (OTHER_SHAPE, {"services": "web:1"}),
    ("noimage", {"services": [{"name": "web"}]}),
    ("policy", {"services": [sleeping("web", restartPolicy="Sometimes")]}),
    ("number", {"services": [sleeping("web", stopGracePeriod="soon")]}),
    (TWICE, {"services": [sleeping("web"), sleeping("web")]}),
]
"""What today's definition would not take, by name of the App."""


@pytest.fixture
def kinds_of_their_own(tmp_path: Path) -> Iterator[Kube]:
    """An API server whose CRDs may be changed: nobody else uses it."""
    ran = subprocess.run([TOOL, "api-up", tmp_path], capture_output=True, text=True, check=False)
    if ran.returncode:
        missing(f"no API server (hack/cluster api-up DIR): {ran.stderr.strip()[-300:]}")
    yield Kube(kubeconfig=ran.stdout.strip())
    subprocess.run([TOOL, "api-down", tmp_path], capture_output=True, check=False)


def put_lax_crds(kube: Kube) -> None:
    """Definitions of a version that took everything."""
    for path in sorted((ROOT / "crds").glob("*.yaml")):
        crd = yaml.safe_load(path.read_text())
        for version in crd["spec"]["versions"]:
            anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
            version["schema"] = {"openAPIV3Schema": anything}
        kube.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump(crd))
    for plural in ("apps", "appservices"):
        kube.until_served(plural)


def status_of(kube: Kube, name: str) -> dict[str, Any]:
    found = kube.get("apps.iotistic.io", name, "default") or {}
    status: dict[str, Any] = found.get("status") or {}
    return status


def is_stalled(kube: Kube, operator: RunningOperator, name: str) -> bool:
    assert not operator.lines("turn_failed"), operator.tail()
    if name == OTHER_SHAPE:  # no API server lets anybody write its status: an Event is what can be had
        events = kube.items("events", "default")
        return any(
            one["involvedObject"]["name"] == name and "can't be read" in one["message"] for one in events
        )
    return status_of(kube, name).get("state") == "Stalled"


def test_what_cannot_be_read_is_told_where_it_is_and_others_go_on(kinds_of_their_own: Kube) -> None:
    kube = kinds_of_their_own
    put_lax_crds(kube)
    for name, spec in OLD:
        old = {"apiVersion": "iotistic.io/v1alpha1", "kind": "App", "metadata": {"name": name}, "spec": spec}
        kube.apply(old, namespace="default")
    with_crds(kube.kubeconfig)

    with running_operator(kube.kubeconfig, ["default"], {"CLUSTER_DNS": "10.43.0.10"}) as operator:
        for name, _ in OLD:
            until(partial(is_stalled, kube, operator, name), f"{name} is told")
            if name == OTHER_SHAPE:
                continue
            status = status_of(kube, name)
            stalled = next(one for one in status["conditions"] if one["type"] == "Stalled")
            reason = "Invalid" if name == TWICE else "Unreadable"
            assert (stalled["status"], stalled["reason"]) == ("True", reason)
            assert ("can't be read" in status["why"]) is (name != TWICE)
        kube.apply(app(sleeping(), name="fine"), namespace="default")
        until(lambda: kube.get("deployment", "fine-idle", "default"), "the other App goes on")
        operator.until_idle()
        assert operator.reasons("/healthz") == []
        assert operator.reasons("/readyz") == []

        kube.apply(app(sleeping(), name="noimage"), namespace="default")
        until(lambda: kube.get("deployment", "noimage-idle", "default"), "once mended, it goes on")
        kube.kubectl("delete", "apps.iotistic.io", OTHER_SHAPE, "-n", "default", "--timeout=60s")
