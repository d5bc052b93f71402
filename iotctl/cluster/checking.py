"""What a file says that can't be had on Kubernetes, also of an App that has other mistakes: all at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

    from iotistic.api.app import App
    from iotistic.api.documents import Document
    from iotistic.api.errors import Problem

Json = dict[str, Any]
_NAMED = re.compile(r"^spec\.(services|networks|volumes)\[([^\]]+)\]")


def problems_of(document: Document) -> list[Problem]:
    """What of a document the operator would refuse, with file and line."""
    from iotistic.api.errors import Problem
    from iotistic.engines.kubernetes.refusals import refused

    app = _readable(document.data)
    problems = []
    for finding in refused(app) if app else ():
        path = _NAMED.sub(lambda found: _by_number(found, document.data["spec"]), finding.path)
        problems.append(
            Problem(
                resource=document.resource,
                path=path,
                message=finding.message,
                hint=finding.hint,
                source=document.source,
                line=document.line(path),
            )
        )
    return problems


def _by_number(found: re.Match[str], spec: Json) -> str:
    """A path as those of other problems: what is named by its place in the list."""
    names = [one.get("name") if isinstance(one, Mapping) else None for one in spec[found[1]]]
    return f"spec.{found[1]}[{names.index(found[2])}]"


def _readable(data: Any) -> App | None:
    """The App without what can't be read of it; None where nothing of an App is left."""
    from pydantic import ValidationError

    from iotistic.api.app import App, Network, Volume
    from iotistic.api.service import Service

    spec = data.get("spec") if isinstance(data, Mapping) and data.get("kind") == "App" else None
    if not isinstance(spec, Mapping):
        return None
    kept = {
        "services": _parts(spec.get("services"), Service, {"name": "any", "image": "any"}),
        "networks": _parts(spec.get("networks"), Network, {"name": "any"}),
        "volumes": _parts(spec.get("volumes"), Volume, {"name": "any"}),
    }
    try:
        return App.model_validate({"metadata": {"name": "any"}, "spec": kept}, by_alias=True, by_name=False)
    except ValidationError:
        return None


def _parts(listed: Any, model: type[BaseModel], least: Json) -> list[Json]:
    """Each part with those of its fields that can be read."""
    parts = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
    return [least | kept for one in parts if "name" in (kept := _fields(one, model, least))]


def _fields(part: Mapping[str, Any], model: type[BaseModel], least: Json) -> Json:
    from pydantic import ValidationError

    kept = {}
    for key, value in part.items():
        try:
            model.model_validate(least | {key: value}, by_alias=True, by_name=False)
        except ValidationError:
            continue
        kept[key] = value
    return kept
