"""Apps, Secrets and ConfigMaps of a namespace."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from iotctl.cluster.server import ForbiddenError, Server
from iotctl.cluster.specs import uses
from iotctl.exits import CommandError, NotFoundError
from iotistic.engines.kubernetes import locks
from iotistic.engines.kubernetes.locks import Lock
from iotistic.engines.kubernetes.values import APP_LABEL, LOCK_ANNOTATION

Json = dict[str, Any]
KINDS = {"secrets": "Secret", "configmaps": "ConfigMap"}


def all_apps(server: Server) -> Json:
    """All Apps of the namespace. Raises: NotFoundError where there is no such namespace."""
    return {"items": server.items("App") or nothing_in(server)}


def nothing_in(server: Server) -> list[Json]:
    """No objects, where the namespace is there as far as this user may know. Raises: NotFoundError."""
    with suppress(ForbiddenError):
        server.ask("GET", f"/api/v1/namespaces/{server.connection.namespace}")
    return []


def one_app(server: Server, name: str) -> Json:
    """An App by its name or the cloud's number. Raises: NotFoundError naming those that there are."""
    if not name.isdigit():
        try:
            return server.one("App", name)
        except NotFoundError as error:
            raise _no_app(server, name) from error
    found = next((app for app in server.items("App") if str(app["spec"].get("appId")) == name), None)
    if found is None:
        raise _no_app(server, name)
    return found


def here(server: Server, name: str) -> Json:
    """An App, or one that is deleted and has pods or volumes that are still going. Raises: NotFoundError."""
    try:
        return one_app(server, name)
    except NotFoundError:
        left = _going(server, name)
        if not left:
            raise
    return {
        "apiVersion": "iotistic.io/v1alpha1",
        "kind": "App",
        "metadata": {"name": name, "namespace": server.connection.namespace},
        "spec": {"services": []},
        "status": {"state": "Deleting", "ready": "0/0", "why": f"waits for {', '.join(left)}"},
    }


def _going(server: Server, name: str) -> list[str]:
    """What a deleted App has left that will go by itself: not what somebody has made an orphan."""
    mine = f"{APP_LABEL}={name}"
    try:
        workloads = [*server.items("Deployment", mine), *server.items("Job", mine)]
        pods, claims = server.items("Pod", mine), server.items("PersistentVolumeClaim", mine)
    except ForbiddenError:  # who may not look there is told of the App alone
        return []
    if any(not one["metadata"].get("ownerReferences") for one in workloads):
        pods = [one for one in pods if one["metadata"].get("deletionTimestamp")]
    found = [f"pod {one['metadata']['name']}" for one in pods]
    gone = [one for one in claims if one["metadata"].get("deletionTimestamp")]
    return found + [f"volume {one['metadata']['name']}" for one in gone]


def _no_app(server: Server, name: str) -> NotFoundError:
    namespace = server.connection.namespace
    names = [app["metadata"]["name"] for app in all_apps(server)["items"]]
    hint = f"There are: {', '.join(names)}." if names else "There is none."
    return NotFoundError(
        f"There is no App {name!r} in namespace {namespace}.", hint=f"{hint} Elsewhere:  --namespace NAME"
    )


def delete(server: Server, name: str, purge: bool | None) -> Json:
    """Delete an App; its children go after it, its volumes only when they are to.

    Volumes that an App of before has left go when nothing else is there of it.
    """
    left = [one for one in volumes(server)["items"] if one["kept"] and one["app"] == name] if purge else []
    if left:
        _delete_claims(server, name)
        return {"name": name, "purge": True}
    app = one_app(server, name)
    name = str(app["metadata"]["name"])
    policy = app["spec"].get("deletionPolicy") == "Delete"
    if policy and purge is False:
        raise CommandError(
            f"The cluster deletes the volumes of App {name} with it: its deletionPolicy is Delete.",
            hint="To keep them, set deletionPolicy to Retain in its file and apply that first. "
            "Nothing was deleted.",
        )
    gone = policy if purge is None else purge
    server.delete("App", name)
    if gone:
        _delete_claims(server, name)
    return {"name": name, "purge": gone}


def _delete_claims(server: Server, app: str) -> None:
    for claim in server.items("PersistentVolumeClaim", f"{APP_LABEL}={app}"):
        server.delete("PersistentVolumeClaim", claim["metadata"]["name"])


def volumes(server: Server) -> Json:
    """Volumes of Apps, also of those that are gone: these are kept until they are purged."""
    there = {app["metadata"]["name"] for app in server.items("App")}
    return {"items": [_volume(one, there) for one in server.items("PersistentVolumeClaim", APP_LABEL)]}


def _volume(claim: Json, apps: set[str]) -> Json:
    meta = claim["metadata"]
    app = str(meta["labels"][APP_LABEL])
    name = str(meta["name"]).removeprefix(f"{app}-")
    return {"app": app, "name": name, "kept": app not in apps}


def documents(server: Server, plural: str) -> Json:
    """Secrets or ConfigMaps that people made: not the copies that Apps keep of them."""
    found = server.items(KINDS[plural], f"!{APP_LABEL}") or nothing_in(server)
    return {"items": [_shown(one) for one in found if _is_a_persons(one)]}


def document(server: Server, plural: str, name: str) -> Json:
    """One of them; of a Secret the names of its keys alone."""
    return _shown(server.one(KINDS[plural], name))


def delete_document(server: Server, plural: str, name: str) -> Json:
    """Delete one, unless an App uses it."""
    kind = KINDS[plural]
    users = [app["metadata"]["name"] for app in server.items("App") if uses(app["spec"], kind, name)]
    if users:
        raise CommandError(
            f"{kind} {name} is used by App {', '.join(users)}, so it is kept.",
            hint="Change its file so that it needs it no more, iotctl apply -f FILE, then delete again.",
        )
    return server.delete(kind, name)


def _shown(found: Json) -> Json:
    """Without values of Secrets: they are nobody's to see on a terminal."""
    meta = found["metadata"]
    shown = {
        "apiVersion": "v1",
        "kind": found["kind"],
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
    }
    for key in ("type", "data", "binaryData", "immutable"):
        if key in found:
            shown[key] = found[key]
    if found["kind"] == "Secret":
        shown["data"] = dict.fromkeys(found.get("data") or {}, "")
    return shown


def _is_a_persons(found: Json) -> bool:
    return found["metadata"]["name"] != "kube-root-ca.crt" and not str(found.get("type", "")).startswith(
        ("helm.sh/", "kubernetes.io/service-account-token")
    )


def lock_of(app: Json) -> Lock | None:
    """The lock that somebody has set on it and that holds now, as the operator reads it."""
    return locks.lock_of(app["metadata"].get("annotations") or {}, now=datetime.now(UTC))


def locked_since(app: Json) -> str:
    """When the lock was set, RFC 3339; empty where that was not written, as by hand."""
    try:
        said = json.loads((app["metadata"].get("annotations") or {}).get(LOCK_ANNOTATION) or "{}")
    except (ValueError, RecursionError):
        return ""
    since = said.get("since") if isinstance(said, dict) else ""
    return since if isinstance(since, str) else ""
