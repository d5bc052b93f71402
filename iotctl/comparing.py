"""How documents differ from what the agent has: line by line, without values of Secrets."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from iotctl.agent import Agent
from iotctl.cluster.whole import OURS
from iotctl.flat import flat_document
from iotctl.sending import send
from iotctl.terminal import paint
from iotistic.api.app import App
from iotistic.api.core import ConfigMap, Secret
from iotistic.engines.kubernetes.values import LAST_APPLIED

if TYPE_CHECKING:
    from iotistic.api.documents import Document

Json = dict[str, Any]
MODELS: dict[str, type[App] | type[ConfigMap]] = {"App": App, "ConfigMap": ConfigMap}
NO_CONTENT = ("apiVersion", "kind", "metadata", "status")


def differences(agent: Agent, documents: Sequence[Document]) -> list[str]:
    """One text for each document that differs; raises what applying them would raise."""
    answer = send(agent, "/v1/apply", documents, dryRun=True)
    results = {(one["kind"], one["name"]): one["result"] for one in answer["applied"]}
    texts = []
    for document in documents:
        kind, name = str(document.data["kind"]), str(document.data["metadata"]["name"])
        present, after = agent.change_of(document)
        if kind == "Secret":
            texts.append(_of_secret(document.data, present, results[kind, name]))
        else:
            texts.append(_of_lines(document, present, after))
    return [text for text in texts if text]


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


def _of_lines(document: Document, present: Json | None, after: Json) -> str:
    kind = str(document.data["kind"])
    name = f"{kind.lower()}/{document.data['metadata']['name']}"
    lines = difflib.unified_diff(
        _yaml(meaning(kind, present, after) if present else {}),
        _yaml(meaning(kind, after, after)),
        f"{name} (now)",
        f"{name} ({document.source})",
        lineterm="",
    )
    return "\n".join(_painted(line) for line in lines)


def meaning(kind: str, resource: Json, wanted: Json) -> Json:
    """What a person means by it: without defaults, and without what servers, agents and commands note.

    Args:
        wanted: what it is compared with; a number that it does not have was given by the agent.
    """
    metadata: Json = {"name": resource["metadata"]["name"]}
    for part in ("labels", "annotations"):
        texts: dict[str, str] = resource["metadata"].get(part) or {}
        kept = {key: text for key, text in texts.items() if not key.startswith(OURS) and key != LAST_APPLIED}
        if kept:
            metadata[part] = kept
    content = _without_defaults(kind, resource)
    if "spec" in content:
        given = () if "appId" in wanted.get("spec", {}) else ("appId",)
        content["spec"] = {key: _by_name(value) for key, value in content["spec"].items() if key not in given}
    return {**content, "metadata": metadata}


def _without_defaults(kind: str, resource: Json) -> Json:
    """As today's model reads it; as it is where it can't."""
    content = {key: value for key, value in resource.items() if key not in NO_CONTENT}
    try:
        read = MODELS[kind].model_validate({**content, "metadata": {"name": resource["metadata"]["name"]}})
    except ValueError:
        return content
    exclude = {"metadata", "status"}
    return read.model_dump(
        mode="json", by_alias=True, exclude=exclude, exclude_defaults=True, exclude_none=True
    )


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
