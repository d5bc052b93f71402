"""What makes an object that is there the one that a file says, whoever wrote it before. Pure.

A server-side apply takes away only what this manager had applied; fields that came by kubectl apply,
by a rollback or an edit have other owners and would stay, so that an App became a mix of two files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from iotistic.engines.kubernetes.values import LAST_APPLIED

Json = dict[str, Any]
MANAGER = "iotctl"
KUBECTL_APPLY = "kubectl-client-side-apply"
OURS = "iotistic.io/"
"""Begins what commands write down between two applies: a lock, a retry."""
CONTENT = {"App": ("spec",), "Secret": ("data",), "ConfigMap": ("data", "binaryData")}
"""What a file says as a whole: what it leaves out goes."""
_ABOUT = frozenset({"apiVersion", "kind", "metadata", "status"})


def replacing(live: Json, document: Json) -> list[Json]:
    """A JSON patch that is refused (409) where somebody wrote meanwhile.

    Args:
        live: the object as it is.
        document: what the file says of it. Labels and annotations that neither an earlier apply of iotctl
            nor one of kubectl wrote are left alone.
    """
    version = live["metadata"]["resourceVersion"]
    # Replaced by itself: the API server then compares it with that of the object, as in a PUT.
    patch = [{"op": "replace", "path": "/metadata/resourceVersion", "value": version}]
    patch += [
        {"op": "remove", "path": f"/{key}"}
        for key in CONTENT[document["kind"]]
        if key in live and key not in document
    ]
    patch += [
        {"op": "add", "path": f"/{key}", "value": value}
        for key, value in document.items()
        if key not in _ABOUT
    ]
    for part in ("labels", "annotations"):
        texts = _texts(live, part)
        wanted = _wanted(live, document, part)
        if wanted != texts:
            patch.append({"op": "add", "path": f"/metadata/{part}", "value": wanted})
    return patch


def _wanted(live: Json, document: Json, part: str) -> dict[str, str]:
    """The labels or annotations: those of the file, and those of others."""
    texts, said = _texts(live, part), _texts(document, part)
    written = {*_texts(_last_applied(live), part), *_owned(live, part, MANAGER, "Apply")}
    gone = written - said.keys() - set(_of_others(live, part)) - {LAST_APPLIED}
    wanted = {key: text for key, text in texts.items() if key not in gone} | said
    if part == "annotations" and LAST_APPLIED in texts:
        wanted[LAST_APPLIED] = _as_kubectl(live, document)
    return wanted


def _as_kubectl(live: Json, document: Json) -> str:
    """What kubectl apply would note of this file: by it the next one sees what its own file has no more."""
    said = document["metadata"]
    texts = {key: text for key, text in (said.get("annotations") or {}).items() if key != LAST_APPLIED}
    metadata = {**said, "annotations": texts, "namespace": live["metadata"]["namespace"]}
    noted = {**document, "metadata": metadata}
    if noted == _last_applied(live):
        return _texts(live, "annotations")[LAST_APPLIED]
    return json.dumps(noted, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"


def _last_applied(live: Json) -> Json:
    """What kubectl apply last applied; nothing where it never did, or where that can't be read."""
    try:
        noted = json.loads(_texts(live, "annotations").get(LAST_APPLIED, "{}"))
    except ValueError:
        return {}
    return noted if isinstance(noted, dict) else {}


def _of_others(live: Json, part: str) -> Iterator[str]:
    """Keys that somebody else has written, or a command of iotctl other than apply."""
    for entry in live["metadata"].get("managedFields") or []:
        manager, operation = entry.get("manager"), entry.get("operation")
        if manager == KUBECTL_APPLY or (manager, operation) == (MANAGER, "Apply"):
            continue
        for key in _keys(entry, part):
            if manager != MANAGER or key.startswith(OURS):
                yield key


def _owned(live: Json, part: str, manager: str, operation: str) -> Iterator[str]:
    for entry in live["metadata"].get("managedFields") or []:
        if (entry.get("manager"), entry.get("operation")) == (manager, operation):
            yield from _keys(entry, part)


def _keys(entry: Json, part: str) -> list[str]:
    fields = ((entry.get("fieldsV1") or {}).get("f:metadata") or {}).get(f"f:{part}") or {}
    return [key.removeprefix("f:") for key in fields if key.startswith("f:")]


def _texts(resource: Json, part: str) -> dict[str, str]:
    return dict((resource.get("metadata") or {}).get(part) or {})
