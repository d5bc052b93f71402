"""The Secrets and ConfigMaps without which an App can't run: those that it refers to and does not call
optional. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from iotistic.api.app import App
from iotistic.api.service import Service, ValueFrom

Name = tuple[str, str]
"""Kind and name."""


def needed(app: App) -> Mapping[Name, set[str]]:
    """What has to be there, with the keys that it must have."""
    found: dict[Name, set[str]] = {}
    for service in app.spec.services:
        for kind, name, keys in (*_by_variables(service), *_by_mounts(service, app)):
            found.setdefault((kind, name), set()).update(keys)
    return found


def _by_variables(service: Service) -> Iterator[tuple[str, str, Sequence[str]]]:
    for var in service.env:
        source = var.value_from or ValueFrom.model_construct()
        if source.secret_key_ref and not source.secret_key_ref.optional:
            yield "Secret", source.secret_key_ref.name, (source.secret_key_ref.key,)
        if source.config_map_key_ref and not source.config_map_key_ref.optional:
            yield "ConfigMap", source.config_map_key_ref.name, (source.config_map_key_ref.key,)
    for several in service.env_from:
        if several.secret_ref and not several.secret_ref.optional:
            yield "Secret", several.secret_ref.name, ()
        if several.config_map_ref and not several.config_map_ref.optional:
            yield "ConfigMap", several.config_map_ref.name, ()


def _by_mounts(service: Service, app: App) -> Iterator[tuple[str, str, Sequence[str]]]:
    for mount in service.volume_mounts:
        volume = app.volume(mount.name)
        if volume and volume.secret and not volume.secret.optional:
            yield "Secret", volume.secret.secret_name, [item.key for item in volume.secret.items]
        if volume and volume.config_map and not volume.config_map.optional:
            yield "ConfigMap", volume.config_map.name, [item.key for item in volume.config_map.items]
