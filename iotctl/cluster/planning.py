"""What applying documents on a cluster would do, and what is still to be done of what is wanted already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from iotctl.cluster.applying import checked, look, make, warnings
from iotctl.cluster.changes import content_steps, steps_of, values_of
from iotctl.cluster.server import ForbiddenError, Server
from iotctl.exits import NotFoundError

if TYPE_CHECKING:
    from iotistic.api.app import App

Json = dict[str, Any]
Planned = tuple[Json | None, Json, list[Json]]
"""What is there, what would be there, and the steps in between."""


def plan(server: Server, body: Json | None) -> Json:
    """What applying these would change, service by service."""
    documents = (body or {}).get("documents") or []
    apps, sent = checked(documents)
    planned = _planned(server, sent)
    lines = [line for one in planned for line in _text(*one)] if sent else _all(server)
    steps = [step for _, _, found in planned for step in found]
    return {
        "text": "\n".join(lines) or "There are no Apps here, so there is nothing to do.",
        "rounds": [steps] if steps else [],
        "converged": True,
        "warnings": warnings(apps) + list(_lacking(server, apps, sent)),
        "stalled": {
            app["metadata"]["name"]: str(app["status"].get("why") or "")
            for app in (now for now, _, found in planned if now and not found)
            if (app.get("status") or {}).get("state") == "Stalled"
        },
    }


def _planned(server: Server, sent: Sequence[Json]) -> list[Planned]:
    planned: list[Planned] = []
    changed: dict[str, str] = {}
    for document in sent:
        now = look(server, document)
        after = make(server, document, now, dry_run=True)
        kind, name, steps = after["kind"], after["metadata"]["name"], steps_of(now, after)
        if kind == "App":
            steps += content_steps(after, changed, {step["service"] for step in steps})
        elif now is None or values_of(now) != values_of(after):
            changed[f"{kind}/{name}"] = "added" if now is None else "changed"
        planned.append((now, after, steps))
    named = {one["metadata"]["name"] for one in sent if one["kind"] == "App"}
    others = [one for one in server.items("App") if one["metadata"]["name"] not in named] if changed else []
    return planned + [(app, app, steps) for app in others if (steps := content_steps(app, changed))]


def _all(server: Server) -> list[str]:
    """A line for each App of the namespace."""
    lines = []
    for app in server.items("App"):
        status = app.get("status") or {}
        state = status.get("state") or "not looked at yet"
        lines.append(f"App {app['metadata']['name']}: {state}. {status.get('why') or ''}".rstrip())
    return lines


def _lacking(server: Server, apps: Sequence[App], sent: Sequence[Json]) -> Iterator[str]:
    """What an App needs and neither the cluster nor these documents have."""
    from iotistic.planning.needs import needed

    there = {(one["kind"], one["metadata"]["name"]) for one in sent}
    for app in apps:
        for kind, name in sorted(needed(app).keys() - there):
            path = server.path(kind, name, namespace=app.metadata.namespace or "")
            with suppress(ForbiddenError):  # who may apply Apps need not be allowed to read Secrets
                try:
                    server.ask("GET", path)
                except NotFoundError:
                    yield f"App {app.name}: there is no {kind} {name}, and without it the App is stalled"


def _text(now: Json | None, after: Json, steps: Sequence[Json]) -> list[str]:
    kind, name = after["kind"], after["metadata"]["name"]
    if not steps:
        return [f"{kind} {name}{_standing(now) if now and kind == 'App' else ': nothing to do.'}"]
    head = f"{kind} {name}" + ("" if now else ", new") + _strategy(after)
    width = max(len(step["subject"]) for step in steps)
    rows = [
        f"{number:>2}  {step['action']:<10} {step['subject']:<{width}}  {step['cause']}".rstrip()
        for number, step in enumerate(steps, 1)
    ]
    return [head, *rows]


def _standing(app: Json) -> str:
    """What of an App that stays as it is has still to be done."""
    status = app.get("status") or {}
    state, why = str(status.get("state") or ""), str(status.get("why") or "")
    if int(status.get("observedGeneration", -1)) < int(app["metadata"].get("generation") or 0):
        return " is the same, and still to be made: no operator has looked at it yet (iotctl diagnostics)."
    if state == "Stalled":
        return f" is the same, and stalled: {why}"
    if state == "Ready":
        return ": nothing to do."
    return f": nothing to change. {state}" + (f": {why}" if why else "")


def _strategy(app: Json) -> str:
    if app["kind"] != "App":
        return ""
    strategy = (app["spec"].get("update") or {}).get("strategy") or "DownloadThenKill"
    return f" (strategy {strategy})"
