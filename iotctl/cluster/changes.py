"""What applying a document would change on a cluster, service by service, in the words of the planner."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from iotctl.cluster.specs import read
from iotistic.engines.kubernetes.values import LAST_APPLIED

Json = dict[str, Any]


def steps_of(now: Json | None, after: Json) -> list[Json]:
    """Steps as a plan tells them.

    Args:
        now: the App, Secret or ConfigMap that is there.
        after: what the API server would make of it.
    """
    if after["kind"] != "App":
        if now is not None and content(now) == content(after):
            return []
        return [_step("apply", after, "", ["missing" if now is None else "its contents differ"])]
    before = {one["name"]: one for one in ((now or {}).get("spec") or {}).get("services") or []}
    wanted = {one["name"]: one for one in after["spec"].get("services") or []}
    steps = [
        _step("update", after, name, service_changes(before[name], service))
        if name in before
        else _step("start", after, name, ["missing"])
        for name, service in wanted.items()
        if before.get(name) != service
    ]
    steps += [_step("remove", after, name, ["no longer in the App"]) for name in before if name not in wanted]
    if now is not None and (changes := app_changes(now["spec"], after["spec"])):
        steps.append(_step("apply", after, "", changes))
    return steps


def content_steps(app: Json, changed: Mapping[str, str], told: Collection[str] = ()) -> list[Json]:
    """Updates that changed Secrets and ConfigMaps make in an App; none of one that can't be read.

    Args:
        changed: what became of each, as `Secret/login`: `added`, `changed`.
        told: services that have a step already.
    """
    from iotistic.planning.normal import references

    try:
        spec = read(app["spec"]).spec if changed else None
    except ValueError:
        spec = None
    if spec is None:
        return []
    volumes = {volume.name: volume for volume in spec.volumes}
    steps = []
    for service in spec.services:
        used = [one for one in references(service, volumes) if one in changed]
        causes = [f"contents of {one.replace('/', ' ')} {changed[one]}" for one in used]
        if causes and service.name not in told:
            steps.append(_step("update", app, service.name, causes))
    return steps


def values_of(resource: Json) -> tuple[Json, Json]:
    """What of a Secret or ConfigMap ends in containers."""
    return resource.get("data") or {}, resource.get("binaryData") or {}


def content(resource: Json) -> Json:
    """What people write of it."""
    meta = resource["metadata"]
    shown = {key: resource[key] for key in ("spec", "data", "binaryData", "type") if key in resource}
    annotations = {key: text for key, text in (meta.get("annotations") or {}).items() if key != LAST_APPLIED}
    return shown | {"labels": meta.get("labels") or {}, "annotations": annotations}


def service_changes(old: Json, new: Json) -> list[str]:
    """What makes a service another one; of what may be a secret only the name."""
    from iotistic.planning.compare import field_changes

    found = []
    if old.get("image") != new.get("image"):
        found.append(f"image {old.get('image')} -> {new.get('image')}")
    for key in sorted((old.keys() | new.keys()) - {"name", "image"}):
        before, after = old.get(key), new.get(key)
        if before != after:
            if key == "env":
                before, after = _by_name(before), _by_name(after)
            found += field_changes(key, before, after) or [f"{key} changed"]
    return found


def app_changes(old: Json, new: Json) -> list[str]:
    """What makes an App another one, but for its services."""
    found = []
    for key in sorted((old.keys() | new.keys()) - {"services"}):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if key in {"volumes", "networks"}:
            found += _named_changes(key, _by_name(before), _by_name(after))
        elif isinstance(before or after, Mapping):
            before, after = before or {}, after or {}
            found += [
                _value_change(f"{key}.{name}", before.get(name), after.get(name))
                for name in sorted({*before, *after})
                if before.get(name) != after.get(name)
            ]
        else:
            found.append(_value_change(key, before, after))
    return found


def _named_changes(key: str, old: Mapping[str, Json], new: Mapping[str, Json]) -> list[str]:
    from iotistic.planning.compare import volume_changes

    kind, found = key.removesuffix("s"), []
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            found.append(f"{kind} {name} {'added' if before is None else 'removed'}")
        elif before != after:
            told = volume_changes(before, after) if kind == "volume" else []
            found += [f"{kind} {name}: {one}" for one in told] or [f"{kind} {name} changed"]
    return found


def _value_change(name: str, old: Any, new: Any) -> str:
    if isinstance(old, list | dict) or isinstance(new, list | dict):
        return f"{name} changed"
    before, after = (
        "none" if one is None else one if isinstance(one, str) else json.dumps(one) for one in (old, new)
    )
    return f"{name} {before} -> {after}"


def _by_name(value: Any) -> dict[str, Json]:
    return {one["name"]: one for one in value or []}


def _step(action: str, resource: Json, service: str, changes: Sequence[str]) -> Json:
    from iotistic.planning.compare import listed

    name = resource["metadata"]["name"]
    return {
        "action": action,
        "subject": f"{name}/{service}" if service else name,
        "app": name,
        "service": service,
        "cause": listed(changes),
        "changes": list(changes),
    }
