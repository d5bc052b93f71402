"""The chart on a cluster with a node: Apps run on through everything that is done to their operator."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.helm import CHART, Helm, helm_path, previous_chart
from tests.cluster.kube import BIN, Kube, until
from tests.cluster.reaching import ROOT, TOOL, missing
from tests.cluster.site import app, serving, sleeping

pytestmark = pytest.mark.alone
PATIENCE_SECONDS = 300.0
IMAGE = "iotistic-edge:dev"
PREVIOUS = "iotistic-edge:previous"
SETTLED = ("--wait", "--timeout", "5m")


@pytest.fixture(scope="module")
def images(cluster: Kube) -> Iterator[tuple[str, str]]:
    """Today's image and one that is called older, both in the cluster."""
    if not helm_path():
        missing("no helm (hack/cluster-tools helm, or your distribution's package)")
    given = os.environ.get("IOTISTIC_IMAGE")
    if given:
        yield given, os.environ.get("IOTISTIC_PREVIOUS_IMAGE", given)
        return
    for command in (
        [ROOT / "hack" / "image"],
        ["docker", "tag", IMAGE, PREVIOUS],
        [TOOL, "load", IMAGE, PREVIOUS],
    ):
        ran = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
        if ran.returncode:
            missing(
                f"no image in the cluster ({command[0]}; IOTISTIC_IMAGE names yours): {ran.stderr[-600:]}"
            )
    yield IMAGE, PREVIOUS
    subprocess.run(["docker", "image", "rm", PREVIOUS], capture_output=True, check=False)


@dataclass(frozen=True)
class Installed:
    """Where the operator is, and where the Apps are."""

    kube: Kube
    helm: Helm
    place: str

    def app(self) -> dict[str, Any]:
        return self.kube.get("app", "shop", self.place) or {}

    def until_ready(self) -> None:
        self.kube.kubectl(
            "wait", "--for=condition=Ready", "app/shop", "-n", self.place, "--timeout=300s", seconds=330
        )

    def pods(self) -> dict[str, tuple[str, int]]:
        """Each pod of the App that is not on its way out, with its id and its restarts."""
        found = self.kube.items("pod", self.place, "iotistic.io/app=shop,iotistic.io/service")
        return {
            pod["metadata"]["labels"]["iotistic.io/service"]: (
                pod["metadata"]["uid"],
                sum(one["restartCount"] for one in pod["status"]["containerStatuses"]),
            )
            for pod in found
            if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]
        }

    def operator_image(self) -> str:
        (deployment,) = self.kube.items("deployment", self.helm.namespace)
        return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


@pytest.fixture
def installed(cluster: Kube) -> Iterator[Installed]:
    """Two namespaces: a restricted one for the operator, one for Apps."""
    operator, place = cluster.make_namespace("operator"), cluster.make_namespace("apps")
    for label in ("enforce", "warn"):
        cluster.kubectl("label", "namespace", operator, f"pod-security.kubernetes.io/{label}=restricted")
    helm = Helm(cluster.kubeconfig, operator)
    yield Installed(cluster, helm, place)
    for release in json.loads(helm.run("list", "--all", "-o", "json")):
        helm.attempt("uninstall", release["name"], "--wait")
    cluster.try_kubectl("delete", "apps.iotistic.io", "--all", "-n", place, "--wait=false")
    cluster.remove_namespace(place)
    cluster.remove_namespace(operator)


def image_values(image: str) -> tuple[str, ...]:
    name, _, tag = image.rpartition(":")
    return ("--set", f"image.repository={name}", "--set-string", f"image.tag={tag}")


def shop(text: str = "one") -> dict[str, Any]:
    data = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    return app(serving(text), sleeping("db", **data), volumes=[{"name": "data", "size": "16Mi"}])


def test_apps_run_on_through_upgrade_rollback_and_removal(
    installed: Installed, images: tuple[str, str], tmp_path: Path
) -> None:
    today, before = images
    kube, helm, place = installed.kube, installed.helm, installed.place
    here = ("--set", f"watchNamespaces={{{place}}}")
    printed = helm.run(
        "install",
        "edge",
        previous_chart(tmp_path),
        *here,
        *image_values(before),
        "--take-ownership",
        *SETTLED,
    )
    assert f"kubectl -n {place} get apps,appservices" in printed
    kube.apply(shop(), namespace=place)
    installed.until_ready()
    pods = installed.pods()
    assert set(pods) == {"web", "db"}

    helm.run("upgrade", "edge", CHART, *here, *image_values(today), *SETTLED)
    assert installed.operator_image() == today
    # The new operator has had its turn over what there was once it has done something new.
    update(installed, "two")
    assert installed.pods()["db"] == pods["db"]
    pods = installed.pods()

    helm.run("rollback", "edge", "1", *SETTLED)
    assert installed.operator_image() == before
    assert installed.pods() == pods

    helm.run("uninstall", "edge", "--wait", "--timeout", "3m", seconds=240)
    assert installed.pods() == pods
    assert installed.app()["spec"]["services"]
    (claim,) = kube.items("pvc", place)
    kube.apply(shop("three"), namespace=place)
    assert installed.pods() == pods, "nobody is there who could do it"

    # A proxy that is dead hinders nothing: the API server is never asked through one.
    proxy = ("--set", "proxy.https=http://127.0.0.1:9", "--set", "privateCA.configMap=kube-root-ca.crt")
    helm.run("install", "edge", CHART, *here, *proxy, *image_values(today), *SETTLED)
    until_serving(installed, "three")
    installed.until_ready()
    assert installed.pods()["db"] == pods["db"]

    kube.kubectl("delete", "app", "shop", "-n", place, "--timeout=60s")
    until(lambda: not kube.items("pod", place), "its pods are gone", PATIENCE_SECONDS)
    (kept,) = kube.items("pvc", place)
    assert kept["metadata"]["uid"] == claim["metadata"]["uid"]


