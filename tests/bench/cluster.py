"""The operator on an API server without nodes: what it needs idle, after a start, for changes and repairs."""

from __future__ import annotations

import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import lone
from figure import Figure, Skipped
from idle import WINDOW_SECONDS
from lone import APPS, DEPLOYMENTS, NAMESPACE, asked, in_parallel, lone_api_server, played
from process import cpu_seconds, memory_kb

from iotistic.controllers.cluster.reading import read
from iotistic.engines.kubernetes.render import render
from iotistic.engines.kubernetes.values import RenderContext
from tests.cluster.kube import Kube, until
from tests.cluster.operator import RunningOperator, running_operator

FEW, SERVICES, ROUNDS, REPAIRS = 50, 10, 5, 30
MANY = int(os.environ.get("BENCH_APPS", "1000"))
PATIENCE_SECONDS = 1800.0
SETTLE_SECONDS = 8.0
"""After a start the operator gives memory back once it has been idle for two."""


def measure(work: Path) -> list[Figure | Skipped]:
    """All figures, on one API server and with one operator, restarted where a figure is of a start."""
    work.mkdir(parents=True, exist_ok=True)
    with (
        lone_api_server(work / "api") as kube,
        running_operator(kube.kubeconfig, log=work / "operator.log") as operator,
    ):
        time.sleep(SETTLE_SECONDS)
        figures: list[Figure | Skipped] = [_memory(operator, "operator, no Apps", 110)]
        _bring_up(kube, operator, FEW)
        operator.restart()
        figures += _idle(operator)
        figures.append(_apply(kube, operator, work))
        figures.append(_repair(kube, operator))
        _bring_up(kube, operator, MANY)
        operator.stop()
        return figures + _resync(operator)


def small_app(name: str, services: int = 1) -> dict[str, Any]:
    """An App as many have it: a port, a few variables, a probe, a limit."""
    service = {
        "image": "registry.example/team/web:1.2.3",
        "ports": [{"containerPort": 8080}],
        "env": [{"name": "LEVEL", "value": "info"}, {"name": "PLACE", "value": name}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
        "resources": {"limits": {"memory": "64Mi"}},
    }
    return {
        "apiVersion": "iotistic.io/v1alpha1",
        "kind": "App",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "services": [{"name": f"s{number}", **service} for number in range(services)],
            "update": {"minReadySeconds": 1, "progressDeadlineSeconds": 7200},
        },
    }


def _bring_up(kube: Kube, operator: RunningOperator, count: int) -> None:
    """Add Apps until there are so many, and wait until all are ready."""
    there = {one["metadata"]["name"] for one in asked(kube, "GET", APPS)["items"]}
    wanted = [small_app(f"app-{number}") for number in range(count)]
    new = [one for one in wanted if one["metadata"]["name"] not in there]
    with played(kube):
        in_parallel(lambda one: asked(kube, "POST", APPS, one), new)

        def ready() -> bool:
            items = asked(kube, "GET", APPS, resourceVersion="0")["items"]
            return all((one.get("status") or {}).get("state") == "Ready" for one in items)

        until(ready, f"{count} Apps ready", PATIENCE_SECONDS)
        operator.until_idle()


def _idle(operator: RunningOperator) -> list[Figure | Skipped]:
    operator.until_idle()
    time.sleep(SETTLE_SECONDS)
    begun, cpu, resident, writes = time.monotonic(), cpu_seconds(operator.pid), 0.0, operator.writes()
    while time.monotonic() - begun < WINDOW_SECONDS:
        time.sleep(min(5.0, WINDOW_SECONDS / 10))
        resident = max(resident, _resident(operator))
    seconds = time.monotonic() - begun
    percent = 100 * (cpu_seconds(operator.pid) - cpu) / seconds
    written = sum((operator.writes() - writes).values())
    where = f"operator, {FEW} Apps idle"
    note = f"in {seconds:.0f} s, one service each"
    return [
        Figure(name=f"{where}: memory", value=resident, bar=140, text=f"{resident:.1f} MB", unit="MB"),
        Figure(name=f"{where}: CPU of a core", value=percent, bar=0.5, text=f"{percent:.2f} %", unit="%"),
        Figure(name=f"{where}: writes", value=written, bar=0, text=f"{written}", note=note),
    ]


