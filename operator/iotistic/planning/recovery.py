"""An App read off its objects on the engine: the way back when the target is lost. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iotistic.api.base import API_VERSION
from iotistic.planning.normal import Record

_ADDED = frozenset({"sources", "contents"})
"""What a container's record holds beside the service as written."""


def app_document(
    name: str,
    *,
    services: Mapping[str, Record],
    networks: Mapping[str, Record],
    volumes: Mapping[str, Record],
    release: str = "",
) -> dict[str, Any]:
    """The App that has these objects, as somebody would write it.

    What only the App's own fields said (its update settings, its deletionPolicy) is not on the engine and
    gets the defaults.

    Args:
        name: of the App.
        services: records of its containers.
        networks: definitions by name; `default` of defaults only is left out.
        volumes: definitions of the volumes of its own.
        release: that its containers belong to; empty when they disagree.
    """
    sources: dict[str, Record] = {}
    written = []
    for service in services.values():
        sources |= service.get("sources") or {}
        written.append({key: value for key, value in service.items() if key not in _ADDED})
    known = set(volumes) | set(sources)
    mounted = {mount["name"] for service in written for mount in service.get("volumeMounts") or ()}
    spec: dict[str, Any] = {"services": sorted(written, key=lambda service: str(service["name"]))}
    own = [{"name": key, **_without_name(record)} for key, record in sorted(networks.items())]
    own = [network for network in own if network != {"name": "default"}]
    if own:
        spec["networks"] = own
    kept = [{"name": key, **_without_name(record)} for key, record in sorted({**volumes, **sources}.items())]
    kept += [{"name": key} for key in sorted(mounted - known)]
    if kept:
        spec["volumes"] = kept
    if release and not release.isdigit():
        spec["release"] = release
    return {"apiVersion": API_VERSION, "kind": "App", "metadata": {"name": name}, "spec": spec}


def _without_name(record: Record) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != "name"}
