"""The one form of a specification in which equal means equal (R2, R20).

A container's label keeps `describe`, the service as it was written; both sides are normalised by
today's rules before they are compared, so that a new default recreates nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from iotistic.api.app import App, Network, Volume
from iotistic.api.appservice import RunState
from iotistic.api.image import parse_image
from iotistic.api.quantity import cpu_nanos, duration_seconds, memory_bytes
from iotistic.api.service import RestartPolicy, Service
from iotistic.planning.values import AppTarget, NormalSpec, ServiceTarget

RECORD_VERSION = 1
NO_NETWORK = "(none)"
"""Stands for the networks of a container that somebody took off all of them; no network has such a name."""
NOT_COMPARED = frozenset(
    {
        "name",
        "serviceId",
        "image",
        "dependsOn",
        "update",
        "runState",
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
    }
)
"""`name` and `serviceId` say which service it is, not how it runs; images compare by digest as well."""

Record = Mapping[str, Any]
"""A service as written, with `sources` (of its volumes) and `contents` (digests of what it refers to)."""


def describe(service: Service, volumes: Mapping[str, Volume], contents: Mapping[str, str]) -> dict[str, Any]:
    """The record of a service that a container's label keeps.

    Args:
        service: the service as written.
        volumes: the App's volumes by name.
        contents: keyed digests of the Secrets and ConfigMaps it refers to, by `Kind/name`.
    """
    record = service.wire()
    sources = {}
    for mount in service.volume_mounts:
        volume = volumes.get(mount.name)
        if volume is not None and not volume.named:
            sources[mount.name] = {k: v for k, v in volume.wire().items() if k != "name"}
    if sources:
        record["sources"] = sources
    used = {name: contents[name] for name in references(service, volumes) if name in contents}
    if used:
        record["contents"] = used
    return record


def references(service: Service, volumes: Mapping[str, Volume]) -> tuple[str, ...]:
    """The Secrets and ConfigMaps whose contents end in the container, as `Kind/name`, sorted."""
    found: set[str] = set()
    for var in service.env:
        if var.value_from and var.value_from.secret_key_ref:
            found.add(f"Secret/{var.value_from.secret_key_ref.name}")
        if var.value_from and var.value_from.config_map_key_ref:
            found.add(f"ConfigMap/{var.value_from.config_map_key_ref.name}")
    for source in service.env_from:
        if source.secret_ref:
            found.add(f"Secret/{source.secret_ref.name}")
        if source.config_map_ref:
            found.add(f"ConfigMap/{source.config_map_ref.name}")
    for mount in service.volume_mounts:
        volume = volumes.get(mount.name)
        if volume and volume.secret:
            found.add(f"Secret/{volume.secret.secret_name}")
        if volume and volume.config_map:
            found.add(f"ConfigMap/{volume.config_map.name}")
    return tuple(sorted(found))


def normalise(record: Record) -> NormalSpec:
    """The normal form of a record; fields that today's models don't know are compared as they are.

    Raises: ValueError when the record has no usable image or amount.
    """
    sources = record.get("sources") or {}
    config = {}
    for key, value in record.items():
        if key in NOT_COMPARED:
            continue
        canonical = _CANONICAL.get(key, _generic)(value)
        if not _empty(canonical) and canonical != _DEFAULTS.get(key):
            config[key] = canonical
    networks = {} if record.get("networkMode") else (record.get("networks") or {"default": {}})
    if record.get("networkMode"):
        config.pop("networks", None)
    mounts = {mount["name"] for mount in record.get("volumeMounts") or ()}
    return NormalSpec(
        image=parse_image(record["image"]),
        config=canonical_json(config),
        networks=frozenset(networks),
        volumes=frozenset(name for name in mounts if name not in sources),
        depends_on=tuple(sorted((k, str(v)) for k, v in (record.get("dependsOn") or {}).items())),
        restart=RestartPolicy(record.get("restartPolicy") or RestartPolicy.ALWAYS),
    )


@lru_cache(maxsize=1024)
def normalise_text(text: str) -> NormalSpec:
    """`normalise` of a record in JSON, remembered: a label is read again at every observation."""
    return normalise(json.loads(text))


def network_config(network: Network | Record) -> str:
    """Canonical JSON of a network's definition, empty for one of defaults only."""
    record = network.wire() if isinstance(network, Network) else network
    return _definition(record, {"driver": "bridge", "ipam": {"driver": "default"}})


def volume_config(volume: Volume | Record) -> str:
    """Canonical JSON of a volume's definition; size and storageClass mean nothing on Docker."""
    record = volume.wire() if isinstance(volume, Volume) else volume
    return _definition(
        {k: v for k, v in record.items() if k not in {"size", "storageClass"}}, {"driver": "local"}
    )


