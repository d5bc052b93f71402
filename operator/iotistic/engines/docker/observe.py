"""A container as planning compares it: its label, laid over with what the engine shows. Pure.

Where the engine shows just what the label asked for, the label stands; a difference is somebody's
change by hand, and goes into the specification in place of what was written.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from iotistic.api.image import ImageRef, parse_image
from iotistic.api.service import RestartPolicy
from iotistic.engines.docker.client import Facts
from iotistic.engines.docker.containers import SHARES_OF_ONE_CPU, limits, policy_name
from iotistic.engines.docker.labels import NEXT, RELEASE, SPEC, Owner, network_name, owner_of, read_spec
from iotistic.engines.docker.times import sortable
from iotistic.planning.normal import NO_NETWORK, canonical_json, normalise_text
from iotistic.planning.values import Container, Health, NormalSpec, Status

_STATUS = {"removing": Status.STOPPING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a container is seen against."""

    install: str
    facts: Facts
    network_ids: Mapping[str, str]
    """Ids of our networks by their names on the engine."""
    digests: Mapping[str, str]
    """What stands for the content of an image, by its id."""
    taking_over: Collection[str] = ()
    """Ids of containers that a hand-over under way has made and that do not serve yet."""


def container_of(seen: Mapping[str, Any], around: Surroundings, *, alone: bool) -> Container | None:
    """What planning knows of a container of ours; None for a foreign one.

    Args:
        seen: as `GET /containers/ID/json` answers.
        around: what it is seen against.
        alone: its service has no other container: nobody is there to take over from.
    """
    labels = seen["Config"].get("Labels") or {}
    owner = owner_of(labels, around.install)
    if owner is None:
        return None
    state = seen["State"]
    name = seen["Name"].removeprefix("/")
    status = _STATUS.get(state["Status"]) or Status(state["Status"])
    takes_over = seen["Id"] in around.taking_over or (not alone and is_joining(seen, owner))
    return Container(
        id=seen["Id"],
        app=owner.app,
        service=owner.name,
        release=labels.get(RELEASE, ""),
        status=status,
        created=sortable(seen["Created"]),
        health=Health.STARTING if takes_over and status is Status.RUNNING else Health.NONE,
        exit_code=int(state.get("ExitCode") or 0),
        spec=_spec(seen, owner, around, takes_over=takes_over),
        name=name,
        image_digest=around.digests.get(seen["Image"], seen["Image"]),
        started=sortable(state.get("StartedAt")),
        finished="" if status in {Status.RUNNING, Status.PAUSED} else sortable(state.get("FinishedAt")),
        restarts=int(seen.get("RestartCount") or 0),
        oom_killed=bool(state.get("OOMKilled")),
        error=state.get("Error") or "",
        address=_address(seen, owner.app),
        ports=published(seen["HostConfig"].get("PortBindings")),
    )


def is_joining(seen: Mapping[str, Any], owner: Owner) -> bool:
    """Whether a hand-over has made it and not brought it into service: a network lacks its service's name."""
    attached = _attached(seen, owner.app, {})
    if not seen["Name"].endswith(NEXT) or not attached:
        return False
    return any(owner.name not in (endpoint.get("Aliases") or ()) for endpoint in attached.values())


