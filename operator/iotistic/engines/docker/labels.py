"""What is ours on an engine, and what it is called there. Pure.

Names of Apps, services, networks and volumes have no underscore, so `<app>_<name>` is never ambiguous.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "iotistic.io/"
APP = PREFIX + "app"
SERVICE = PREFIX + "service"
NAME = PREFIX + "name"
"""Of a network or volume: its name inside the App."""
INSTALL = PREFIX + "install"
RELEASE = PREFIX + "release"
SPEC = PREFIX + "spec"
SPEC_VERSION = 1
NEXT = "-next"
"""After the name of a container that takes over, until the old one has gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose an object is: App, and the service, network or volume in it."""

    app: str
    name: str


def ours_filter(install: str, **more: str) -> dict[str, Any]:
    """Filter for lists of the engine: objects of this install, with further labels."""
    wanted = [f"{INSTALL}={install}"] + [f"{PREFIX}{key}={value}" for key, value in more.items()]
    return {"label": wanted}


def owner_of(labels: Mapping[str, str] | None, install: str) -> Owner | None:
    """Whose an object is by its labels; None for one that is foreign."""
    labels = labels or {}
    app, name = labels.get(APP, ""), labels.get(SERVICE) or labels.get(NAME) or ""
    if labels.get(INSTALL) != install or not app or not name:
        return None
    return Owner(app=app, name=name)


def service_labels(
    *, app: str, service: str, install: str, release: str, record: Mapping[str, Any], users: Mapping[str, str]
) -> dict[str, str]:
    """Labels of a container; the user's can't replace ours."""
    return _without_ours(users) | {
        APP: app,
        SERVICE: service,
        INSTALL: install,
        RELEASE: release,
        SPEC: write_spec(record),
    }


def thing_labels(
    *, app: str, name: str, install: str, record: Mapping[str, Any], users: Mapping[str, str]
) -> dict[str, str]:
    """Labels of a network or volume; the user's can't replace ours."""
    return _without_ours(users) | {APP: app, NAME: name, INSTALL: install, SPEC: write_spec(record)}


def write_spec(record: Mapping[str, Any]) -> str:
    """The record of a service, network or volume as a label."""
    content = {"version": SPEC_VERSION, "record": record}
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def read_spec(text: str | None) -> dict[str, Any] | None:
    """The record in a label, also of a newer version; None when there is none in it."""
    try:
        content = json.loads(text or "")
    except ValueError:
        return None
    record = content.get("record") if isinstance(content, dict) else None
    return record if isinstance(record, dict) else None


def network_name(app: str, name: str) -> str:
    """What a network of an App is called on the engine."""
    return f"{app}_{name}"


def volume_name(app: str, name: str) -> str:
    """What a volume of an App is called on the engine."""
    return f"{app}_{name}"


def container_name(app: str, service: str, service_id: int) -> str:
    """What a service's container is called on the engine."""
    return f"{app}-{service}-{service_id}"


def other_container_name(app: str, service: str, service_id: int) -> str:
    """The name to take where `container_name` says the same of two services: `a-b`+`c`, `a`+`b-c`."""
    return f"{app}_{service}_{service_id}"


def _without_ours(labels: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in labels.items() if not key.startswith(PREFIX)}