def target_of(
    app: App,
    *,
    release: str = "",
    run_states: Mapping[str, RunState] | None = None,
    contents: Mapping[str, str] | None = None,
) -> AppTarget:
    """The effective target of an App: normalised, with run states and contents' digests laid over it."""
    volumes = {volume.name: volume for volume in app.spec.volumes}
    services = []
    for service in app.spec.services:
        record = describe(service, volumes, contents or {})
        services.append(
            ServiceTarget(
                name=service.name,
                spec=normalise(record),
                strategy=service.update.strategy if service.update else app.spec.update.strategy,
                run_state=(run_states or {}).get(service.name, RunState.RUNNING),
                service=service,
                record=record,
            )
        )
    networks = {"default": ""} | {network.name: network_config(network) for network in app.spec.networks}
    return AppTarget(
        name=app.name,
        release=release,
        services=tuple(services),
        networks=networks,
        volumes={volume.name: volume_config(volume) for volume in app.spec.volumes if volume.named},
        strategy=app.spec.update.strategy,
        app=app,
    )


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces; empty for an empty mapping."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")) if value else ""


def _definition(record: Record, defaults: Mapping[str, Any]) -> str:
    config = {}
    for key, value in record.items():
        if key == "name":
            continue
        canonical = _generic(value)
        if isinstance(canonical, dict):
            inner = defaults.get(key)
            inner = inner if isinstance(inner, dict) else {}
            canonical = {k: v for k, v in canonical.items() if v != inner.get(k)}
        if not _empty(canonical) and canonical != defaults.get(key):
            config[key] = canonical
    return canonical_json(config)


def _empty(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


def _generic(value: Any) -> Any:
    """Drop what is empty, keep the order of lists."""
    if isinstance(value, Mapping):
        cleaned = {key: _generic(item) for key, item in value.items()}
        return {key: item for key, item in cleaned.items() if not _empty(item)}
    if isinstance(value, list | tuple):
        return [_generic(item) for item in value]
    return value


def _sorted_unique(items: list[Any]) -> list[Any]:
    by_text = {json.dumps(item, sort_keys=True): item for item in items}
    return [by_text[text] for text in sorted(by_text)]


def _path(path: str) -> str:
    return path.rstrip("/") or "/"


def _env(value: Any) -> Any:
    return {var["name"]: _generic(var.get("valueFrom")) or str(var.get("value") or "") for var in value or ()}


def _ports(value: Any) -> Any:
    return _sorted_unique([{"protocol": "TCP"} | _generic(port) for port in value or ()])


def _mounts(value: Any) -> Any:
    return _sorted_unique(
        [_generic(mount) | {"mountPath": _path(mount["mountPath"])} for mount in value or ()]
    )


def _tmpfs(value: Any) -> Any:
    mounts = []
    for mount in value or ():
        size = {"size": memory_bytes(mount["size"])} if mount.get("size") is not None else {}
        mounts.append({"mountPath": _path(mount["mountPath"])} | size)
    return _sorted_unique(mounts)


def _resources(value: Any) -> Any:
    result = {}
    for kind in ("limits", "requests"):
        amounts = (value or {}).get(kind) or {}
        parsed = {}
        if amounts.get("memory") is not None:
            parsed["memory"] = memory_bytes(amounts["memory"])
        if amounts.get("cpu") is not None:
            parsed["cpu"] = cpu_nanos(amounts["cpu"])
        if parsed:
            result[kind] = parsed
    return result


def _networks(value: Any) -> Any:
    joined = value or {"default": {}}
    result = {}
    for name, attachment in joined.items():
        cleaned = _generic(attachment or {})
        if "aliases" in cleaned:
            cleaned["aliases"] = sorted(set(cleaned["aliases"]))
        result[name] = cleaned
    return result


def _security(value: Any) -> Any:
    cleaned = {key: item for key, item in (value or {}).items() if item is not None}
    capabilities = {k: sorted(set(v)) for k, v in (cleaned.pop("capabilities", None) or {}).items() if v}
    if capabilities:
        cleaned["capabilities"] = capabilities
    defaults = {"readOnlyRootFilesystem": False, "privileged": False, "allowPrivilegeEscalation": True}
    return {key: item for key, item in cleaned.items() if item != defaults.get(key)}


def _logging(value: Any) -> Any:
    return {"driver": "json-file"} | _generic(value or {})


def _unordered(value: Any) -> Any:
    return _sorted_unique([_generic(item) for item in value or ()])


_CANONICAL: dict[str, Callable[[Any], Any]] = {
    "env": _env,
    "ports": _ports,
    "volumeMounts": _mounts,
    "tmpfs": _tmpfs,
    "resources": _resources,
    "networks": _networks,
    "securityContext": _security,
    "stopGracePeriod": duration_seconds,
    "logging": _logging,
    "devices": _unordered,
    "extraHosts": _unordered,
    "imagePullSecrets": _unordered,
    "labels": lambda value: {k: str(v) for k, v in (value or {}).items()},
}
_DEFAULTS: dict[str, Any] = {
    "restartPolicy": "Always",
    "networks": {"default": {}},
    "stopGracePeriod": 10.0,
    "logging": {"driver": "json-file"},
}
