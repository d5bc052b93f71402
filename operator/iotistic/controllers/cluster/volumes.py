"""Whether an App's volumes go with it: by an owner reference, which `deletionPolicy` sets and takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from iotistic.api.app import App, DeletionPolicy
from iotistic.controllers.cluster.ports import ConflictError, Object, Reason, RefusedError
from iotistic.engines.kubernetes import names
from iotistic.engines.kubernetes.values import VOLUME_LABEL

if TYPE_CHECKING:
    from iotistic.controllers.cluster.turn import Turn

log = structlog.get_logger()
CLAIM = "PersistentVolumeClaim"
REFUSED_SECONDS = 30.0
"""An owner reference that was refused is asked for again after so long: volumes hang on it."""


async def keep_claims(turn: Turn) -> None:
    """Let go of all claims unless the App says Delete.

    It asks the spec as it is, before anything can hold the turn back: an App that is suspended, stalled or
    unreadable is deleted like any other, and what it still owned would go with it.
    """
    if (turn.live.get("spec") or {}).get("deletionPolicy") == DeletionPolicy.DELETE.value:
        return
    for child in turn.children():
        if child["kind"] == CLAIM and _has_owner(child, turn.memory.uid):
            await _write(turn, child, owned=False)


async def tell_of_going(turn: Turn) -> None:
    """Tell, once, of volumes that somebody has deleted while pods have them."""
    claims = [child for child in turn.children() if child["kind"] == CLAIM]
    going = frozenset(one["metadata"]["name"] for one in claims if one["metadata"].get("deletionTimestamp"))
    for name in sorted(going - turn.memory.going_claims):
        message = f"{CLAIM} {name} was deleted: it goes, with what is in it, as soon as its pods are stopped"
        log.warning("claim_going", namespace=turn.key.namespace, app=turn.key.name, name=name)
        await turn.api.event(turn.live, reason="VolumeGoing", message=message, warning=True)
    turn.memory.going_claims = going


async def own_claims(turn: Turn, app: App) -> None:
    """Own all claims of an App that says Delete, also those of volumes that it has no more."""
    if app.spec.deletion_policy is not DeletionPolicy.DELETE:
        return
    for child in turn.children():
        if child["kind"] == CLAIM and _is_volume(child, app) and not _has_owner(child, turn.memory.uid):
            await _write(turn, child, owned=True)


async def _write(turn: Turn, child: Object, *, owned: bool) -> None:
    try:
        await turn.applier.set_owner(child, Reason.CHANGED, owned=owned)
    except ConflictError:
        return  # what has changed asks for the next turn
    except RefusedError as error:
        log.warning("claim_refused", name=child["metadata"]["name"], problem=error.message)
        turn.applier.ask_again(REFUSED_SECONDS)


def _has_owner(child: Object, uid: str) -> bool:
    return any(one.get("uid") == uid for one in child["metadata"].get("ownerReferences") or ())


def _is_volume(child: Object, app: App) -> bool:
    """Whether the operator has made it; others may carry the App's label too, and their data is theirs."""
    metadata = child["metadata"]
    volume = (metadata.get("labels") or {}).get(VOLUME_LABEL) or ""
    owners = [one for one in metadata.get("ownerReferences") or () if one.get("controller")]
    going = bool(metadata.get("deletionTimestamp"))
    return not going and not owners and metadata["name"] == names.claim(app.name, volume)
