"""Resources as flat objects: what `apps list` and `services list` give to programs, and tables show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Json = dict[str, Any]
APP_ID_LABEL = "iotistic.io/app-id"


def flat_app(app: Json) -> Json:
    """An App in one row."""
    meta, spec, status = app["metadata"], app["spec"], app.get("status") or {}
    return {
        "name": meta["name"],
        "appId": app_number(app),
        "release": status.get("release") or str(spec.get("release") or ""),
        "ready": is_ready(app),
        "readyServices": status.get("ready", ""),
        "state": status.get("state", ""),
        "reason": status.get("why", ""),
        "generation": meta.get("generation"),
        "created": meta.get("creationTimestamp", ""),
        "services": [service["name"] for service in spec.get("services", [])],
    }


def flat_service(service: Json, apps: Iterable[Json] = ()) -> Json:
    """A service in one row.

    Args:
        apps: Apps that may be its own, for their numbers.
    """
    spec, status = service["spec"], service.get("status") or {}
    number = status.get("serviceId")
    app = next((app for app in apps if app["metadata"]["name"] == spec["app"]), None)
    return {
        "name": spec["service"],
        "app": spec["app"],
        "appId": app_number(app) if app else None,
        "serviceId": number,
        "address": "-".join(str(part) for part in (spec["app"], spec["service"], number) if part is not None),
        "release": status.get("release", ""),
        "ready": status.get("ready", False),
        "state": status.get("state", ""),
        "runState": spec.get("runState") or status.get("runState", ""),
        "reason": status.get("reason", ""),
        "image": status.get("image", ""),
        "imageDigest": status.get("imageDigest", ""),
        "containerId": status.get("containerId", ""),
        "restarts": status.get("restarts", 0),
        "exitCode": status.get("exitCode"),
        "ports": status.get("ports", []),
        "since": status.get("since", ""),
    }


def flat_document(document: Json) -> Json:
    """A Secret or ConfigMap in one row: names of keys, never values."""
    keys: Sequence[str] = sorted({*document.get("data", {}), *document.get("stringData", {})})
    return {
        "name": document["metadata"]["name"],
        "kind": document["kind"],
        "type": document.get("type", ""),
        "keys": [*keys, *sorted(document.get("binaryData", {}))],
    }


def app_number(app: Json) -> int | None:
    """The cloud's number of an App, as written or as given by the agent."""
    written = app["spec"].get("appId")
    if written is not None:
        return int(written)
    meta = app["metadata"]
    given = (meta.get("labels") or {}).get(APP_ID_LABEL) or (meta.get("annotations") or {}).get(APP_ID_LABEL)
    return int(given) if given else None


def is_ready(app: Json) -> bool:
    """Whether the present spec runs and is ready."""
    status = app.get("status") or {}
    ready = condition(app, "Ready")
    generation = app["metadata"].get("generation")
    return ready.get("status") == "True" and (
        generation is None or status.get("observedGeneration", -1) >= generation
    )


def condition(app: Json, type: str) -> Json:
    """One condition of a resource; empty when it has none of that type."""
    conditions: list[Json] = (app.get("status") or {}).get("conditions") or []
    return next((one for one in conditions if one.get("type") == type), {})
