"""Contents of the Secrets and ConfigMaps that an App's services get: their digests, and copies of them.

A release refers to copies that never change, so an undo brings back what was in them too. A copy is named
after its contents: releases with the same contents share it. Values pass through here and are not kept.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from iotistic.api.app import App
from iotistic.controllers.cluster.ports import Api, Key, Object, Ref
from iotistic.engines.kubernetes import names
from iotistic.planning.needs import Name, needed
from iotistic.planning.normal import references
from iotistic.planning.release import digest_contents

COPY_OF = "iotistic.io/copy-of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an App refers to, as it is now."""

    digests: Mapping[str, str] = field(default_factory=dict)
    """By `Kind/name`."""
    missing: tuple[str, ...] = ()
    """What has to be there and is not: `Secret login`; where it lacks a key, `Secret login: key token`."""

    def copies(self, app: str) -> dict[Name, str]:
        """Names of the copies that there have to be."""
        named = {}
        for reference, digest in self.digests.items():
            kind, _, name = reference.partition("/")
            named[kind, name] = names.copy(app, digest)
        return named


def used(app: App) -> tuple[Name, ...]:
    """The Secrets and ConfigMaps whose contents end in a container of this App."""
    volumes = {volume.name: volume for volume in app.spec.volumes}
    found = {one for service in app.spec.services for one in references(service, volumes)}
    named = (one.partition("/") for one in sorted(found))
    return tuple((kind, name) for kind, _, name in named)


async def look_at(api: Api, key: Key, app: App, digest_key: bytes) -> Found:
    """Read what an App refers to. Raises as `Api.get` does."""
    digests: dict[str, str] = {}
    missing: list[str] = []
    required = needed(app)
    for kind, name in used(app):
        found = await api.get(Ref(kind, key.namespace, name))
        keys = required.get((kind, name))
        if found is None:
            if keys is not None:
                missing.append(f"{kind} {name}")
            continue
        contents = contents_of(found)
        missing += [f"{kind} {name}: key {one}" for one in sorted(keys or ()) if one not in contents]
        digests[f"{kind}/{name}"] = digest_contents(digest_key, kind, name, contents)
    return Found(digests=digests, missing=tuple(missing))


def contents_of(found: Object) -> dict[str, bytes]:
    """The values of a Secret or ConfigMap."""
    if found.get("kind") == "Secret":
        return {key: base64.b64decode(text) for key, text in (found.get("data") or {}).items()}
    binary = {key: base64.b64decode(text) for key, text in (found.get("binaryData") or {}).items()}
    return binary | {key: str(text).encode() for key, text in (found.get("data") or {}).items()}


def copy_of(found: Object, copy: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The copy of a Secret or ConfigMap; `metadata`: namespace, labels and owner of the App's children."""
    kind, name = found["kind"], found["metadata"]["name"]
    copied: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {**metadata, "name": copy, "annotations": {COPY_OF: f"{kind}/{name}"}},
        "immutable": True,
    }
    for part in ("data", "binaryData"):
        if found.get(part):
            copied[part] = found[part]
    return copied
