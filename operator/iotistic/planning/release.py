"""Digests: of the contents of Secrets and ConfigMaps (keyed), and of a release.

A changed release digest is a new release; a keyed digest says that contents changed and nothing about
what they are.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from iotistic.api.app import App, Volume
from iotistic.api.quantity import memory_bytes
from iotistic.api.service import Service
from iotistic.planning.normal import describe, network_config, normalise, references, volume_config


def digest_contents(key: bytes, kind: str, name: str, contents: Mapping[str, bytes]) -> str:
    """Keyed digest of the values of a Secret or ConfigMap.

    Args:
        key: this install's digest key: without it nobody can try values against the digest.
        kind: Secret or ConfigMap.
        name: its name.
        contents: its values by key.

    Returns: 64 hexadecimal digits.
    """
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in [kind.encode(), name.encode(), *_flat(contents)]:
        mac.update(len(part).to_bytes(8, "big") + part)
    return mac.hexdigest()


def release_digest(app: App, contents: Mapping[str, str]) -> str:
    """What makes a release: services, networks, volumes and the contents that services refer to.

    Other words for the same thing, and another order, give the same digest. How a release is brought
    in (`update`, also that of a service), its name, suspend, historyLimit, deletionPolicy and the cloud's
    numbers are not part of it.

    Args:
        app: the App.
        contents: keyed digests of Secrets and ConfigMaps, by `Kind/name`; others than those that the App
            refers to are not looked at.

    Returns: 64 hexadecimal digits.
    """
    volumes = {volume.name: volume for volume in app.spec.volumes}
    parts = {
        "services": {service.name: _service(service, volumes, contents) for service in app.spec.services},
        "networks": {"default": ""} | {net.name: network_config(net) for net in app.spec.networks},
        "volumes": {volume.name: _volume(volume) for volume in app.spec.volumes},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _flat(contents: Mapping[str, bytes]) -> list[bytes]:
    return [part for key in sorted(contents) for part in (key.encode(), contents[key])]


def _service(service: Service, volumes: Mapping[str, Volume], contents: Mapping[str, str]) -> dict[str, Any]:
    record = describe(service, volumes, contents)
    spec = normalise(record)
    probes = {
        name: record[name] for name in ("livenessProbe", "readinessProbe", "startupProbe") if name in record
    }
    return {
        "image": spec.image.full,
        "config": spec.config,
        "dependsOn": dict(spec.depends_on),
        "probes": probes,
        "contents": {name: contents.get(name, "") for name in references(service, volumes)},
    }


def _volume(volume: Volume) -> list[Any]:
    size = memory_bytes(volume.size) if volume.size is not None else None
    return [volume_config(volume), size, volume.storage_class]
