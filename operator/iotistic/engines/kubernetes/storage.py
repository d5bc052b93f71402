"""Volumes: what keeps their data, and how pods mount them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from iotistic.api.app import App, DeletionPolicy, KeyToPath, Volume
from iotistic.api.quantity import parse_quantity
from iotistic.api.service import Service
from iotistic.engines.kubernetes import names
from iotistic.engines.kubernetes.amounts import memory_text
from iotistic.engines.kubernetes.values import VOLUME_LABEL, Object, RenderContext

DEFAULT_SIZE = "1Gi"
FILE_MODE = 0o444
"""Of files from Secrets and ConfigMaps: every user of the container may read them, as on Docker."""


def claims(app: App, context: RenderContext) -> list[Object]:
    """The PersistentVolumeClaims of an App. They go with the App under deletionPolicy Delete only."""
    return [_claim(app, volume, context) for volume in app.spec.volumes if volume.named]


def never_less(claim: Mapping[str, Any], live: Mapping[str, Any]) -> Mapping[str, Any]:
    """A claim as it can be asked for; other objects as they are.

    A volume never shrinks: one that a later release, or a person, has made larger stays so.
    """
    if claim.get("kind") != "PersistentVolumeClaim":
        return claim
    spec, there = claim["spec"], live.get("spec") or {}
    size = ((there.get("resources") or {}).get("requests") or {}).get("storage")
    try:
        if parse_quantity(str(size)) <= parse_quantity(spec["resources"]["requests"]["storage"]):
            return claim
    except ValueError:
        return claim
    return {**claim, "spec": {**spec, "resources": {"requests": {"storage": size}}}}


def pod_volumes(app: App, service: Service, context: RenderContext) -> list[Object]:
    """`spec.volumes` of a service's pod: those that it mounts, and its file systems in memory."""
    mounted = {mount.name for mount in service.volume_mounts}
    volumes: list[Object] = [
        {"name": volume.name, **_source(app, volume, context)}
        for volume in app.spec.volumes
        if volume.name in mounted
    ]
    return volumes + [{"name": name, **source} for name, _, source in _unnamed(service)]


def mounts(app: App, service: Service) -> list[Object]:
    """`volumeMounts` of a service's container."""
    found = []
    for mount in service.volume_mounts:
        volume = app.volume(mount.name)
        fixed = volume is not None and (volume.secret is not None or volume.config_map is not None)
        read_only = {"readOnly": True} if mount.read_only or fixed else {}
        found.append({"name": mount.name, "mountPath": mount.mount_path, **read_only})
    return found + [{"name": name, "mountPath": path} for name, path, _ in _unnamed(service)]


def _claim(app: App, volume: Volume, context: RenderContext) -> Object:
    owned = app.spec.deletion_policy is DeletionPolicy.DELETE
    metadata = names.metadata(app, context, names.claim(app.name, volume.name), owned=owned)
    metadata["labels"][VOLUME_LABEL] = volume.name
    spec: Object = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": memory_text(volume.size or DEFAULT_SIZE)}},
    }
    if volume.storage_class is not None:
        spec["storageClassName"] = volume.storage_class
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def _source(app: App, volume: Volume, context: RenderContext) -> Object:
    if volume.secret is not None:
        name = context.copy_of("Secret", volume.secret.secret_name)
        return {
            "secret": {"secretName": name, **_files(volume.secret.items, optional=volume.secret.optional)}
        }
    if volume.config_map is not None:
        name = context.copy_of("ConfigMap", volume.config_map.name)
        return {
            "configMap": {
                "name": name,
                **_files(volume.config_map.items, optional=volume.config_map.optional),
            }
        }
    if volume.host_path is not None:
        return {"hostPath": {"path": volume.host_path.path, "type": volume.host_path.type}}
    return {"persistentVolumeClaim": {"claimName": names.claim(app.name, volume.name)}}


def _files(items: Sequence[KeyToPath], *, optional: bool) -> Object:
    files: Object = {"defaultMode": FILE_MODE}
    if items:
        files["items"] = [{"key": item.key, "path": item.path} for item in items]
    if optional:
        files["optional"] = True
    return files


def _unnamed(service: Service) -> list[tuple[str, str, Object]]:
    """What it mounts beside volumes: file systems in memory, and devices under another name than the
    host's (one that may have devices is privileged and has all of the host's anyway)."""
    taken = {mount.name for mount in service.volume_mounts}
    found = []
    for index, tmpfs in enumerate(service.tmpfs):
        size = {"sizeLimit": memory_text(tmpfs.size)} if tmpfs.size is not None else {}
        source: Object = {"emptyDir": {"medium": "Memory", **size}}
        found.append((_free(f"tmpfs-{index}", taken), tmpfs.mount_path, source))
    for index, device in enumerate(service.devices):
        outside, _, rest = device.partition(":")
        inside = rest.partition(":")[0]
        if inside not in {"", outside}:
            source = {"hostPath": {"path": outside, "type": ""}}
            found.append((_free(f"device-{index}", taken), inside, source))
    return found


def _free(name: str, taken: set[str]) -> str:
    """A name that no mounted volume has."""
    while name in taken:
        name += "-own"
    return name
