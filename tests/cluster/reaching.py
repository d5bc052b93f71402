"""Where the cluster of the tests is; without one its tests are left out, and in CI it must be there."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cluster.kube import Kube

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "hack" / "cluster"


def missing(what: str) -> None:
    """Leave a test out, or fail where everything has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}; in CI it must be there")
    pytest.skip(what)


def cluster_of_tests() -> Kube:
    """A cluster with a node and today's CRDs: that of KUBECONFIG, else the one of this machine."""
    kubeconfig = os.environ.get("KUBECONFIG", "")
    if not kubeconfig:
        ran = subprocess.run([TOOL, "up"], capture_output=True, text=True, check=False)
        if ran.returncode:
            missing(f"no Kubernetes node (hack/cluster up): {ran.stderr.strip()[-600:]}")
        env = subprocess.run([TOOL, "env"], capture_output=True, text=True, check=True).stdout
        kubeconfig = env.split("KUBECONFIG=", 1)[1].split("\n", 1)[0]
    return with_crds(kubeconfig)


def with_crds(kubeconfig: str) -> Kube:
    """An API server that serves today's kinds."""
    kube = Kube(kubeconfig=kubeconfig)
    if shutil.which(kube.kubectl_path) is None:
        missing("no kubectl (hack/cluster-tools kubectl, or your distribution's package)")
    kube.kubectl("apply", "--server-side", "--force-conflicts", "-f", ROOT / "crds")
    for plural in ("apps", "appservices"):
        kube.until_served(plural)
    return kube
