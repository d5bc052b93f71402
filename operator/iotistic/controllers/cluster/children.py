"""Whose an object is: an App's child, somebody else's, or a former App's that is going."""

from __future__ import annotations

from enum import Enum
from typing import Any

from iotistic.controllers.cluster.ports import Key, Object, Ref
from iotistic.engines.kubernetes import names
from iotistic.engines.kubernetes.values import APP_LABEL, SERVICE_LABEL

WORKLOADS = ("Deployment", "Job")


class Whose(Enum):
    """To whom an object belongs."""

    OURS = "ours"
    FOREIGN = "foreign"
    """Somebody else's: never taken over, never changed."""
    GOING = "going"
    """It is being removed, or its owner, an App of this name that was there before, is."""


def ref_of(found: Object) -> Ref:
    """What an object is called."""
    return Ref(found["kind"], found["metadata"]["namespace"], found["metadata"]["name"])


def whose(found: Object, app: str, uid: str) -> Whose:
    """To whom an object with a child's name belongs."""
    metadata = found["metadata"]
    if (metadata.get("labels") or {}).get(APP_LABEL) != app:
        return Whose.FOREIGN
    owner = controller_of(found)
    if owner is not None and owner.get("uid") != uid:
        same = owner.get("kind") == "App" and owner.get("name") == app
        return Whose.GOING if same else Whose.FOREIGN
    return Whose.GOING if metadata.get("deletionTimestamp") else Whose.OURS


def controller_of(found: Object) -> dict[str, Any] | None:
    """The owner that is its controller."""
    owners = found["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), None)


def owned_by(found: Object, uid: str) -> bool:
    """Whether this App is its controller."""
    owner = controller_of(found)
    return owner is not None and owner.get("uid") == uid


def may_be_removed(found: Object, app: str, uid: str) -> bool:
    """Whether an object that is wanted no more goes.

    Somebody may have copied our labels, as `kubectl expose` does: without an owner only what has the name of
    a workload or AppService of ours counts as ours, after an App was deleted without its children.
    """
    if controller_of(found) is not None:
        return owned_by(found, uid)
    part = names.child(app, service_of(found))
    return found["kind"] in {*WORKLOADS, "AppService"} and found["metadata"]["name"] == part


def service_of(found: Object) -> str:
    """Name of the service that a child belongs to; empty for none."""
    return str((found["metadata"].get("labels") or {}).get(SERVICE_LABEL) or "")


def metadata(key: Key, uid: str) -> dict[str, Any]:
    """Namespace, labels and owner of a child that belongs to no service."""
    return {
        "namespace": key.namespace,
        "labels": names.labels(key.name),
        "ownerReferences": names.owners(key.name, uid),
    }
