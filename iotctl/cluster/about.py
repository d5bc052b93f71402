"""The cluster itself: its version, whether an operator works in it, and what to check when not."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import Any

from iotctl.cluster.server import GROUP, Server
from iotctl.exits import CommandError

Json = dict[str, Any]
OPERATOR_LABELS = "app.kubernetes.io/name=iotistic-edge,app.kubernetes.io/component=operator"
CHART = "charts/iotistic-edge"
HOW = "iotctl install  prints how"


def version(server: Server) -> Json:
    """Versions of operator and cluster; that of an operator that can't be seen is empty."""
    found = server.ask("GET", "/version")
    operator = _operator(server)
    image = ""
    if operator is not None:
        image = str(operator["spec"]["template"]["spec"]["containers"][0]["image"])
    return {
        "version": image.rpartition(":")[2],
        "apiVersion": "iotistic.io/v1alpha1",
        "installId": server.connection.context,
        "engine": {
            "kind": "kubernetes",
            "version": str(found.get("gitVersion", "")),
            "address": server.connection.server,
            "error": "",
        },
    }


def device(server: Server) -> Json:
    """What `iotctl status` and `config show` say of it."""
    where = server.connection
    return {"deviceName": f"cluster {where.context}, namespace {where.namespace}", "uptimeSeconds": None}


def healthy(server: Server) -> tuple[bool, str]:
    """Whether an operator works, by its Deployment and by what it has left undone."""
    undone = _unseen(server)
    operator = _operator(server)
    if operator is not None and not (operator.get("status") or {}).get("readyReplicas"):
        return False, "unhealthy\nthe operator is installed and not ready"
    if undone and operator is None:
        return False, f"unhealthy\nno operator has looked at App {undone}"
    if undone and operator is not None and not watches(operator, server.connection.namespace):
        return False, f"unhealthy\nthe operator does not look after namespace {server.connection.namespace}"
    return True, "healthy"


def diagnostics(server: Server) -> Json:
    """API server, kinds, rights, operator, storage, names."""
    checks = [_api(server), _kinds(server), _rights(server), _works(server), _storage(server)]
    return {"items": checks}


def _api(server: Server) -> Json:
    found = server.ask("GET", "/version")
    return _check("API server", "OK", f"Kubernetes {found.get('gitVersion', '')} answers")


def _kinds(server: Server) -> Json:
    try:
        server.ask("GET", GROUP)
    except CommandError:
        return _check("Kinds", "FAIL", "App and AppService of iotistic.io are not installed", HOW)
    return _check("Kinds", "OK", "App, AppService (iotistic.io/v1alpha1)")


def _rights(server: Server) -> Json:
    missing = [verb for verb in ("get", "create", "patch", "delete") if not _may(server, verb)]
    namespace = server.connection.namespace
    if not missing:
        return _check("Rights", "OK", f"you may change Apps in namespace {namespace}")
    return _check(
        "Rights",
        "WARN",
        f"you may not {', '.join(missing)} Apps in namespace {namespace}",
        f"ask for the role edit in namespace {namespace}",
    )


def _may(server: Server, verb: str) -> bool:
    import json

    asks = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {
            "resourceAttributes": {
                "namespace": server.connection.namespace,
                "verb": verb,
                "group": "iotistic.io",
                "resource": "apps",
            }
        },
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = server.ask("POST", path, body=json.dumps(asks).encode())
    return bool((answer.get("status") or {}).get("allowed"))


def _works(server: Server) -> Json:
    return operator_check(_operator(server), server.connection.namespace, _unseen(server))


