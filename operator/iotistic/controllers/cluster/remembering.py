"""Remembers releases on the cluster, with copies of what they refer to, and forgets old ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from iotistic.controllers.cluster.children import (
    Whose,
    controller_of,
    metadata,
    owned_by,
    whose,
)
from iotistic.controllers.cluster.contents import COPY_OF, contents_of, copy_of
from iotistic.controllers.cluster.keys import digest_key
from iotistic.controllers.cluster.ports import ConflictError, Reason, Ref, RefusedError
from iotistic.controllers.cluster.revisions import KIND, Revision, manifest
from iotistic.engines.kubernetes import names
from iotistic.planning.release import digest_contents
from iotistic.rollout.history import needed, too_old
from iotistic.rollout.values import RolloutState

if TYPE_CHECKING:
    from iotistic.controllers.cluster.turn import Turn, Want

log = structlog.get_logger()
REFUSED_SECONDS = 60.0


async def remember(turn: Turn, revision: Revision, known: Sequence[Revision]) -> None:
    """Make the wanted release and its copies durable. Raises RefusedError, StalledError's causes apart."""
    own = metadata(turn.key, turn.memory.uid)
    await _own_again(turn, known, own)
    for (kind, name), copy in sorted(revision.copies.items()):
        ref = Ref(kind, turn.key.namespace, copy)
        if turn.cache.get(ref) is not None:
            continue
        found = await turn.api.get(Ref(kind, turn.key.namespace, name))
        if found is not None:
            digest = digest_contents(await digest_key(turn), kind, name, contents_of(found))
            if names.copy(turn.key.name, digest) != copy:
                turn.memory.found = None
                raise ConflictError(f"{kind} {name} was changed meanwhile")
            await turn.applier.record(copy_of(found, copy, own), Reason.REVISION)
    if revision not in known:
        await turn.applier.record(manifest(revision, turn.key, own), Reason.REVISION)


async def _own_again(turn: Turn, known: Sequence[Revision], own: Mapping[str, Any]) -> None:
    """After an App was deleted without its children: what it had remembered goes with the next."""
    app, revisions = turn.key.name, {revision.name: revision for revision in known}
    copies = {copy for revision in known for copy in revision.copies.values()}
    kept = {*copies, names.digest_key(app), names.last_lines(app)}
    for child in turn.children():
        if whose(child, turn.key.name, turn.memory.uid) is not Whose.OURS or controller_of(child) is not None:
            continue
        kind, name = child["kind"], child["metadata"]["name"]
        try:
            if kind == KIND and name in revisions:
                # Applied, not replaced: the API server compares its data byte by byte, as it wrote them.
                await turn.applier.record(manifest(revisions[name], turn.key, own), Reason.REVISION)
            elif kind in {"Secret", "ConfigMap"} and name in kept:
                await turn.applier.set_owner(child, Reason.REVISION, owned=True)
        except RefusedError as error:  # it stands in nobody's way
            log.warning("owner_refused", kind=kind, name=name, problem=error.message)
            turn.applier.ask_again(REFUSED_SECONDS)


async def forget(turn: Turn, want: Want, state: RolloutState) -> None:
    """Remove releases that are too old, and copies that no remembered release uses."""
    keep = needed(want.digest, state) | {state.effective}
    old = set(too_old(want.known, limit=want.app.spec.history_limit, keep=keep))
    remembered = [revision for revision in want.known if revision.digest not in old]
    in_use = {name for revision in remembered for name in revision.copies.values()}
    known = {revision.name for revision in remembered}
    for child in turn.children():
        if (
            not owned_by(child, turn.memory.uid)
            or whose(child, turn.key.name, turn.memory.uid) is Whose.GOING
        ):
            continue
        name, annotations = child["metadata"]["name"], child["metadata"].get("annotations") or {}
        if child["kind"] == KIND and name not in known:
            await turn.applier.delete(child, Reason.REVISION, "an old release")
        elif child["kind"] in {"Secret", "ConfigMap"} and COPY_OF in annotations and name not in in_use:
            await turn.applier.delete(child, Reason.REVISION, "no remembered release uses this copy")
