"""What installing, upgrading and removing the chart leaves of definitions and Apps: on an API server of
its own, because removing the definitions takes every App with it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster.helm import CHART, Helm, helm_path, previous_chart
from tests.cluster.kube import GROUP_PATH, Kube, until
from tests.cluster.operator import running_operator
from tests.cluster.reaching import TOOL, missing

APP = """
apiVersion: iotistic.io/v1alpha1
kind: App
metadata: {name: shop}
spec: {services: [{name: web, image: 'web:1'}]}
"""


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kube]:
    """An API server alone; nothing runs what it is told."""
    if not helm_path():
        missing("no helm (hack/cluster-tools helm, or your distribution's package)")
    directory = tmp_path_factory.mktemp("lone")
    ran = subprocess.run([TOOL, "api-up", directory], capture_output=True, text=True, check=False)
    if ran.returncode:
        missing(f"no Kubernetes API server (hack/cluster api-up DIR): {ran.stderr.strip()[-600:]}")
    yield Kube(kubeconfig=ran.stdout.strip())
    subprocess.run([TOOL, "api-down", directory], capture_output=True, check=False)


def make_app(kube: Kube) -> None:
    for plural in ("apps", "appservices"):
        kube.until_served(plural)
    until(lambda: kube.try_kubectl("apply", "-f", "-", stdin=APP).returncode == 0, "the App is taken")


def definitions(kube: Kube) -> list[str]:
    found = kube.kubectl("get", "crd", "-o", "name").split()
    return sorted(name.split("/")[1] for name in found if name.endswith(".iotistic.io"))


def test_apps_stay_when_the_chart_goes_and_are_taken_up_when_it_comes_back(
    lone: Kube, tmp_path: Path
) -> None:
    helm = Helm(lone.kubeconfig)
    printed = helm.run("install", "edge", previous_chart(tmp_path))
    assert "kubectl -n default rollout status deployment/edge-iotistic-edge" in printed
    make_app(lone)
    uid = lone.get("app", "shop", "default")["metadata"]["uid"]
    helm.run("upgrade", "edge", CHART)
    assert (
        lone.get("crd", "apps.iotistic.io", "")["metadata"]["labels"]["helm.sh/chart"]
        == "iotistic-edge-0.1.0"
    )
    helm.run("rollback", "edge", "1")
    printed = helm.run("uninstall", "edge")
    assert "kept due to the resource policy" in printed
    assert definitions(lone) == ["apps.iotistic.io", "appservices.iotistic.io"]
    assert lone.get("deployment", "edge-iotistic-edge", "default") is None
    helm.run("install", "edge", CHART)
    assert lone.get("app", "shop", "default")["metadata"]["uid"] == uid
    assert helm.attempt("install", "other", CHART).returncode != 0, "two releases don't share the definitions"
    helm.run("uninstall", "edge")
    helm.run("install", "other", CHART, "--take-ownership")
    helm.run("uninstall", "other")
    assert lone.get("app", "shop", "default")["metadata"]["uid"] == uid


def test_without_keep_everything_goes_and_nothing_hangs(lone: Kube) -> None:
    helm = Helm(lone.kubeconfig)
    printed = helm.run("install", "edge", CHART, "--take-ownership", "--set", "crds.keep=false")
    assert "removes ALL Apps" in printed
    make_app(lone)
    helm.run("uninstall", "edge", seconds=120)
    until(lambda: not definitions(lone), "the definitions are gone")
    assert lone.request("GET", f"{GROUP_PATH}/namespaces/default/apps/shop").status == 404


def test_its_rights_are_enough_for_the_whole_cluster(lone: Kube, tmp_path: Path) -> None:
    """An operator outside of the cluster, as the chart's account; another namespace than its own."""
    helm = Helm(lone.kubeconfig)
    helm.run("install", "edge", CHART, "--take-ownership")
    make_app(lone)
    lone.kubectl("create", "namespace", "shop")
    token = lone.kubectl("create", "token", "edge-iotistic-edge", "-n", "default", "--duration=1h").strip()
    way = yaml.safe_load(Path(lone.kubeconfig).read_text())
    way["users"][0]["user"] = {"token": token}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(way))
    # Without somebody who fetches images the first release would wait for ever: KillThenDownload doesn't.
    app = yaml.safe_load(APP)
    app["spec"]["update"] = {"strategy": "KillThenDownload"}
    with running_operator(str(tmp_path / "kubeconfig")) as operator:
        lone.apply(app, namespace="shop")
        until(lambda: lone.get("deployment", "shop-web", "shop"), f"a Deployment; {operator.tail()}")
        until(lambda: lone.get("app", "shop", "shop")["status"].get("why"), "a status")
        assert [line for line in operator.lines() if "orbidden" in str(line)] == []
    helm.run("uninstall", "edge")


def test_without_definitions_it_installs_the_rest(lone: Kube) -> None:
    helm, before = Helm(lone.kubeconfig), definitions(lone)
    printed = helm.run("install", "edge", CHART, "--set", "crds.enabled=false")
    assert "without them nothing runs" in printed
    assert definitions(lone) == before
    helm.run("uninstall", "edge")