def update(installed: Installed, text: str) -> None:
    installed.kube.apply(shop(text), namespace=installed.place)
    until_serving(installed, text)
    installed.until_ready()


def until_serving(installed: Installed, text: str) -> None:
    fetch = ("exec", "-n", installed.place, "deploy/shop-web", "--", "wget", "-q", "-O", "-")
    url = "http://127.0.0.1:8080/index.html"
    until(
        lambda: installed.kube.try_kubectl(*fetch, url).stdout.strip() == text,
        f"web says {text}",
        PATIENCE_SECONDS,
    )


def test_iotctl_upgrades_what_it_installed_and_keeps_what_was_set(
    installed: Installed, images: tuple[str, str]
) -> None:
    """And the command that diagnostics give for a namespace that is not watched is one that helps."""
    kube, helm = installed.kube, installed.helm
    elsewhere = helm.namespace
    shell = os.environ | {"KUBECONFIG": kube.kubeconfig, "PATH": f"{BIN}:{os.environ['PATH']}"}

    def run(*words: str) -> str:
        ran = subprocess.run(
            words, cwd=ROOT, env=shell, capture_output=True, text=True, timeout=400, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def iotctl(*words: str) -> str:
        python = (sys.executable, "-m", "iotctl.main", "--context", "cluster", "--namespace", elsewhere)
        return run(*python, *words)

    def told() -> dict[str, str]:
        (deployment,) = kube.items("deployment", helm.namespace)
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        return {one["name"]: one.get("value", "") for one in container["env"]}

    def check() -> dict[str, str]:
        found = json.loads(iotctl("diagnostics", "--internet", "none", "-o", "json"))
        (one,) = [one for one in found if one["name"] == "Operator"]
        return dict(one)

    watched = ("--set", f"watchNamespaces={{{installed.place}}}")
    printed = iotctl("install", "--image", images[0], *watched).splitlines()[0]
    # The CRDs are those of the test before.
    run(*shlex.split(printed), "--take-ownership")
    iotctl("install", "--set", "log.level=debug", "--run")
    assert installed.operator_image() == images[0]
    assert (told()["WATCH_NAMESPACES"], told()["LOG_LEVEL"]) == (installed.place, "debug")

    assert check()["status"] == "WARN"
    assert f"not after namespace {elsewhere}" in check()["text"]
    run(*shlex.split(check()["advice"]), "--wait", "--timeout", "5m")
    assert check()["status"] == "OK"
    assert (told()["WATCH_NAMESPACES"], told()["LOG_LEVEL"]) == (f"{installed.place},{elsewhere}", "debug")


def test_it_installs_as_the_page_says(installed: Installed, images: tuple[str, str]) -> None:
    """For the whole cluster, and `helm test` makes an App of its own."""
    kube, helm = installed.kube, installed.helm
    helm.run("install", "iotistic", CHART, *image_values(images[0]), "--take-ownership", *SETTLED)
    printed = helm.run("test", "iotistic", "--timeout", "10m", seconds=660)
    assert "Phase:          Succeeded" in printed
    may = ("auth", "can-i", "--as=somebody", "-n", installed.place)
    for role, verb, resource, answer in (
        ("view", "list", "apps.iotistic.io", "yes"),
        ("view", "delete", "apps.iotistic.io", "no"),
        ("edit", "delete", "apps.iotistic.io", "yes"),
        ("edit", "patch", "appservices.iotistic.io", "yes"),
        ("edit", "delete", "appservices.iotistic.io", "no"),
    ):
        name = f"{role}-{secrets.token_hex(3)}"
        kube.kubectl(
            "create", "rolebinding", name, "-n", installed.place, f"--clusterrole={role}", "--user=somebody"
        )
        until(
            lambda: kube.try_kubectl(*may, verb, resource).stdout.strip() == answer,  # noqa: B023
            f"{role} may {verb} {resource}: {answer}",
        )
        kube.kubectl("delete", "rolebinding", name, "-n", installed.place)
