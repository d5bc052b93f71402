"""How documents differ from what the agent has: line by line, without values of Secrets."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from iotctl.agent import Agent
from iotctl.exits import NotFoundError
from iotctl.flat import APP_ID_LABEL, flat_document
from iotctl.sending import send
from iotctl.terminal import paint
from iotistic.api.app import App
from iotistic.api.core import ConfigMap, Secret

if TYPE_CHECKING:
    from iotistic.api.documents import Document

Json = dict[str, Any]
MODELS: dict[str, type[App] | type[ConfigMap]] = {"App": App, "ConfigMap": ConfigMap}
PATHS = {"App": "apps", "ConfigMap": "configmaps", "Secret": "secrets"}
SERVER_FIELDS = ("uid", "generation", "resourceVersion", "creationTimestamp", "managedFields")


def differences(agent: Agent, documents: Sequence[Document]) -> list[str]:
    """One text for each document that differs; raises what applying them would raise."""
    answer = send(agent, "/v1/apply", documents, dryRun=True)
    results = {(one["kind"], one["name"]): one["result"] for one in answer["applied"]}
    texts = []
    for document in documents:
        kind, name = str(document.data["kind"]), str(document.data["metadata"]["name"])
        present = _present(agent, kind, name)
        if kind == "Secret":
            texts.append(_of_secret(document.data, present, results[kind, name]))
        else:
            texts.append(_of_lines(document, present))
    return [text for text in texts if text]


def _present(agent: Agent, kind: str, name: str) -> Json | None:
    try:
        return agent.get(f"/v1/{PATHS[kind]}/{name}")
    except NotFoundError:
        return None


def _of_secret(wanted: Json, present: Json | None, result: str) -> str:
    if result == "unchanged":
        return ""
    name = wanted["metadata"]["name"]
    before = set(flat_document(present)["keys"]) if present else set()
    after = set(flat_document(Secret.model_validate(wanted).wire() | {"kind": "Secret"})["keys"])
    keys = [paint(f"+{key}", "added") for key in sorted(after - before)]
    keys += [paint(f"-{key}", "removed") for key in sorted(before - after)]
    keys = keys or ["the same keys with other values"]
    return f"secret/{name} {result}: {', '.join(keys)} (values are not shown)"


def _of_lines(document: Document, present: Json | None) -> str:
    kind = str(document.data["kind"])
    after = MODELS[kind].model_validate(document.data).wire()
    before = _comparable(present, after) if present else {}
    name = f"{kind.lower()}/{document.data['metadata']['name']}"
    lines = difflib.unified_diff(
        _yaml(before),
        _yaml(_comparable(after, after)),
        f"{name} (now)",
        f"{name} ({document.source})",
        lineterm="",
    )
    return "\n".join(_painted(line) for line in lines)


def _comparable(resource: Json, wanted: Json) -> Json:
    """What a person writes; a number that the agent gave is no difference."""
    metadata = {key: value for key, value in resource["metadata"].items() if key not in SERVER_FIELDS}
    labels = {key: value for key, value in metadata.pop("labels", {}).items() if key != APP_ID_LABEL}
    if labels:
        metadata["labels"] = labels
    kept = {key: value for key, value in resource.items() if key not in {"apiVersion", "kind", "status"}}
    if "spec" in kept:
        given = () if "appId" in wanted.get("spec", {}) else ("appId",)
        kept["spec"] = {key: _by_name(value) for key, value in kept["spec"].items() if key not in given}
    return {**kept, "metadata": metadata}


def _by_name(value: Any) -> Any:
    """Services, networks and volumes have names: their order says nothing."""
    named = isinstance(value, list) and all(isinstance(one, dict) and "name" in one for one in value)
    return sorted(value, key=lambda one: str(one["name"])) if named else value


def _yaml(value: Json) -> list[str]:
    from iotctl.yamltext import yaml_text

    return yaml_text(value, sort_keys=True).splitlines() if value else []


def _painted(line: str) -> str:
    if line.startswith(("---", "+++")):
        return paint(line, "bold")
    return paint(line, {"+": "added", "-": "removed", "@": "quiet"}.get(line[:1], ""))
