"""Short ways to write worlds and targets in tests: the form of conformance cases."""

from __future__ import annotations

from typing import Any

from iotistic.planning.cases import read_apps, read_observed, read_options
from iotistic.planning.preview import Preview, preview
from iotistic.planning.rounds import next_steps
from iotistic.planning.text import plan_text
from iotistic.planning.values import AppTarget, Observed, Step


def app(*services: dict[str, Any], name: str = "shop", release: str = "r2", **spec: Any) -> dict[str, Any]:
    """An App; without services one `web` of web:2."""
    return {
        "name": name,
        "release": release,
        "services": list(services) or [{"name": "web", "image": "web:2"}],
    } | spec


def container(service: str = "web", **fields: Any) -> dict[str, Any]:
    """A running container of App shop, release r1, image <service>:1; `spec` fields as `image=...`."""
    known = {"id", "app", "release", "status", "created", "health", "exitCode", "name"}
    spec = {"image": f"{service}:1"} | {key: value for key, value in fields.items() if key not in known}
    rest = {key: value for key, value in fields.items() if key in known}
    return {"app": "shop", "service": service, "release": "r1", "spec": spec} | rest


def world(*containers: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """A world with these containers, their images, and the default network of App shop."""
    images = [one["spec"]["image"] for one in containers]
    return {
        "containers": list(containers),
        "images": images + rest.pop("images", []),
        "networks": [{"app": "shop", "name": "default"}, *rest.pop("networks", [])],
    } | rest


def read(*apps: dict[str, Any], observed: dict[str, Any] | None = None) -> tuple[Observed, list[AppTarget]]:
    """Both as values."""
    targets = read_apps(apps)
    return read_observed(observed or {}, targets), targets


def steps_of(
    *apps: dict[str, Any], observed: dict[str, Any] | None = None, **options: Any
) -> dict[str, Step]:
    """The round, by the texts of its steps."""
    seen, targets = read(*apps, observed=observed)
    return {step.text: step for step in next_steps(seen, targets, read_options(options)).steps}


def previewed(
    *apps: dict[str, Any], observed: dict[str, Any] | None = None, **options: Any
) -> tuple[Preview, str]:
    """The preview and its text."""
    seen, targets = read(*apps, observed=observed)
    found = preview(seen, targets, read_options(options))
    return found, plan_text(found, seen, targets)
