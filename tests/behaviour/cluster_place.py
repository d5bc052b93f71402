"""A namespace of a cluster with an operator of its own, as a place for Apps."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker.errors

from iotctl.cluster.agent import ClusterAgent
from iotctl.cluster.kubeconfig import connect
from tests.behaviour.device import BIN, Document, Ran
from tests.behaviour.grounds import DockerGround, Seen
from tests.behaviour.places import PATIENCE_SECONDS, Place, set_file
from tests.cluster.kube import Kube
from tests.cluster.reaching import TOOL, cluster_of_tests, missing
from tests.cluster.site import Site, site_of

IMAGES = ("web:1", "web:2", "db:1", "api:1")
REPOSITORY = "iotistic-tests"
LABEL = "iotistic.io/app"


class ClusterPlace(Place):
    """Kubernetes: what is asked goes to the API server, as iotctl does it."""

    is_cluster = True

    def __init__(self, site: Site) -> None:
        self.site = site
        environment = {"KUBECONFIG": site.kube.kubeconfig}
        self.agent = ClusterAgent(connect(environment, namespace=site.namespace))
        [node, *_] = site.kube.request("GET", "/api/v1/nodes").body["items"]
        kinds = {one["type"]: one["address"] for one in node["status"]["addresses"]}
        self.address = kinds["InternalIP"]

    def image(self, name: str, version: int = 1) -> str:
        assert f"{name}:{version}" in IMAGES
        return f"{REPOSITORY}/{name}:{version}"

    def iotctl(self, *arguments: str, documents: Sequence[Document] = ()) -> Ran:
        kube = self.site.kube
        own = {"KUBECONFIG": kube.kubeconfig, "IOTCTL_NAMESPACE": self.site.namespace}
        path = f"{Path(kube.kubectl_path).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [BIN / "iotctl", *arguments],
            env={**os.environ, **own, "CONFIG_DIR": "/nowhere", "COLUMNS": "200", "PATH": path},
            input="\n---\n".join(json.dumps(document) for document in documents),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return Ran(code=done.returncode, out=done.stdout, err=done.stderr)

    def api(self, method: str, path: str, body: object = None, **query: object) -> Any:
        if method == "POST":
            return self.agent.post(path, body, **query)
        return {"GET": self.agent.get, "DELETE": self.agent.delete}[method](path, **query)

    def running(self, app: str) -> list[Seen]:
        return [_seen(pod) for pod in self._items_of("pods", f"{LABEL}={app}") if _runs(pod)]

    def volumes(self) -> set[str]:
        labels = [claim["metadata"] for claim in self._items_of("persistentvolumeclaims", LABEL)]
        return {
            f"{meta['labels'][LABEL]}/{meta['name'].removeprefix(meta['labels'][LABEL] + '-')}"
            for meta in labels
            if "deletionTimestamp" not in meta
        }

    def run_in(self, app: str, service: str, *command: str) -> str:
        words = ["exec", "-n", self.site.namespace, f"deploy/{app}-{service}", "--", *command]
        return self.site.kube.try_kubectl(*words).stdout

    def set_healthy(self, app: str, service: str, healthy: bool) -> None:
        set_file(self, app, service, healthy)

    def ending(self, app: str, service: str, code: int) -> Mapping[str, Any]:
        return {"command": ["sh", "-c", f"echo ends; sleep 0.2; exit {code}"]}

    def said(self) -> str:
        shown = self.site.kube.try_kubectl(
            "get", "deploy,job,pod,appservices", "-o", "wide", "-n", self.site.namespace
        )
        return f"{shown.stdout}\n{self.site.operator.tail(40)}"

    def _items_of(self, plural: str, labels: str) -> list[Any]:
        path = f"/api/v1/namespaces/{self.site.namespace}/{plural}"
        answer = self.site.kube.request("GET", path, labelSelector=labels)
        assert answer.status == 200, answer.message
        return list(answer.body["items"])


def _runs(pod: Mapping[str, Any]) -> bool:
    states = pod["status"].get("containerStatuses") or ()
    has_service = "iotistic.io/service" in pod["metadata"]["labels"]  # others only fetch images
    return has_service and any("running" in one["state"] for one in states)


def _seen(pod: Mapping[str, Any]) -> Seen:
    [container] = pod["spec"]["containers"]
    [state] = pod["status"]["containerStatuses"]
    return Seen(
        id=pod["metadata"]["uid"],
        app=pod["metadata"]["labels"][LABEL],
        service=pod["metadata"]["labels"]["iotistic.io/service"],
        status="running",
        image=container["image"],
        started=state["state"]["running"]["startedAt"],
    )


@contextmanager
def cluster_place() -> Iterator[Place]:
    """A namespace with an operator; skips where there is no cluster, or no image for it."""
    kube = cluster_of_tests()
    _bring_images(kube)
    with site_of(kube) as site:
        yield ClusterPlace(site)


def _bring_images(kube: Kube) -> None:
    """Have the images of these tests on the node; they stay there for the next run."""
    wanted = [f"{REPOSITORY}/{image}" for image in IMAGES]
    nodes = kube.request("GET", "/api/v1/nodes").body["items"]
    images = [image for node in nodes for image in node["status"].get("images") or ()]
    there = {name for image in images for name in image.get("names") or ()}
    if all(f"docker.io/{image}" in there for image in wanted):
        return
    try:
        ground = DockerGround()
    except (docker.errors.DockerException, RuntimeError) as error:
        missing(f"no Docker engine to make images with (hack/docker up): {error}")
    for image in wanted:
        repository, _, version = image.partition(":")
        ground.keep_image(repository, int(version))
    ground.api.close()
    loaded = subprocess.run([TOOL, "load", *wanted], capture_output=True, text=True, check=False)
    if loaded.returncode:
        missing(f"images can't be brought into the cluster: {loaded.stderr.strip()[-600:]}")
