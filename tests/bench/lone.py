"""An API server alone, and who plays the rest of the cluster there: pods are made, and they run at once."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.cluster.kube import GROUP_PATH, Kube
from tests.cluster.reaching import TOOL, with_crds

NAMESPACE = "bench"
MERGE = "application/merge-patch+json"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
APPS = f"{GROUP_PATH}/namespaces/{NAMESPACE}/apps"
PLAYERS = 6
LOOK_SECONDS = 0.2


@contextmanager
def lone_api_server(directory: Path) -> Iterator[Kube]:
    """A fresh API server with the CRDs and the namespace `NAMESPACE`; nothing is left of it.

    Raises: RuntimeError with its words when none starts here.
    """
    ran = subprocess.run([TOOL, "api-up", directory], capture_output=True, text=True, check=False)
    try:
        if ran.returncode:
            raise RuntimeError(f"no API server: {ran.stderr.strip()[-1000:]}")
        kube = with_crds(ran.stdout.strip())
        kube.kubectl("create", "namespace", NAMESPACE)
        yield kube
    finally:
        subprocess.run([TOOL, "api-down", directory], capture_output=True, check=False)
        shutil.rmtree(directory, ignore_errors=True)


def in_parallel(work: Callable[[Any], None], items: Iterable[Any]) -> None:
    """Do some work for all items. Raises: what any of it raises."""
    with ThreadPoolExecutor(PLAYERS) as pool:
        list(pool.map(work, items))


def asked(kube: Kube, method: str, path: str, body: Any = None, **query: Any) -> Any:
    """The body of an answer. Raises: RuntimeError with the server's words when it refuses."""
    answer = kube.request(method, path, body, **query)
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.message}")
    return answer.body


@contextmanager
def played(kube: Kube) -> Iterator[None]:
    """Deployments get their pods, and these run and are ready, for as long as this lasts."""
    ended = threading.Event()

    def play() -> None:
        while not ended.wait(LOOK_SECONDS):
            found = asked(kube, "GET", DEPLOYMENTS)["items"]
            in_parallel(lambda one: _run(kube, one), filter(_is_new, found))

    with ThreadPoolExecutor(1) as pool:
        player = pool.submit(play)
        try:
            yield
        finally:
            ended.set()
        player.result()


def _is_new(deployment: dict[str, Any]) -> bool:
    seen = (deployment.get("status") or {}).get("observedGeneration", 0)
    return bool(seen < deployment["metadata"]["generation"])


def _run(kube: Kube, deployment: dict[str, Any]) -> None:
    metadata, template = deployment["metadata"], deployment["spec"]["template"]
    name, now = f"{metadata['name']}-0", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": name,
        "uid": metadata["uid"],
        "controller": True,
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": template["metadata"]["labels"], "ownerReferences": [owner]},
        "spec": {**template["spec"], "nodeName": "edge"},
    }
    made = kube.request("POST", PODS, pod)
    if made.status not in (201, 409):
        raise RuntimeError(made.message)
    container = template["spec"]["containers"][0]
    running = {
        "name": container["name"],
        "image": container["image"],
        "imageID": f"sha256:{'0' * 64}",
        "containerID": f"containerd://{metadata['uid']}",
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": now}},
    }
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": now}
    status = {"phase": "Running", "startTime": now, "conditions": [ready], "containerStatuses": [running]}
    asked(kube, "PATCH", f"{PODS}/{name}/status", {"status": status}, content=MERGE)
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
    counts["observedGeneration"] = metadata["generation"]
    path = f"{DEPLOYMENTS}/{metadata['name']}/status"
    asked(kube, "PATCH", path, {"status": counts}, content=MERGE)