def operator_check(operator: Json | None, namespace: str, unseen: str) -> Json:
    """What is to be said of the operator.

    Args:
        operator: its Deployment; None when none can be seen.
        namespace: the one that is meant.
        unseen: an App there that nobody has looked at; empty when there is none.
    """
    if operator is None:
        said = "no Deployment of the operator can be seen"
        if unseen:
            return _check("Operator", "FAIL", f"{said}, and nobody has looked at App {unseen}", HOW)
        return _check("Operator", "WARN", f"{said}; it may run outside of the cluster, or you may not see it")
    release = release_of(operator)
    name = f"{release['namespace']}/{release['deployment']}"
    if not (operator.get("status") or {}).get("readyReplicas"):
        advice = f"kubectl -n {release['namespace']} logs deployment/{release['deployment']}"
        return _check("Operator", "FAIL", f"{name} is not ready", advice)
    if not watches(operator, namespace):
        names = _watched(operator)
        text = f"{name} looks after {', '.join(names)} only, not after namespace {namespace}"
        return _check("Operator", "WARN", text, _also_watch(release, [*names, namespace]))
    if unseen:
        text = f"{name} is ready and has not looked at App {unseen} yet"
        return _check("Operator", "WARN", text, f"iotctl wait app/{unseen}")
    return _check("Operator", "OK", f"{name} is ready")


def watches(operator: Json, namespace: str) -> bool:
    """Whether an operator looks after the Apps of a namespace."""
    names = _watched(operator)
    return not names or namespace in names


def release_of(operator: Json | None) -> dict[str, str]:
    """Names of the release that installed an operator; those that the documents use when it is not seen."""
    metadata = (operator or {}).get("metadata") or {}
    release = str((metadata.get("labels") or {}).get("app.kubernetes.io/instance") or "iotistic")
    return {
        "release": release,
        "namespace": str(metadata.get("namespace") or "iotistic"),
        "deployment": str(metadata.get("name") or "iotistic-iotistic-edge"),
    }


def release(server: Server) -> dict[str, str]:
    """The same of the operator of this cluster."""
    return release_of(_operator(server))


def _watched(operator: Json) -> list[str]:
    """Namespaces that it looks after; none for all of them."""
    (container, *_) = operator["spec"]["template"]["spec"]["containers"]
    told = {one["name"]: str(one.get("value") or "") for one in container.get("env") or []}
    return [name.strip() for name in told.get("WATCH_NAMESPACES", "").split(",") if name.strip()]


def _also_watch(release: dict[str, str], names: list[str]) -> str:
    words = ["helm", "upgrade", release["release"], CHART, "-n", release["namespace"]]
    words += ["--reset-then-reuse-values", "--set", f"watchNamespaces={{{','.join(names)}}}"]
    return shlex.join(words)


def _storage(server: Server) -> Json:
    try:
        classes = server.ask("GET", "/apis/storage.k8s.io/v1/storageclasses").get("items") or []
    except CommandError as error:
        return _check("Storage", "SKIP", error.message)
    chosen = [
        str(one["metadata"]["name"])
        for one in classes
        if (one["metadata"].get("annotations") or {}).get("storageclass.kubernetes.io/is-default-class")
        == "true"
    ]
    if chosen:
        return _check("Storage", "OK", f"volumes come from StorageClass {chosen[0]}")
    text = "there is no default StorageClass: volumes without storageClass stay pending"
    return _check("Storage", "WARN", text, "k3s has local-path unless it is disabled")


def _operator(server: Server) -> Json | None:
    """The operator's Deployment, in any namespace that may be seen; of several the one for this one."""
    query = {"labelSelector": OPERATOR_LABELS}
    with suppress(CommandError):
        found: list[Json] = server.ask("GET", "/apis/apps/v1/deployments", query).get("items") or []
        found.sort(key=lambda one: not watches(one, server.connection.namespace))
        return found[0] if found else None
    return None


def _unseen(server: Server) -> str:
    """An App that nobody has looked at since its spec changed; empty when there is none."""
    with suppress(CommandError):
        for app in server.items("App"):
            seen = (app.get("status") or {}).get("observedGeneration", -1)
            if int(seen) < int(app["metadata"].get("generation") or 0):
                return str(app["metadata"]["name"])
    return ""


def _check(name: str, status: str, text: str, advice: str = "") -> Json:
    return {"name": name, "status": status, "text": text, "advice": advice}
