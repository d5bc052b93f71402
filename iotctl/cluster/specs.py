"""Specs of Apps as the API server has them, read by today's model. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iotistic.api.app import App

Json = dict[str, Any]


def read(spec: Json) -> App:
    """The App of a spec. Raises: ValueError for what today's model can't read."""
    from iotistic.api.app import App

    return App.model_validate({"metadata": {"name": "any"}, "spec": spec})


def contents(app: App) -> set[str]:
    """The Secrets and ConfigMaps whose contents end in a container, as `Secret/login`."""
    from iotistic.planning.normal import references

    volumes = {volume.name: volume for volume in app.spec.volumes}
    return {one for service in app.spec.services for one in references(service, volumes)}


def keys_named(spec: Json) -> dict[str, list[str]]:
    """The keys that an App names, by what they are in, as `Secret/login`; where it takes all keys, none."""
    found: dict[str, list[str]] = {}
    for where, key in _named(spec):
        keys = found.setdefault(where, [])
        if key not in keys:
            keys.append(key)
    return found


def _named(spec: Json) -> Iterator[tuple[str, str]]:
    for service in spec.get("services") or []:
        for var in service.get("env") or []:
            for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                if one := (var.get("valueFrom") or {}).get(field):
                    yield f"{kind}/{one['name']}", str(one["key"])
    for volume in spec.get("volumes") or []:
        for field, kind, name in (("secret", "Secret", "secretName"), ("configMap", "ConfigMap", "name")):
            source = volume.get(field) or {}
            for item in source.get("items") or []:
                yield f"{kind}/{source[name]}", str(item["key"])


def uses(spec: Json, kind: str, name: str) -> bool:
    """Whether an App needs that Secret or ConfigMap, also to pull with; of one that can't be read, whether
    it says the name anywhere."""
    try:
        app = read(spec)
    except ValueError:
        return json.dumps(name) in json.dumps(spec)
    pulls = {f"Secret/{one.name}" for service in app.spec.services for one in service.image_pull_secrets}
    return f"{kind}/{name}" in contents(app) | pulls
