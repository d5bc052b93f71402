"""What needs Kubernetes is left out where there is none; in CI it must be there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.kube import Kube
from tests.cluster.reaching import TOOL, cluster_of_tests, missing, with_crds
from tests.cluster.site import Site, site_of

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session")
def cluster() -> Kube:
    """A cluster with a node and today's CRDs."""
    return cluster_of_tests()


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kube]:
    """An API server with today's CRDs; it may have no node: that of KUBECONFIG, else one of its own."""
    if os.environ.get("KUBECONFIG"):
        yield with_crds(os.environ["KUBECONFIG"])
        return
    directory = tmp_path_factory.mktemp("api")
    ran = subprocess.run([TOOL, "api-up", directory], capture_output=True, text=True, check=False)
    if ran.returncode:
        missing(f"no Kubernetes API server (hack/cluster api-up DIR): {ran.stderr.strip()[-600:]}")
    try:
        yield with_crds(ran.stdout.strip())
    finally:
        subprocess.run([TOOL, "api-down", directory], capture_output=True, check=False)


@pytest.fixture
def namespace(cluster: Kube) -> Iterator[str]:
    """A namespace of the test's own on the cluster; it goes with all that is in it."""
    name = cluster.make_namespace()
    yield name
    cluster.remove_namespace(name)


@pytest.fixture
def site(cluster: Kube) -> Iterator[Site]:
    """A namespace with an operator of its own."""
    with site_of(cluster) as made:
        yield made
