"""The operator as it is installed, on a real node: the whole pod while fifty Apps run and nothing happens."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
from figure import Figure, Skipped
from idle import WINDOW_SECONDS

from tests.cluster.helm import CHART, Helm, helm_path
from tests.cluster.kube import Kube, until
from tests.cluster.reaching import ROOT, TOOL, cluster_of_tests
from tests.cluster.site import sleeping

FEW = 50
IMAGE = "iotistic-edge:dev"
PLACE = "bench-pod"
PATIENCE_SECONDS = 900.0
SETTLE_SECONDS = 15.0
LEVELS = re.compile(r"^(?P<name>\w+)(?:\{[^}]*\})? (?P<value>\S+)$", re.MULTILINE)


def measure() -> list[Figure | Skipped]:
    """Install the chart, bring the Apps up, watch, and remove all of it."""
    if problem := _brought():
        return [Skipped(name=f"whole pod, {FEW} Apps idle", note=problem)]
    kube = cluster_of_tests()
    helm = Helm(kube.kubeconfig, PLACE)
    name, _, tag = IMAGE.partition(":")
    try:
        helm.run(
            *("install", "iotistic", CHART, "--create-namespace", "--wait", "--timeout", "5m"),
            *("--set", f"image.repository={name},image.tag={tag},crds.enabled=false"),
        )
        for number in range(FEW):
            kube.apply(_app(f"app-{number}"), namespace=PLACE)
        until(lambda: _ready(kube) == FEW, f"{FEW} Apps ready", PATIENCE_SECONDS)
        time.sleep(SETTLE_SECONDS)
        return _watched(kube)
    finally:
        kube.try_kubectl("delete", "apps.iotistic.io", "--all", "-n", PLACE)
        helm.attempt("uninstall", "iotistic", "--wait")
        kube.remove_namespace(PLACE)


def _brought() -> str:
    """Have a node and the image on it. Returns: what is missing."""
    commands: list[list[str | Path]] = [[TOOL, "up"], [ROOT / "hack" / "image"], [TOOL, "load", IMAGE]]
    for command in commands:
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode:
            return f"{Path(command[0]).name} {' '.join(map(str, command[1:]))}: {ran.stderr.strip()[-300:]}"
    return "" if helm_path() else "no helm: hack/cluster-tools helm"


def _app(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "iotistic.io/v1alpha1",
        "kind": "App",
        "metadata": {"name": name},
        "spec": {"services": [sleeping("web")], "update": {"minReadySeconds": 1}},
    }


def _ready(kube: Kube) -> int:
    found = kube.items("apps.iotistic.io", PLACE)
    return sum((one.get("status") or {}).get("state") == "Ready" for one in found)


def _levels(kube: Kube) -> dict[str, float]:
    """The operator's own figures, asked for on its pod's address; of several labels the sum."""
    [pod] = kube.items("pod", PLACE, "app.kubernetes.io/name=iotistic-edge")
    [port] = pod["spec"]["containers"][0]["ports"]
    url = f"http://{pod['status']['podIP']}:{port['containerPort']}/metrics"
    found: dict[str, float] = {}
    for line in LEVELS.finditer(httpx.get(url, timeout=10).text):
        found[line["name"]] = found.get(line["name"], 0.0) + float(line["value"])
    return found


def _watched(kube: Kube) -> list[Figure | Skipped]:
    first, begun, resident = _levels(kube), time.monotonic(), 0.0
    while time.monotonic() - begun < WINDOW_SECONDS:
        time.sleep(min(10.0, WINDOW_SECONDS / 10))
        resident = max(resident, _levels(kube)["process_resident_memory_bytes"] / 1e6)
    last, seconds = _levels(kube), time.monotonic() - begun
    percent = 100 * (last["process_cpu_seconds_total"] - first["process_cpu_seconds_total"]) / seconds
    written = last.get("iotistic_api_writes_total", 0.0) - first.get("iotistic_api_writes_total", 0.0)
    where = f"whole pod, {FEW} running Apps idle"
    return [
        Figure(name=f"{where}: memory", value=resident, bar=140, text=f"{resident:.1f} MB", unit="MB"),
        Figure(name=f"{where}: CPU of a core", value=percent, bar=0.5, text=f"{percent:.2f} %", unit="%"),
        Figure(
            name=f"{where}: writes",
            value=written,
            bar=0,
            text=f"{written:.0f}",
            note=f"in {seconds:.0f} s; the pod has one process, which kubelet probes and we read",
        ),
    ]
