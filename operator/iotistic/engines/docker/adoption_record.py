"""The record of a container that an original agent has made: what is wanted, with what differs. Pure.

An original has words for these fields only; what it can't say is not compared. Where the engine shows what
this agent would make of the wanted record, that stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iotistic.api.app import App
from iotistic.api.image import parse_image
from iotistic.api.service import Service
from iotistic.engines.docker.containers import grace_seconds
from iotistic.engines.docker.environment import expanded
from iotistic.engines.docker.lifecycle import DEFAULT_GRACE_SECONDS
from iotistic.planning.values import ServiceTarget

Seen = Mapping[str, Any]
Record = dict[str, Any]
MODES = ("host", "none")


def record_of(seen: Seen, image: Seen, target: ServiceTarget, app: App, volumes: Mapping[str, str]) -> Record:
    """What a container is, in the words of a service's record.

    Args:
        seen: as `GET /containers/ID/json` answers.
        image: `Config` of the image that it was made from; empty where that is gone: then nobody knows what
            came from it, and only what is wanted is compared.
        target: the service as it is wanted.
        app: the App that it is of.
        volumes: the engine's volumes by their names in the App.

    Returns: the record; restart policy and resources as wanted: those are laid over it at every look.
    """
    record = dict(target.record)
    service, config, host = target.service, seen["Config"], seen["HostConfig"]
    assert service is not None, "a target that is wanted has its service"
    image = image or config
    for key, value in (
        ("image", _image(config, service)),
        ("env", _env(config, image, service)),
        ("labels", _labels(config, image, service)),
        ("command", _words(config.get("Entrypoint"), image.get("Entrypoint"), service.command, service)),
        ("args", _words(config.get("Cmd"), image.get("Cmd"), service.args, service)),
        ("workingDir", _text(config.get("WorkingDir"), image.get("WorkingDir"), service.working_dir)),
        ("hostname", config.get("Hostname") if service.hostname else None),
        ("stopGracePeriod", _grace(config, service)),
        ("networkMode", host["NetworkMode"] if host.get("NetworkMode") in MODES else None),
        ("securityContext", _security(config, host, image, record)),
    ):
        _put(record, key, value)
    if service.network_mode is None:
        _put(record, "ports", _ports(host, service))
    _mounts(record, seen, service, app, volumes)
    return record


def _put(record: Record, key: str, value: Any) -> None:
    record.pop(key, None)
    if value not in (None, "", [], {}):
        record[key] = value


def _image(config: Seen, service: Service) -> str:
    try:
        same = parse_image(config["Image"]) == parse_image(service.image)
    except ValueError:  # by its id: compared by content
        same = True
    return service.image if same else str(config["Image"])


def _env(config: Seen, image: Seen, service: Service) -> list[dict[str, Any]]:
    """Variables as they are written, where they say what the container has; else as it has them."""
    has = dict(text.partition("=")[::2] for text in config.get("Env") or ())
    given = {text.partition("=")[0]: text for text in image.get("Env") or ()}
    found = []
    values: dict[str, str] = {}
    for variable in service.env:
        written = variable.value or ""
        [values[variable.name]] = expanded([written], values)
        if variable.name in has:
            same = has[variable.name] == values[variable.name]
            found.append({"name": variable.name, "value": written if same else has[variable.name]})
    wanted = {variable.name for variable in service.env}
    extra = [name for name in has if name not in wanted and given.get(name) != f"{name}={has[name]}"]
    return found + [{"name": name, "value": has[name]} for name in extra]


def _labels(config: Seen, image: Seen, service: Service) -> dict[str, str]:
    has, given = config.get("Labels") or {}, image.get("Labels") or {}
    return {
        name: value
        for name, value in has.items()
        if name in service.labels or (given.get(name) != value and not name.startswith("iotistic."))
    }


def _words(has: Any, given: Any, wanted: Any, service: Service) -> list[str]:
    """The words of a command: as written where they are the same; the image's own are nobody's wish."""
    words = [has] if isinstance(has, str) else list(has or ())
    values = {variable.name: variable.value or "" for variable in service.env}
    if wanted:
        return list(wanted) if words == expanded(wanted, values) else words
    return [] if words == list(given or ()) else words


def _text(has: Any, given: Any, wanted: str | None) -> str | None:
    if not wanted and (has or "") == (given or ""):
        return None
    return str(has or "")


def _grace(config: Seen, service: Service) -> Any:
    has = config.get("StopTimeout")
    has = DEFAULT_GRACE_SECONDS if has is None else int(has)
    return service.stop_grace_period if has == grace_seconds(service.stop_grace_period) else has


def _security(config: Seen, host: Seen, image: Seen, record: Record) -> Record:
    security = dict(record.get("securityContext") or {})
    wants_user = "runAsUser" in security
    for key in ("runAsUser", "runAsGroup", "readOnlyRootFilesystem"):
        security.pop(key, None)
    user = config.get("User") or ""
    if user and (wants_user or user != (image.get("User") or "")):
        name, _, group = user.partition(":")
        security["runAsUser"] = int(name) if name.isdigit() else name
        if group:
            security["runAsGroup"] = int(group) if group.isdigit() else group
    if host.get("ReadonlyRootfs"):
        security["readOnlyRootFilesystem"] = True
    return security


def _ports(host: Seen, service: Service) -> list[Any]:
    wanted = [port.wire() for port in service.ports]
    has = {
        (_any(one.get("HostIp")), int(one["HostPort"]), inside)
        for inside, hosts in (host.get("PortBindings") or {}).items()
        for one in hosts or ()
        if (one.get("HostPort") or "").isdigit()
    }
    asked = {
        (_any(port.host_ip), port.host_port, f"{port.container_port}/{port.protocol.lower()}"): port.wire()
        for port in service.ports
        if port.host_port is not None
    }
    if has == asked.keys():
        return wanted
    inner = [port.wire() for port in service.ports if port.host_port is None]
    return inner + [asked.get(one) or _port(*one) for one in sorted(has)]


def _any(address: str | None) -> str:
    return "" if address in {None, "0.0.0.0"} else str(address)


def _port(address: str, number: int, inside: str) -> Record:
    container, _, protocol = inside.partition("/")
    port: Record = {"containerPort": int(container), "hostPort": number, "protocol": protocol.upper()}
    return port | ({"hostIP": address} if address else {})


def _mounts(record: Record, seen: Seen, service: Service, app: App, volumes: Mapping[str, str]) -> None:
    """Mounts and the sources of those that are no volumes of the App's own."""
    has = {_bind(text) for text in seen["HostConfig"].get("Binds") or ()}
    has |= {
        (one.get("Source") or "", one["Target"].rstrip("/"), bool(one.get("ReadOnly")))
        for one in seen["HostConfig"].get("Mounts") or ()
        if one.get("Type") in {"volume", "bind"}
    }
    kept = []
    for mount in service.volume_mounts:
        volume = app.volume(mount.name)
        path = volume.host_path.path if volume and volume.host_path else volumes.get(mount.name, mount.name)
        one = (path, mount.mount_path.rstrip("/"), mount.read_only)
        if one in has:
            has.discard(one)
            kept.append(mount.wire())
    sources = dict(record.get("sources") or {})
    for source, target, read_only in sorted(has):
        name = source if source.startswith("/") else f"engine/{source}"  # like no name of the App's own
        kept.append({"name": name, "mountPath": target, **({"readOnly": True} if read_only else {})})
        if source.startswith("/"):
            sources[name] = {"hostPath": {"path": source}}
    _put(record, "volumeMounts", kept)
    _put(record, "sources", sources)


def _bind(text: str) -> tuple[str, str, bool]:
    source, _, rest = text.partition(":")
    target, _, options = rest.partition(":")
    return source, target.rstrip("/"), "ro" in options.split(",")