def published(bindings: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Published ports, as 8080->80/tcp or 127.0.0.1:8080->80/tcp."""
    found = []
    for inside, hosts in (bindings or {}).items():
        for host in hosts or ():
            address = host.get("HostIp") or ""
            prefix = "" if address in {"", "0.0.0.0", "::"} else f"{address}:"
            found.append(f"{prefix}{host.get('HostPort')}->{inside}")
    return tuple(sorted(set(found)))


def _spec(seen: Mapping[str, Any], owner: Owner, around: Surroundings, *, takes_over: bool) -> NormalSpec:
    record = read_spec(seen["Config"]["Labels"].get(SPEC))
    if record is None:
        return _unreadable(seen, owner)
    try:
        overlaid = {
            **record,
            **_resources(record, seen["HostConfig"], around.facts),
            **_restart(record, seen["HostConfig"]),
            **({} if takes_over else _networks(record, seen, owner, around.network_ids)),
        }
        return normalise_text(json.dumps(overlaid, sort_keys=True))
    except (ValueError, KeyError, TypeError, AttributeError):
        return _unreadable(seen, owner)


def _unreadable(seen: Mapping[str, Any], owner: Owner) -> NormalSpec:
    """What can be said of a container whose label can't be read: it is ours, and like no target."""
    mounts = [mount.get("Name") or "" for mount in seen.get("Mounts") or ()]
    prefix = network_name(owner.app, "")
    return NormalSpec(
        image=_image(seen),
        config=canonical_json({"label": f"{SPEC} can't be read"}),
        networks=frozenset(_attached(seen, owner.app, {})),
        volumes=frozenset(name.removeprefix(prefix) for name in mounts if name.startswith(prefix)),
        depends_on=(),
        restart=RestartPolicy.ALWAYS,
    )


def _image(seen: Mapping[str, Any]) -> ImageRef:
    try:
        return parse_image(seen["Config"]["Image"])
    except ValueError:
        return ImageRef("", "unknown", "", seen["Image"])


def _resources(record: Mapping[str, Any], host: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    written = record.get("resources")
    wanted = limits(written, facts.cpus)
    shown = {key: int(host.get(key) or 0) for key in wanted}
    kept = {  # what a kernel does not support the engine has dropped: nobody changed it
        "Memory": facts.limits_memory,
        "MemoryReservation": facts.limits_memory,
        "NanoCpus": facts.limits_cpu,
        "CpuShares": facts.shares_cpu,
    }
    if all(shown[key] == wanted[key] or not kept[key] for key in wanted):
        return {}
    limit = dict((written or {}).get("limits") or {})
    request = dict((written or {}).get("requests") or {})
    for amounts, name, key, unit in (
        (limit, "memory", "Memory", 1),
        (limit, "cpu", "NanoCpus", 10**9),
        (request, "memory", "MemoryReservation", 1),
        (request, "cpu", "CpuShares", SHARES_OF_ONE_CPU),
    ):
        if shown[key] == wanted[key] or not kept[key]:
            continue
        amounts.pop(name, None)
        if shown[key]:
            amounts[name] = shown[key] if unit == 1 else f"{shown[key] / unit:.9f}"
    return {"resources": {"limits": limit, "requests": request}}


def _restart(record: Mapping[str, Any], host: Mapping[str, Any]) -> dict[str, Any]:
    written = RestartPolicy(record.get("restartPolicy") or RestartPolicy.ALWAYS)
    policy = host.get("RestartPolicy") or {}
    name, retries = policy.get("Name") or "no", int(policy.get("MaximumRetryCount") or 0)
    same = {policy_name(written)} | ({"always"} if written is RestartPolicy.ALWAYS else set())
    if name in same and not retries:
        return {}
    return {"restartPolicy": _POLICY_OF.get(name, written)} | ({"restartRetries": retries} if retries else {})


_POLICY_OF = {
    "no": RestartPolicy.NEVER,
    "on-failure": RestartPolicy.ON_FAILURE,
    "always": RestartPolicy.ALWAYS,
    "unless-stopped": RestartPolicy.ALWAYS,
}


def _networks(
    record: Mapping[str, Any], seen: Mapping[str, Any], owner: Owner, ids: Mapping[str, str]
) -> dict[str, Any]:
    """The App's networks that a container is on, where they differ from what was written. Networks of
    others that somebody has added are theirs, and left alone."""
    if record.get("networkMode"):
        return {}
    written = {
        name: _written(attachment or {}, owner.name)
        for name, attachment in (record.get("networks") or {"default": {}}).items()
    }
    own_names = {seen["Id"][:12], seen["Config"].get("Hostname")}
    shown = {
        name: _shown(endpoint, owner.name, own_names - set(written.get(name, {}).get("aliases", ())))
        for name, endpoint in _attached(seen, owner.app, ids).items()
    }
    if shown == written:
        return {}
    return {"networks": shown or {NO_NETWORK: {}}}


def _attached(seen: Mapping[str, Any], app: str, ids: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    """The App's networks that a container is on, by their names in the App.

    A network that was removed and made again has another id: a container that was stopped meanwhile
    is still on the old one, and could not be started.
    """
    prefix = network_name(app, "")
    found = {}
    for name, endpoint in (seen["NetworkSettings"].get("Networks") or {}).items():
        id = endpoint.get("NetworkID")
        if name.startswith(prefix) and (not id or ids.get(name, id) == id):
            found[name.removeprefix(prefix)] = endpoint
    return found


def _shown(endpoint: Mapping[str, Any], service: str, own_names: Collection[str | None]) -> dict[str, Any]:
    """An attachment as the engine shows it; it adds the container's id and host name to the aliases."""
    aliases = set(endpoint.get("Aliases") or ())
    shown: dict[str, Any] = {"aliases": sorted(aliases - {service, *own_names})}
    if service not in aliases:
        shown["missingAlias"] = service
    if address := (endpoint.get("IPAMConfig") or {}).get("IPv4Address"):
        shown["ipv4Address"] = address
    return shown


def _written(attachment: Mapping[str, Any], service: str) -> dict[str, Any]:
    written: dict[str, Any] = {"aliases": sorted(set(attachment.get("aliases") or ()) - {service})}
    if address := attachment.get("ipv4Address"):
        written["ipv4Address"] = address
    return written


def _address(seen: Mapping[str, Any], app: str) -> str:
    if seen["HostConfig"].get("NetworkMode") == "host":
        return "127.0.0.1"
    attached = _attached(seen, app, {})
    return next((one["IPAddress"] for one in attached.values() if one.get("IPAddress")), "")
