"""An App as the API server has it, read by today's model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from iotistic.api.app import App
from iotistic.api.base import API_VERSION
from iotistic.api.errors import Problem
from iotistic.api.examining import examine
from iotistic.controllers.cluster.ports import Object

_PLACE = re.compile(r"\b(services|networks|volumes)\[(\d+)\]")
_METADATA = ("name", "namespace", "labels", "annotations", "uid", "generation")


class UnreadableError(Exception):
    """Today's model can't read this App: another version wrote it, or before a rule was there."""


class ContradictionError(Exception):
    """It can be read, but what it says does not go together: two services want one port of the host."""

    def __init__(self, wrong: str, app: App) -> None:
        super().__init__(wrong)
        self.app = app
        """As far as it can be read."""


def read(found: Object) -> App:
    """The App. Raises UnreadableError or ContradictionError with what is wrong, all of it."""
    metadata = found.get("metadata") or {}
    document = {
        "apiVersion": API_VERSION,
        "kind": "App",
        "metadata": {name: metadata[name] for name in _METADATA if metadata.get(name) is not None},
        "spec": found.get("spec") or {},
    }
    examined = examine(document, f"App {metadata.get('name')}")
    if not isinstance(examined.resource, App):
        wrong = "; ".join(_told(one, found.get("spec") or {}) for one in examined.problems)
        shaped = _shaped(document)
        if shaped is not None:
            raise ContradictionError(wrong, shaped)
        raise UnreadableError(wrong or "it can't be read")
    return examined.resource


def read_spec(like: App, spec: Mapping[str, Any]) -> App | None:
    """An App with another spec than this one; None when today's model can't read it."""
    document = {"metadata": {"name": like.name, "namespace": like.metadata.namespace}, "spec": spec}
    try:
        return read(document)
    except (UnreadableError, ContradictionError):
        return None


def _shaped(document: Mapping[str, Any]) -> App | None:
    try:
        return App.model_validate(document, by_alias=True, by_name=False)
    except ValidationError:
        return None


def _told(problem: Problem, spec: Mapping[str, Any]) -> str:
    """A problem with its place, where services, networks and volumes have their names."""

    def named(found: re.Match[str]) -> str:
        listed = spec.get(found[1])
        one = listed[int(found[2])] if isinstance(listed, list) and int(found[2]) < len(listed) else None
        name = one.get("name") if isinstance(one, Mapping) else None
        return f"{found[1]}[{name}]" if isinstance(name, str) and name else found[0]

    return told(_PLACE.sub(named, problem.path, count=1), problem.message, problem.hint)


def told(path: str, message: str, hint: str) -> str:
    """What is wrong, where, and in brackets what to do."""
    return f"{path}: {message}".lstrip(": ") + (f" ({hint})" if hint else "")
