"""Whether an App's volumes go with it: by an owner reference, which `deletionPolicy` sets and takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from iotistic.api.app import App, DeletionPolicy
from iotistic.controllers.cluster.children import Whose, owned_by, whose
from iotistic.controllers.cluster.effective import Effective
from iotistic.controllers.cluster.ports import ConflictError, Object, Reason, RefusedError
from iotistic.engines.kubernetes import names

if TYPE_CHECKING:
    from iotistic.controllers.cluster.turn import Turn

log = structlog.get_logger()
CLAIM = "PersistentVolumeClaim"
_SPEC = ("accessModes", "resources", "storageClassName", "volumeMode", "volumeName")


async def own_claims(turn: Turn, app: App, may_run: Effective) -> None:
    """Make all claims of the App say whether they go with it, also those of volumes that it has no more."""
    delete = app.spec.deletion_policy is DeletionPolicy.DELETE
    rendered = {one["metadata"]["name"]: one for one in may_run.rendered.objects if one["kind"] == CLAIM}
    for child in turn.children():
        if child["kind"] != CLAIM or whose(child, turn.key.name, turn.memory.uid) is not Whose.OURS:
            continue
        if owned_by(child, turn.memory.uid) == delete:
            continue
        wanted = rendered.get(child["metadata"]["name"]) or _as_it_is(
            child, app, turn.memory.uid, delete=delete
        )
        try:
            await _write(turn, wanted, delete=delete)
        except RefusedError as error:
            log.warning("claim_refused", name=child["metadata"]["name"], problem=error.message)


async def _write(turn: Turn, wanted: Object, *, delete: bool) -> None:
    written = await turn.api.apply(wanted, reason=Reason.CHANGED)
    turn.applier.writes += 1
    if owned_by(written, turn.memory.uid) and not delete:  # another manager has the reference too
        owners = written["metadata"]["ownerReferences"]
        others = [owner for owner in owners if owner.get("uid") != turn.memory.uid]
        metadata = {**written["metadata"], "ownerReferences": others}
        try:
            written = await turn.api.replace({**written, "metadata": metadata}, reason=Reason.CHANGED)
        except ConflictError:
            return
    turn.cache.put(written)


def _as_it_is(child: Object, app: App, uid: str, *, delete: bool) -> dict[str, Any]:
    """A claim of a volume that the App has no more, as it was written, with or without its owner."""
    spec = {key: value for key, value in child["spec"].items() if key in _SPEC}
    metadata: dict[str, Any] = {
        "name": child["metadata"]["name"],
        "namespace": child["metadata"]["namespace"],
        "labels": child["metadata"].get("labels") or {},
    }
    if delete:
        metadata["ownerReferences"] = names.owners(app.name, uid)
    return {"apiVersion": "v1", "kind": CLAIM, "metadata": metadata, "spec": spec}
