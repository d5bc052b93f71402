"""Pods whose image could not be had go once its login was corrected, or somebody asks for another try; then
those that crash go too.

The kubelet lets up to five minutes pass between its tries, but not for a new pod.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from iotistic.api.app import App
from iotistic.controllers.cluster.children import controller_of, owned_by, service_of
from iotistic.controllers.cluster.ports import Object, Reason, Ref
from iotistic.engines.kubernetes import names
from iotistic.engines.kubernetes.pulls import NOT_HAD
from iotistic.engines.kubernetes.values import PULL_LABEL

if TYPE_CHECKING:
    from iotistic.controllers.cluster.turn import Turn


def logins(app: App) -> frozenset[tuple[str, str]]:
    """The Secrets that an App's images are fetched with."""
    return frozenset(
        ("Secret", one.name) for service in app.spec.services for one in service.image_pull_secrets
    )


async def fetch_again(turn: Turn, app: App) -> None:
    """Remove such pods; what they belong to makes them anew."""
    memory, refused = turn.memory, turn.applier.refused
    failing = [pod for pod in turn.children() if _fails(turn, pod)]
    changed = await _last_change(turn, app) if failing else None
    for pod in failing:
        made = _moment(pod["metadata"].get("creationTimestamp"))
        if memory.try_again or (changed and made and changed > made):
            cause = "another try was asked for" if memory.try_again else "a login was changed since"
            await turn.applier.delete(pod, Reason.PULL, cause)
    memory.try_again = memory.try_again and turn.applier.refused > refused


async def _last_change(turn: Turn, app: App) -> datetime | None:
    """When one of its logins was changed last; read again only when one has."""
    if turn.memory.logins_read:
        return turn.memory.logins_changed
    moments = []
    changes = turn.memory.content_changes
    for kind, name in sorted(logins(app)):
        found = await turn.api.get(Ref(kind, turn.key.namespace, name))
        metadata = found["metadata"] if found else {}
        times = [one.get("time") for one in metadata.get("managedFields") or ()]
        moments += [_moment(time) for time in [metadata.get("creationTimestamp"), *times]]
    turn.memory.logins_read = turn.memory.content_changes == changes
    turn.memory.logins_changed = max((one for one in moments if one), default=None)
    return turn.memory.logins_changed


def _fails(turn: Turn, pod: Object) -> bool:
    """Whether the kubelet waits before it tries again, or will, for a pod that is made anew when it goes: a
    Job would count it as a failure."""
    if pod["kind"] != "Pod" or pod["metadata"].get("deletionTimestamp"):
        return False
    uid = turn.memory.uid
    fetches = PULL_LABEL in (pod["metadata"].get("labels") or {}) and owned_by(pod, uid)
    if not fetches and not _is_deployed(turn, pod):
        return False
    containers = (pod.get("status") or {}).get("containerStatuses") or ()
    waiting = [(one.get("state") or {}).get("waiting") or {} for one in containers]
    if any(one.get("reason") in NOT_HAD for one in waiting):
        return True
    # A crashing one is in its pause, at its end or just begun, as it happens.
    return turn.memory.try_again and any(
        one.get("restartCount") and not one.get("ready") for one in containers
    )


def _is_deployed(turn: Turn, pod: Object) -> bool:
    name = names.child(turn.key.name, service_of(pod))
    deployment = turn.cache.get(Ref("Deployment", turn.key.namespace, name))
    made_anew = (controller_of(pod) or {}).get("kind") == "ReplicaSet"
    return made_anew and deployment is not None and owned_by(deployment, turn.memory.uid)


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
