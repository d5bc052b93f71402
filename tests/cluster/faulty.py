"""What tests of faults share: an operator behind a gateway, what is so after a fault, daemons that end."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.gateway import Gateway, gateway_to
from tests.cluster.kube import Kube
from tests.cluster.operator import running_operator
from tests.cluster.reaching import TOOL
from tests.cluster.site import Site

STATE = Path(os.environ.get("IOTISTIC_CLUSTER_DIR") or "/var/lib/iotistic-cluster")
CHILDREN = "appservice,deployment,service,endpointslice,networkpolicy,configmap,pvc"


@contextlib.contextmanager
def site_behind(
    cluster: Kube, directory: Path, env: Mapping[str, str] | None = None
) -> Iterator[tuple[Site, Gateway]]:
    """A new namespace with an operator that reaches the API server through a gateway."""
    name = cluster.make_namespace("fault")
    try:
        dns = cluster.get("service", "kube-dns", "kube-system")["spec"]["clusterIP"]
        settings = {"CLUSTER_DNS": dns, **(env or {})}
        with (
            gateway_to(cluster.kubeconfig, directory) as (gateway, kubeconfig),
            running_operator(kubeconfig, [name], settings) as operator,
        ):
            yield Site(cluster, name, operator), gateway
    finally:
        cluster.remove_namespace(name)


def world(site: Site, app: str = "shop") -> dict[str, Any]:
    """All that counts of an App and of what it made, without numbers of releases."""
    site.until(lambda: not _left_behind(site, app), "pods of what was removed are on their way out")
    status = site.status(app)
    deployments = {
        one["metadata"]["name"]: [one["spec"]["replicas"], one.get("status", {}).get("readyReplicas", 0)]
        for one in site.items("deployment", app)
    }
    pods = [one for one in site.items("pod", app) if "deletionTimestamp" not in one["metadata"]]
    children = Counter(one["kind"] for one in site.items(CHILDREN, app))
    return {
        "state": status.get("state"),
        "ready": status.get("ready"),
        "conditions": sorted((one["type"], one["status"]) for one in status.get("conditions", ())),
        "deployments": deployments,
        "pods": Counter(one["metadata"]["labels"].get("iotistic.io/service", "pull") for one in pods),
        "children": children,
        "revisions": len(site.items("controllerrevision", app)),
    }


def _left_behind(site: Site, app: str) -> set[str]:
    """Services without a workload whose pods have not been told to end: the garbage collector comes later."""
    label = "iotistic.io/service"
    there = {one["metadata"]["labels"].get(label) for one in site.items("deployment,job", app)}
    pods = [one["metadata"] for one in site.items("pod", app)]
    return {one["labels"].get(label, "") for one in pods if "deletionTimestamp" not in one} - there - {""}


def hack(*words: str) -> None:
    """`hack/cluster` with these words. Raises: CalledProcessError."""
    subprocess.run([TOOL, *words], check=True, capture_output=True, text=True, timeout=600)


@contextlib.contextmanager
def without(component: str, *how: str) -> Iterator[None]:
    """The cluster without one of its daemons; it is there again afterwards.

    Args:
        how: KILL to end it as a crash would.
    """
    try:
        hack("stop", component, *how)
        yield
    finally:
        hack("start", component)


def needs_daemons(cluster: Kube) -> None:
    """Leave a test out that stops daemons, where they are not those of hack/cluster."""
    if Path(cluster.kubeconfig) != STATE / "kubeconfig" or (STATE / "k3s").exists():
        pytest.skip("stops daemons of the cluster: only with those of hack/cluster")
