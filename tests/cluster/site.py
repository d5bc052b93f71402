"""A namespace with an operator of its own, as tests of Apps use it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.cluster.kube import Kube, until
from tests.cluster.operator import RunningOperator, running_operator

IMAGE = "iotistic/busybox:1"
PATIENCE_SECONDS = 300.0
"""For what takes some seconds on an idle machine."""
NEVER = {"exec": {"command": ["false"]}, "periodSeconds": 1}
"""Without a probe, on a busy machine, the kubelet may call a container ready for seconds after its end."""


def serving(text: str = "one", *, name: str = "web", **fields: Any) -> dict[str, Any]:
    """A service that answers with this text on port 8080."""
    script = (
        "trap 'exit 0' TERM; mkdir -p /tmp/www; "
        f"echo {text} >/tmp/www/index.html; httpd -f -p 8080 -h /tmp/www & wait"
    )
    return {
        "name": name,
        "image": IMAGE,
        "command": ["sh", "-c"],
        "args": [script],
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/index.html", "port": 8080}, "periodSeconds": 1},
        "stopGracePeriod": 2,
    } | fields


def sleeping(name: str = "idle", **fields: Any) -> dict[str, Any]:
    """A service that does nothing."""
    args = ["trap 'exit 0' TERM; sleep 100000 & wait"]
    return {
        "name": name,
        "image": IMAGE,
        "command": ["sh", "-c"],
        "args": args,
        "stopGracePeriod": 2,
    } | fields


def failing(name: str = "web", code: int = 3, **fields: Any) -> dict[str, Any]:
    """A service that ends at once, and is never ready."""
    return sleeping(name, args=[f"exit {code}"], readinessProbe=NEVER, **fields)


def app(*services: dict[str, Any], name: str = "shop", **spec: Any) -> dict[str, Any]:
    """An App that is judged quickly."""
    quick = {"minReadySeconds": 1, "progressDeadlineSeconds": 120}
    update = quick | spec.pop("update", {})
    return {
        "apiVersion": "iotistic.io/v1alpha1",
        "kind": "App",
        "metadata": {"name": name},
        "spec": {"services": list(services), "update": update} | spec,
    }


@dataclass(frozen=True)
class Site:
    """One namespace."""

    kube: Kube
    namespace: str
    operator: RunningOperator

    def apply(self, *documents: dict[str, Any]) -> None:
        """`kubectl apply`."""
        self.kube.apply(*documents, namespace=self.namespace)

    def get(self, kind: str, name: str) -> Any:
        """An object; None when there is none."""
        return self.kube.get(kind, name, self.namespace)

    def items(self, kind: str, app: str = "shop") -> list[Any]:
        """All children of a kind."""
        return self.kube.items(kind, self.namespace, f"iotistic.io/app={app}")

    def names(self, kind: str, app: str = "shop") -> list[str]:
        """Names of all children of a kind."""
        return sorted(item["metadata"]["name"] for item in self.items(kind, app))

    def status(self, name: str = "shop") -> dict[str, Any]:
        """Status of an App that speaks of its present spec; empty before."""
        found = self.get("apps.iotistic.io", name)
        status: dict[str, Any] = (found or {}).get("status") or {}
        return status if found and status.get("observedGeneration") == found["metadata"]["generation"] else {}

    def condition(self, type: str, name: str = "shop") -> tuple[str, str]:
        """Status and reason of a condition."""
        conditions = self.status(name).get("conditions", ())
        return next(((c["status"], c["reason"]) for c in conditions if c["type"] == type), ("", ""))

    def quota(self, name: str, what: str, most: str, *, used: str = "0") -> None:
        """A quota; wait until it counts, and so much is used."""
        hard = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}}
        self.apply(hard | {"spec": {"hard": {what: most}}})

        def counts() -> bool:
            status = self.get("quota", name).get("status") or {}
            return what in (status.get("hard") or {}) and (status.get("used") or {}).get(what) == used

        self.until(counts, "the quota counts")

    def until_state(self, *states: str, name: str = "shop", release: str = "") -> dict[str, Any]:
        """Wait for a state of an App. Returns: its status."""

        def look() -> dict[str, Any]:
            status = self.status(name)
            right = status.get("state") in states and release in {"", status.get("release")}
            return status if right else {}

        return self.until(look, f"App {name} {states} {release}")

    def until(self, look: Callable[[], Any], what: str) -> Any:
        """Wait, and tell what is so when it never comes."""
        try:
            return until(look, what, PATIENCE_SECONDS)
        except AssertionError as error:
            shown = self.kube.try_kubectl(
                "get", "apps.iotistic.io,appservices,deploy,job,pod", "-n", self.namespace
            )
            statuses = [item.get("status") for item in self.kube.items("apps.iotistic.io", self.namespace)]
            raise AssertionError(
                f"{error}\n{shown.stdout}\n{json.dumps(statuses, indent=1)}\n{self.operator.tail(40)}"
            ) from error

    def fetch(self, url: str, *, workload: str) -> str:
        """What a URL answers inside a pod of a workload; empty when it does not."""
        return self.inside(workload, f"timeout 5 wget -qO - {url}")

    def until_serves(self, text: str, workload: str) -> None:
        """Wait until a pod of a workload answers itself with this text."""
        url = "http://127.0.0.1:8080/index.html"
        self.until(lambda: self.fetch(url, workload=workload) == text, f"{workload} answers {text}")

    def inside(self, workload: str, script: str) -> str:
        """Output of a shell script in a pod of a workload; empty when that fails."""
        words = ["exec", "-n", self.namespace, f"deploy/{workload}", "--", "sh", "-c", script]
        return self.kube.try_kubectl(*words).stdout.strip()

    def patch(self, kind: str, name: str, change: dict[str, Any]) -> None:
        """`kubectl patch --type=merge`."""
        self.kube.kubectl("patch", kind, name, "-n", self.namespace, "--type=merge", "-p", json.dumps(change))

    def annotate(self, kind: str, name: str, **annotations: str | None) -> None:
        """Set annotations of our group; None takes one away."""
        named = {f"iotistic.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
        self.patch(kind, name, {"metadata": {"annotations": named}})

    def versions(self, app: str = "shop") -> dict[str, str]:
        """Resource versions of the App and its AppServices."""
        found = [self.get("apps.iotistic.io", app), *self.items("appservices", app)]
        return {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in found}


@contextmanager
def site_of(cluster: Kube) -> Iterator[Site]:
    """A new namespace with an operator."""
    name = cluster.make_namespace()
    try:
        dns = cluster.get("service", "kube-dns", "kube-system")["spec"]["clusterIP"]
        with running_operator(cluster.kubeconfig, [name], {"CLUSTER_DNS": dns}) as operator:
            yield Site(cluster, name, operator)
    finally:
        cluster.remove_namespace(name)
