"""One document examined: its kind, its shape, and what its fields mean together."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from iotistic.api.app import App
from iotistic.api.base import API_VERSION
from iotistic.api.checks import check_app
from iotistic.api.contents import check_contents
from iotistic.api.core import ConfigMap, Secret
from iotistic.api.errors import Problem
from iotistic.api.positions import MOST_DEEP, member
from iotistic.api.shape import has_null, schema_of, without_nulls
from iotistic.api.wording import Finding, closest, findings_of, kind_of, printable, shown

KINDS: Mapping[str, type[App] | type[Secret] | type[ConfigMap]] = {
    "App": App,
    "Secret": Secret,
    "ConfigMap": ConfigMap,
}
VERSIONS = {"App": API_VERSION, "Secret": "v1", "ConfigMap": "v1"}
KNOWN = "known: App (iotistic.io/v1alpha1), Secret (v1), ConfigMap (v1)"

Resource = App | Secret | ConfigMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A document that is right, or what is wrong with it."""

    resource: Resource | None = None
    data: dict[str, Any] = field(default_factory=dict, repr=False)
    """As written, without what means nothing: status, and fields that are null."""
    problems: tuple[Problem, ...] = ()


def resource_name(data: Any, title: str) -> str:
    """Kind and name of a document as written, `App shop`; the title when it has no kind."""
    kind = data.get("kind") if isinstance(data, Mapping) else None
    if not isinstance(kind, str) or not _presentable(kind):
        return title
    metadata = data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return f"{kind} {name}" if isinstance(name, str) and _presentable(name) else f"{kind} without a name"


def examine(data: Any, resource: str) -> Examined:
    """The resource that a document is, or everything that is wrong with it.

    Args:
        data: what JSON can say.
        resource: `resource_name` of it.
    """
    findings = list(_unsound(data, "", 0)) or list(_not_ours(data))
    if findings:
        return Examined(problems=_problems(resource, findings))
    model = KINDS[data["kind"]]
    written = {key: value for key, value in data.items() if key != "status"}
    if has_null(written):
        written = without_nulls(schema_of(model), written)
    found = None
    try:
        found = model.model_validate_json(json.dumps(written), strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        findings = findings_of(error, schema_of(model), written, secret=model is Secret)
    told = {finding.path for finding in findings}
    more = check_app(written) if model is App else check_contents(written)
    findings += [finding for finding in more if finding.path not in told]
    if findings:
        return Examined(problems=_problems(resource, findings))
    return Examined(resource=found, data=written)


def _presentable(text: str) -> bool:
    return bool(text) and len(text) <= 253 and text.isprintable()


def _problems(resource: str, findings: list[Finding]) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            resource=resource,
            path=printable(one.path),
            message=printable(one.message),
            hint=printable(one.hint),
        )
        for one in findings
    )


def _not_ours(data: Any) -> Iterator[Finding]:
    if not isinstance(data, Mapping):
        yield Finding(
            path="",
            message=f"is {kind_of(data)}, not a mapping with apiVersion, kind and metadata",
        )
        return
    kind, version = data.get("kind"), data.get("apiVersion")
    if "kind" not in data:
        yield Finding(path="kind", message="is missing", hint=KNOWN)
    elif not isinstance(kind, str) or kind not in KINDS:
        yield Finding(path="kind", message=f"{shown(kind)} is not known here", hint=_kind_hint(kind))
    elif version != VERSIONS[kind]:
        message = "is missing" if "apiVersion" not in data else f"{shown(version)} is not known here"
        yield Finding(path="apiVersion", message=message, hint=f"write  apiVersion: {VERSIONS[kind]}")


def _kind_hint(kind: Any) -> str:
    if kind == "AppService":
        return "it is made from its App; iotctl services start, stop and pause change it"
    near = closest(kind, KINDS) if isinstance(kind, str) else ""
    return f"did you mean {near}?" if near else KNOWN


def _unsound(data: Any, path: str, depth: int) -> Iterator[Finding]:
    """What no document may have anywhere."""
    if depth > MOST_DEEP:
        yield Finding(path=path, message=f"nested more than {MOST_DEEP} levels deep")
    elif isinstance(data, Mapping):
        for key, value in data.items():
            where = member(path, str(key))
            yield from _unsound_text(str(key), where)
            yield from _unsound(value, where, depth + 1)
    elif isinstance(data, list):
        for index, item in enumerate(data):
            yield from _unsound(item, member(path, index), depth + 1)
    elif isinstance(data, str):
        yield from _unsound_text(data, path)
    elif isinstance(data, float) and not math.isfinite(data):
        yield Finding(path=path, message="is no number that can be written down")


def _unsound_text(text: str, path: str) -> Iterator[Finding]:
    if "\0" in text:
        yield Finding(path=path, message="has a zero character, which ends text for the system")
    if any("\ud800" <= char <= "\udfff" for char in text):
        yield Finding(path=path, message="has half of a surrogate pair, which is no character")
