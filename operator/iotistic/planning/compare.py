"""What differs between a container and what is wanted, in words that hold no value but an image's name:
any other value may be a secret."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from iotistic.planning.images import Images
from iotistic.planning.normal import NO_NETWORK
from iotistic.planning.values import AppTarget, Container, NormalSpec, Observed, ServiceTarget

_BY_NAME = {
    "env": "env {} {}",
    "labels": "label {} {}",
    "sysctls": "sysctl {} {}",
    "contents": "contents of {} {}",
}
"""Fields whose keys are told."""
_WORDS = {
    "volumeMounts": "volume mounts",
    "workingDir": "working directory",
    "envFrom": "envFrom",
    "stopGracePeriod": "stop grace period",
    "restartPolicy": "restart policy",
    "networkMode": "network mode",
    "securityContext": "security context",
    "extraHosts": "extra hosts",
    "imagePullSecrets": "image pull secrets",
}


def differences(
    container: Container, service: ServiceTarget, target: AppTarget, observed: Observed
) -> tuple[str, ...]:
    """What makes this container another one than what is wanted; empty when it is the same (R2)."""
    if container.spec is service.spec and not container.spec.networks:
        return ()
    changed = {
        network.name
        for network in observed.networks
        if network.app == target.name and network.config != target.networks.get(network.name, network.config)
    }
    same_image = container.spec.image == service.spec.image or Images(observed).same(
        container, service.spec.image
    )
    return changes(container.spec, service.spec, same_image=same_image, networks=changed)


def changes(
    old: NormalSpec, new: NormalSpec, *, same_image: bool, networks: set[str] | frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Differences, one each.

    Args:
        old: of the container.
        new: what is wanted.
        same_image: both images are one.
        networks: changed networks of the App.
    """
    found: tuple[str, ...] = ()
    if not same_image:
        found = (f"image {old.image.short} -> {new.image.short}",)
    if old.config != new.config:
        found += _config_changes(old.config, new.config)
    if networks and (used := networks & old.networks):
        found += tuple(f"network {name} changed" for name in sorted(used))
    return found


@lru_cache(maxsize=512)
def _config_changes(old: str, new: str) -> tuple[str, ...]:
    before, after = json.loads(old or "{}"), json.loads(new or "{}")
    found: list[str] = []
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            found += _field_changes(key, before.get(key), after.get(key))
    return tuple(found)


def _field_changes(key: str, old: Any, new: Any) -> list[str]:
    if key == "networks":
        return _network_changes(old or {"default": {}}, new or {"default": {}})
    if key not in _BY_NAME:
        return [f"{_WORDS.get(key, key)} changed"]
    before, after = old or {}, new or {}
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return [_BY_NAME[key].format(name, _verb(name in before, name in after)) for name in names]


def _network_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    found = []
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            found.append(f"network {name} joined")
        elif name not in new and name != NO_NETWORK:
            found.append(f"network {name} left")
        elif name in new and old[name] != new[name]:
            found.append(f"attachment to network {name} changed")
    return found


def _verb(before: bool, after: bool) -> str:
    return "changed" if before and after else "added" if after else "removed"
