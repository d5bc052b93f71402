"""Where nothing changes nothing is written, with many Apps and for minutes.

On an API server without a node, so that it costs no pods: the Apps have come as far as they can there.
"""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.kube import Kube, until
from tests.cluster.operator import RunningOperator, Written, running_operator
from tests.cluster.reaching import TOOL, missing, with_crds
from tests.cluster.site import app, sleeping
from tests.faults.seeds import FULL

APPS = 50
QUIET_SECONDS = 65
"""Longer than anything that is told late."""
IDLE_SECONDS = 600 if FULL else 120


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Kube]:
    """An API server that nobody else uses."""
    ran = subprocess.run([TOOL, "api-up", tmp_path], capture_output=True, text=True, check=False)
    if ran.returncode:
        missing(f"no API server (hack/cluster api-up DIR): {ran.stderr.strip()[-300:]}")
    yield with_crds(ran.stdout.strip())
    subprocess.run([TOOL, "api-down", tmp_path], capture_output=True, check=False)


def test_idle_minutes_make_no_write(quiet: Kube) -> None:
    slow = {"progressDeadlineSeconds": 86400}
    with running_operator(quiet.kubeconfig, ["default"], {"CLUSTER_DNS": "10.43.0.10"}) as operator:
        apps = [app(sleeping(), name=f"app{number}", update=slow) for number in range(APPS)]
        quiet.apply(*apps, namespace="default")
        until(lambda: len(quiet.items("deployment", "default")) == APPS, "all have come in", 300)
        until(lambda: len(with_status(quiet)) == APPS, "all have a status", 300)
        before = settled(operator)
        checked = operator.metric("iotistic_watch_checks_total")
        assert sum(before.values()) >= APPS

        time.sleep(IDLE_SECONDS)

        assert operator.writes() - before == {}
        assert operator.metric("iotistic_watch_checks_total") > checked
        assert operator.reasons("/healthz") == []
        assert operator.reasons("/readyz") == []


def settled(operator: RunningOperator) -> Counter[Written]:
    """Wait until what is written late, by design, is written. Returns: all writes so far."""
    operator.until_idle()
    seen, since = operator.writes(), time.monotonic()
    while time.monotonic() - since < QUIET_SECONDS:
        time.sleep(1)
        now = operator.writes()
        if now != seen:
            seen, since = now, time.monotonic()
    return seen


def with_status(kube: Kube) -> list[str]:
    found = kube.items("apps.iotistic.io", "default")
    return [one["metadata"]["name"] for one in found if (one.get("status") or {}).get("state")]
