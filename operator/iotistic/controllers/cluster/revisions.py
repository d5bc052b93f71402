"""Releases of an App that the cluster remembers: one ControllerRevision each. Pure.

Its data is what an undo needs: the App's spec and the names of the copies of Secrets and ConfigMaps that it
used. The newest is the wanted one; a release that is wanted again gets the next number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from iotistic.api.app import App
from iotistic.controllers.cluster.ports import Key, Object
from iotistic.controllers.cluster.reading import read_spec
from iotistic.engines.kubernetes.values import DIGEST_ANNOTATION, RELEASE_ANNOTATION

KIND = "ControllerRevision"
NAMED = "iotistic.io/release-named"
"""Whether somebody gave the release its name: one that is given no name any more gets the next number."""
UPDATES = "iotistic.io/update"
"""How the release is brought in, as it was wanted last: that makes no other release, but other pods."""
Copies = Mapping[tuple[str, str], str]
"""Names of copies by kind and name of what they are copies of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One remembered release (`rollout.history.Revision`)."""

    digest: str
    release: str
    number: int
    """The highest is what is wanted."""
    name: str
    """Of the ControllerRevision."""
    spec: Mapping[str, Any] = field(repr=False)
    named: bool = False
    """Whether the release has the name that the App gives it, and not just the next number."""
    copies: Copies = field(default_factory=dict)
    updates: Mapping[str, Any] | None = field(default=None, repr=False)
    """`update` by service where it has one, that of the App under the empty name; None: as the spec says."""

    def app(self, wanted: App) -> App | None:
        """The App as it was; None when today's model can't read it."""
        return read_spec(wanted, self.spec if self.updates is None else _brought_in(self.spec, self.updates))


def revisions(children: Iterable[Object]) -> list[Revision]:
    """The remembered releases among an App's children, oldest first; what is none of ours is passed over."""
    found = [_revision(child) for child in children if child.get("kind") == KIND]
    return sorted((revision for revision in found if revision), key=lambda revision: revision.number)


def _brought_in(spec: Mapping[str, Any], updates: Mapping[str, Any]) -> dict[str, Any]:
    services = [_with_update(one, updates.get(str(one.get("name")))) for one in spec.get("services") or ()]
    return _with_update(spec, updates.get("")) | {"services": services}


def _with_update(spec: Mapping[str, Any], update: Any) -> dict[str, Any]:
    rest = {key: value for key, value in spec.items() if key != "update"}
    return rest if update is None else rest | {"update": update}


def updates_of(app: App) -> dict[str, Any]:
    """How an App is brought in, as `Revision.updates`."""
    spec = app.spec.wire()
    ways = {service["name"]: service.get("update") for service in spec.get("services") or ()}
    return {name: way for name, way in {**ways, "": spec.get("update")}.items() if way is not None}


def _revision(child: Object) -> Revision | None:
    metadata, data = child["metadata"], child.get("data") or {}
    annotations = metadata.get("annotations") or {}
    digest, spec = annotations.get(DIGEST_ANNOTATION), data.get("spec")
    if not digest or not isinstance(spec, Mapping):
        return None
    copies = {}
    for reference, name in (data.get("copies") or {}).items():
        kind, _, of = str(reference).partition("/")
        copies[kind, of] = str(name)
    return Revision(
        digest=digest,
        release=str(annotations.get(RELEASE_ANNOTATION) or ""),
        number=int(child.get("revision") or 0),
        name=metadata["name"],
        spec=spec,
        named=annotations[NAMED] == "true" if NAMED in annotations else spec.get("release") is not None,
        copies=copies,
        updates=_read_updates(annotations.get(UPDATES)),
    )


def _read_updates(text: str | None) -> dict[str, Any] | None:
    try:
        read = json.loads(text or "null")
    except ValueError:
        return None
    return read if isinstance(read, dict) else None


def next_revision(known: Sequence[Revision], app: App, digest: str, copies: Copies) -> Revision:
    """The revision of what is wanted: the newest one as it is, an old one with a new number, or a new one."""
    newest = known[-1] if known else None
    same = next((revision for revision in known if revision.digest == digest), None)
    release = _release(newest, app, digest)
    named, updates = app.spec.release is not None, updates_of(app)
    said = (release, named, updates)
    if same is not None and same is newest and (same.release, same.named, same.updates) == said:
        return same
    number = newest.number if same is not None and same is newest else newest.number + 1 if newest else 1
    return Revision(
        digest=digest,
        release=release,
        number=number,
        name=same.name if same else f"{app.name}-{digest[:12]}",
        # What a ControllerRevision holds can't be changed; it may say an older name of the release.
        spec=same.spec if same else app.spec.wire(),
        named=named,
        copies=same.copies if same else copies,
        updates=updates,
    )


def _release(newest: Revision | None, app: App, digest: str) -> str:
    if app.spec.release is not None:
        return str(app.spec.release)
    if newest is None:
        return "1"
    if newest.digest == digest and not newest.named:
        return newest.release
    return str(int(newest.release) + 1) if newest.release.isdigit() else "1"


def manifest(revision: Revision, key: Key, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The ControllerRevision of a revision; `metadata`: labels and owner of the App's children."""
    copies = {f"{kind}/{name}": copy for (kind, name), copy in sorted(revision.copies.items())}
    return {
        "apiVersion": "apps/v1",
        "kind": KIND,
        "metadata": {
            **metadata,
            "name": revision.name,
            "namespace": key.namespace,
            "annotations": {
                RELEASE_ANNOTATION: revision.release,
                DIGEST_ANNOTATION: revision.digest,
                NAMED: "true" if revision.named else "false",
                **(
                    {}
                    if revision.updates is None
                    else {UPDATES: json.dumps(revision.updates, sort_keys=True)}
                ),
            },
        },
        "revision": revision.number,
        "data": {"spec": revision.spec, **({"copies": copies} if copies else {})},
    }