def _apply(kube: Kube, operator: RunningOperator, work: Path) -> Figure:
    """Ten services: the App and the operator against its children and kubectl, in turns."""
    ours, plain = [], []
    for number in range(ROUNDS):
        app = small_app(f"ten-{number}", services=SERVICES)
        children = render(read(app), RenderContext(namespace=NAMESPACE)).objects
        for child in children:
            child["metadata"]["name"] = f"plain-{child['metadata']['name']}"
            child["metadata"].pop("ownerReferences", None)
            child["metadata"]["labels"].pop("iotistic.io/app", None)
        plain.append(_seconds_to_apply(kube, work, list(children)))
        ours.append(_seconds_to_apply(kube, work, [app], until_there=app["metadata"]["name"]))
        operator.until_idle()
    one, other = statistics.median(ours), statistics.median(plain)
    return Figure(
        name="operator, App with ten services: all children there",
        value=one / other,
        bar=1.2,
        text=f"{one:.2f} s",
        against=f"{other:.2f} s",
        note=f"both from kubectl's start; against `kubectl apply --server-side` of the children; "
        f"median of {ROUNDS} in turns",
    )


def _seconds_to_apply(
    kube: Kube, work: Path, documents: list[dict[str, Any]], until_there: str = ""
) -> float:
    """How long `kubectl apply` takes, and then until the Deployments of an App are there too."""
    file = work / "documents.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}))
    begun = time.monotonic()
    kube.kubectl("apply", "--server-side", "-f", file)
    deadline = begun + PATIENCE_SECONDS
    query = {"labelSelector": f"iotistic.io/app={until_there}", "limit": "10"}
    while until_there and len(asked(kube, "GET", DEPLOYMENTS, **query)["items"]) < SERVICES:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the Deployments of {until_there} are not there")
        time.sleep(0.02)
    return time.monotonic() - begun


def _repair(kube: Kube, operator: RunningOperator) -> Figure:
    """Somebody changes where a Service leads to; until it is as it was."""
    operator.until_idle()
    took = []
    for number in range(REPAIRS):
        path = f"/api/v1/namespaces/{NAMESPACE}/services/app-{number}-s0"
        wanted = asked(kube, "GET", path)["spec"]["selector"]
        changed = {"spec": {"selector": dict.fromkeys(wanted, "by-hand")}}
        asked(kube, "PATCH", path, changed, content=lone.MERGE)
        begun = time.monotonic()
        while asked(kube, "GET", path)["spec"]["selector"] != wanted:
            if time.monotonic() > begun + 60:
                raise RuntimeError(f"not repaired: {path}")
            time.sleep(0.005)
        took.append(1000 * (time.monotonic() - begun))
    middle = statistics.median(took)
    return Figure(
        name="operator, child changed by hand: repaired (p50)",
        value=middle,
        bar=100,
        text=f"{middle:.0f} ms",
        unit="ms",
        note=f"{REPAIRS} Services; the slowest {max(took):.0f} ms",
    )


def _resync(operator: RunningOperator) -> list[Figure | Skipped]:
    begun = time.monotonic()
    operator.start()
    until(lambda: operator.metric("iotistic_reconciles_total") >= MANY, "all had a turn", PATIENCE_SECONDS)
    until(lambda: not operator.metric("iotistic_busy"), "no App waits", PATIENCE_SECONDS)
    seconds, cpu = time.monotonic() - begun, cpu_seconds(operator.pid)
    operator.until_idle()
    time.sleep(SETTLE_SECONDS)
    written = sum(operator.writes().values())
    where = f"operator, {MANY} Apps"
    return [
        Figure(
            name=f"{where}: restart to all reconciled",
            value=seconds,
            bar=600,
            text=f"{seconds:.1f} s",
            unit="s",
            note=f"{cpu:.1f} s of processor time; the bar is ours",
        ),
        Figure(name=f"{where}: writes after a restart", value=written, bar=0, text=f"{written}"),
        _memory(operator, where, 150),
    ]


def _memory(operator: RunningOperator, where: str, bar: float) -> Figure:
    resident, peak = _resident(operator), memory_kb(operator.pid, "VmHWM") / 1000 * 1.024
    return Figure(
        name=f"{where}: memory",
        value=resident,
        bar=bar,
        text=f"{resident:.1f} MB",
        unit="MB",
        note=f"{peak:.1f} MB at its peak since the start",
    )


def _resident(operator: RunningOperator) -> float:
    return memory_kb(operator.pid, "VmRSS") / 1000 * 1.024
