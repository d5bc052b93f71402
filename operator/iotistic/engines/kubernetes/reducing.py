"""What is kept of an object: all that is decided by, and no more. A thousand Apps have to fit in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iotistic.engines.kubernetes.values import LAST_APPLIED

UNUSED_METADATA = ("managedFields", "selfLink", "generateName")
CONTAINER_LISTS = ("containers", "initContainers")


def reduced(written: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without what is not used; what it shares with the original is not changed."""
    kept = {**written, "metadata": _metadata(written["metadata"])}
    match written.get("kind"):
        case "Pod":
            kept["spec"] = _pod_spec(written.get("spec") or {})
        case "Secret":
            _without_contents(kept)
        case "ConfigMap" if written.get("immutable"):
            _without_contents(kept)
        case _:
            pass
    return kept


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in metadata.items() if name not in UNUSED_METADATA}
    annotations = metadata.get("annotations")
    if annotations and LAST_APPLIED in annotations:
        kept["annotations"] = {name: text for name, text in annotations.items() if name != LAST_APPLIED}
    return kept


def _pod_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Pods are never written, only watched: how they were made is known from their Deployment or Job."""
    kept = {name: spec[name] for name in ("nodeName", "hostname", "subdomain") if name in spec}
    for which in CONTAINER_LISTS:
        if which in spec:
            kept[which] = [{"name": one["name"], "image": one.get("image", "")} for one in spec[which]]
    return kept


def _without_contents(kept: dict[str, Any]) -> None:
    """Secrets are read when they are needed and kept nowhere; what is immutable has nothing to compare."""
    for name in ("data", "binaryData", "stringData"):
        kept.pop(name, None)
