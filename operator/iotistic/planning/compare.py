"""What differs between what is there and what is wanted, in words that hold few values: an image's name, and
what a volume is made of. Any other value may be a secret."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
_VOLUME_VALUES = {"driver": "local", "size": "none", "storageClass": "none"}
"""Fields of a volume whose values are told, with what stands for an absent one. Not among them: driverOpts,
which may hold the password of a share."""
_TOLD = 3
_WORDS = {
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
            found += field_changes(key, before.get(key), after.get(key))
    return tuple(found)


def listed(changes: Sequence[str]) -> str:
    """Some differences in one line: the first three, and how many there are besides."""
    more = len(changes) - _TOLD
    return ", ".join(changes[:_TOLD]) + (f" and {more} more" if more > 0 else "")


def volume_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What makes a volume's definition another one: `size 1Gi -> 5Gi`, one each."""
    found: list[str] = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if key in _VOLUME_VALUES:
            absent = _VOLUME_VALUES[key]
            found.append(f"{key} {before or absent} -> {after or absent}")
        elif isinstance(before or after, Mapping):
            before, after = before or {}, after or {}
            names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
            found += [f"{key}.{name} {_verb(name in before, name in after)}" for name in names]
        else:
            found.append(f"{key} changed")
    return found


def field_changes(key: str, old: Any, new: Any) -> list[str]:
    """What differs in one field of a service, in its normal form; one each."""
    if key == "volumeMounts":
        return _mount_changes(old or [], new or [])
    if key == "networks":
        return _network_changes(old or {"default": {}}, new or {"default": {}})
    if key not in _BY_NAME:
        return [f"{_WORDS.get(key, key)} changed"]
    before, after = old or {}, new or {}
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return [_BY_NAME[key].format(name, _verb(name in before, name in after)) for name in names]


def _mount_changes(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[str]:
    """By the path inside; what is mounted there may have changed."""
    before, after = ({mount["mountPath"]: mount for mount in mounts} for mounts in (old, new))
    paths = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    found = [_mount_change(path, before.get(path), after.get(path)) for path in paths]
    return found or ["volume mounts changed"]  # of two at one path the first


def _mount_change(path: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> str:
    if old and new and old.get("name") != new.get("name"):
        return f"volume {old.get('name')} -> {new.get('name')} at {path}"
    name = (new or old or {}).get("name")
    return f"volume {name} at {path} {_verb(old is not None, new is not None)}"


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
