"""Objects as an API server sends them, with only what matters."""

from __future__ import annotations

from typing import Any

from iotistic.api.app import App
from iotistic.api.service import Service

UID = "11111111-2222-3333-4444-555555555555"
NOW = "2026-06-01T12:00:00Z"
EARLIER = "2026-06-01T11:00:00Z"


def service(**fields: Any) -> Service:
    return Service.model_validate({"name": "web", "image": "web:1"} | fields)


def app(*services: dict[str, Any], **spec: Any) -> App:
    return App.model_validate(
        {
            "metadata": {"name": "shop", "namespace": "edge", "uid": UID},
            "spec": {"services": list(services) or [{"name": "web", "image": "web:1"}]} | spec,
        }
    )


def metadata(name: str, *, service: str = "", owner: str = UID, **fields: Any) -> dict[str, Any]:
    labels = {"iotistic.io/app": "shop"} | ({"iotistic.io/service": service} if service else {})
    owners = [{"kind": "App", "name": "shop", "uid": owner, "controller": True}] if owner else []
    return {
        "name": name,
        "namespace": "edge",
        "uid": f"uid of {name}",
        "labels": labels,
        "ownerReferences": owners,
    } | fields


def deployment(
    *, replicas: int = 1, status: dict[str, Any] | None = None, generation: int = 2
) -> dict[str, Any]:
    ready = {"observedGeneration": generation, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}
    return {
        "kind": "Deployment",
        "metadata": metadata("shop-web", service="web", generation=generation),
        "spec": {"replicas": replicas},
        "status": ready if status is None else status,
    }


def job(*conditions: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "kind": "Job",
        "metadata": metadata("shop-web", service="web", generation=1),
        "spec": spec,
        "status": {"conditions": list(conditions)},
    }


def pod(
    state: dict[str, Any] | None = None,
    *,
    ready: bool = False,
    last: dict[str, Any] | None = None,
    restarts: int = 0,
    name: str = "shop-web-1",
    conditions: list[dict[str, Any]] | None = None,
    phase: str = "Running",
    created: str = EARLIER,
    going: bool = False,
    **status: Any,
) -> dict[str, Any]:
    container = {
        "name": "web",
        "image": "docker.io/library/web:1",
        "imageID": "docker.io/library/web@sha256:abc",
        "containerID": "containerd://c1",
        "restartCount": restarts,
        "state": state or {},
        "lastState": {"terminated": last} if last else {},
    }
    where = metadata(name, service="web", creationTimestamp=created)
    where["ownerReferences"] = [{"kind": "ReplicaSet", "name": "rs", "uid": "rs", "controller": True}]
    if going:
        where["deletionTimestamp"] = NOW
    return {
        "kind": "Pod",
        "metadata": where,
        "spec": {"nodeName": "node-1", "containers": [{"name": "web", "image": "web:1"}]},
        "status": {
            "phase": phase,
            "startTime": created,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}, *(conditions or [])],
            "containerStatuses": [container] if state is not None else [],
        }
        | status,
    }


def running(since: str = EARLIER) -> dict[str, Any]:
    return {"running": {"startedAt": since}}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}
