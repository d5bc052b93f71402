"""Releases of Apps: why one is not as it should be, which there were, going back, holding, trying again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from iotctl.cluster import explaining
from iotctl.cluster.apps import lock_of, locked_since, one_app
from iotctl.cluster.server import Server
from iotctl.exits import BadInputError, CommandError, NotFoundError
from iotistic.engines.kubernetes.values import (
    APP_LABEL,
    DIGEST_ANNOTATION,
    LOCK_ANNOTATION,
    RELEASE_ANNOTATION,
    RETRY_ANNOTATION,
)

if TYPE_CHECKING:
    from iotistic.rollout.values import RolloutState

Json = dict[str, Any]
OPERATOR = "iotistic-edge"
"""The operator among the managers of fields."""


def explain(server: Server, name: str) -> Json:
    """Why an App is not as it should be, from its status: one sentence, since when, what to type."""
    app = one_app(server, name)
    state = _state(app)
    failure, held = state.failure, lock_of(app)
    return explaining.explain(
        app,
        asdict(failure) if failure else {},
        waits={state.wait: state.wait_since},
        lock=explaining.Locked(held.text(app["metadata"]["name"]), locked_since(app)) if held else None,
    )


@dataclass(frozen=True, slots=True)
class Remembered:
    """One remembered release (`rollout.history.Revision`)."""

    release: str
    digest: str
    created: str
    wanted: str
    """Since when it has its number, which it gets whenever it is wanted again; empty: not known."""
    spec: Json = field(repr=False)


def history(server: Server, name: str) -> Json:
    """Remembered releases, newest first."""
    from iotistic.rollout.history import standing, why_failed

    app = one_app(server, name)
    found, state = remembered(server, str(app["metadata"]["name"])), _state(app)
    rows = [
        {
            "release": one.release,
            "digest": one.digest,
            "created": one.created,
            "wanted": one.wanted,
            "state": standing(one.digest, state, wanted=found[-1].digest),
            "why": why_failed(one.digest, state),
            "images": [str(service.get("image")) for service in one.spec.get("services") or []],
        }
        for one in reversed(found)
    ]
    return {"items": rows}


def remembered(server: Server, name: str) -> list[Remembered]:
    """The ControllerRevisions of an App, oldest first; the last is what is wanted."""
    found = server.items("ControllerRevision", f"{APP_LABEL}={name}")
    return [_read(one) for one in sorted(found, key=lambda one: int(one.get("revision") or 0))]


def _read(revision: Json) -> Remembered:
    meta = revision["metadata"]
    said = {**(meta.get("labels") or {}), **(meta.get("annotations") or {})}
    return Remembered(
        release=str(said.get(RELEASE_ANNOTATION) or revision.get("revision")),
        digest=str(said.get(DIGEST_ANNOTATION) or ""),
        created=str(meta.get("creationTimestamp") or ""),
        wanted=numbered_at(meta),
        spec=dict((revision.get("data") or {}).get("spec") or {}),
    )


def numbered_at(meta: Json) -> str:
    """When the operator gave a revision its number: what it holds can't be changed, its number can."""
    times = [
        str(one.get("time") or "")
        for one in meta.get("managedFields") or []
        if one.get("manager") == OPERATOR and "f:revision" in (one.get("fieldsV1") or {})
    ]
    return max(times, default="")


def _state(app: Json) -> RolloutState:
    """What the operator keeps of the rollout; nothing where that can't be read."""
    from iotistic.rollout.record import from_text
    from iotistic.rollout.values import RolloutState

    try:
        return from_text((app.get("status") or {}).get("rollout") or "{}")
    except ValueError:
        return RolloutState()


def rollback(server: Server, name: str, body: Json | None) -> Json:
    """Want an earlier release again: its spec is applied as a new release."""
    from iotistic.api import errors
    from iotistic.rollout.history import rollback_to

    app = one_app(server, name)
    name = str(app["metadata"]["name"])
    found = remembered(server, name)
    asked = str((body or {}).get("release") or "") or None
    try:
        wanted = found[-1].digest if found else ""
        chosen = rollback_to(found, _state(app), app=name, wanted=wanted, release=asked)
    except errors.NotFoundError as error:
        raise NotFoundError(f"App {name}: {error.message}.", hint=error.hint) from error
    except errors.ConflictError as error:
        raise CommandError(f"App {name}: {error.message}.", hint=error.hint) from error
    spec = {key: value for key, value in chosen.spec.items() if key != "suspend"}
    spec |= {key: value for key, value in app["spec"].items() if key == "suspend"}
    # Replaced, not merged: what only the later release says of `update` has to go too.
    after = server.edit(app, [{"op": "replace", "path": "/spec", "value": spec}], dry_run=False)
    generation = int(after["metadata"]["generation"])
    return {
        "kind": "App",
        "name": name,
        "result": "configured",
        "release": "",  # the operator gives it the next number
        "generation": generation,
    }


def retry(server: Server, name: str, body: Json | None) -> Json:
    """Forget back-offs and quarantine: the operator tries again."""
    app = one_app(server, name)
    name = str(app["metadata"]["name"])
    server.patch("App", name, {"metadata": {"annotations": {RETRY_ANNOTATION: _now()}}})
    return {"app": name, "service": str((body or {}).get("service") or ""), "status": "retrying"}


def lock(server: Server, name: str, body: Json) -> Json:
    """Hold back updates of an App, as an annotation."""
    if body.get("service"):
        raise BadInputError(
            "On a cluster a lock holds the whole App.", hint=f"iotctl lock {name} --reason ..."
        )
    app = one_app(server, name)
    name = str(app["metadata"]["name"])
    held = lock_of(app)
    if held and held.owner != body["owner"]:
        raise CommandError(
            f"App {name} is locked by {held.owner or 'somebody'}: {held.reason}.",
            hint=f"iotctl unlock {name}",
        )
    kept = {key: body[key] for key in ("reason", "owner", "until") if body.get(key)} | {"since": _now()}
    server.patch("App", name, {"metadata": {"annotations": {LOCK_ANNOTATION: json.dumps(kept)}}})
    return {"app": name, "service": "", "status": "locked"}


def unlock(server: Server, name: str) -> Json:
    """Take the lock away, whoever set it."""
    app = one_app(server, name)
    name = str(app["metadata"]["name"])
    if LOCK_ANNOTATION not in (app["metadata"].get("annotations") or {}):
        raise CommandError(f"App {name} is not locked.")
    server.patch("App", name, {"metadata": {"annotations": {LOCK_ANNOTATION: None}}})
    return {"app": name, "service": "", "status": "unlocked"}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
