"""One service of a target state, read: from the original's fields to those of a Service.

Whatever JSON can say is read without an error; what has no counterpart becomes a warning.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Any

from iotistic.api.checks import RESERVED
from iotistic.api.quantity import cpu_nanos, memory_bytes
from iotistic.cloud.names import free_name, valid_name
from iotistic.cloud.notes import Notes
from iotistic.cloud.probes import read_probe
from iotistic.cloud.values import each, literal, members, number_of, text_of

RESTART = {"no": "Never", "always": "Always", "unless-stopped": "Always", "on-failure": "OnFailure"}
"""Always holds over a reboot and leaves alone what was stopped: Docker's unless-stopped."""
_PORT = re.compile(
    r"(?:(?P<ip>\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:.]+\]):)?(?:(?P<host>\d{1,5}):)?(?P<inside>\d{1,5})"
    r"(?:/(?P<protocol>tcp|udp))?",
    re.IGNORECASE,
)
_VOLUME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ENV = re.compile(r"[^=\x00]+")
_OWNER = re.compile(r"(\d{1,9})(?::(\d{1,9}))?")
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class Names:
    """Names inside one App, as they are written and as they are here."""

    def __init__(self) -> None:
        self.here: dict[str, str] = {}
        """By the written name."""

    def of(self, text: str, *, fallback: str) -> str:
        """The name here for a written one; always the same."""
        if text not in self.here:
            name = valid_name(text, fallback=fallback)
            self.here[text] = free_name(name, self.here.values())
        return self.here[text]

    @property
    def changed(self) -> dict[str, str]:
        """Written names by those here, where they differ."""
        return {here: written for written, here in self.here.items() if here != written}


class AppParts:
    """What the services of one App have in common."""

    def __init__(self) -> None:
        self.networks = Names()
        self.volumes = Names()
        """Named volumes, host paths: `/etc/site` is written as such."""


def read_config(config: Mapping[str, Any], parts: AppParts, notes: Notes) -> dict[str, Any]:
    """The fields of a Service (without name, number and image) that a service's config means."""
    service: dict[str, Any] = {}
    for key, value in config.items():
        if value is None or key == "image":
            continue
        if key in _IN_PARTS:
            _IN_PARTS[key](service, value, parts, notes.at(key))
        elif key in _ALONE:
            _ALONE[key](service, value, notes.at(key))
        else:
            notes.at(str(key)).say("not taken over: nothing here does that")
    _on_network_mode(service, notes)
    return service


def _ports(service: dict[str, Any], value: Any, notes: Notes) -> None:
    found: list[dict[str, Any]] = []
    for place, written in each(value, notes):
        match = _PORT.fullmatch(text_of(written) or "")
        port = _port(match) if match else None
        if port is None:
            place.say("not taken over: expected like 8080:80 or 127.0.0.1:53:53/udp, single ports only")
        elif port not in found:
            found.append(port)
    if found:
        service["ports"] = found


def _port(match: re.Match[str]) -> dict[str, Any] | None:
    inside, host, ip = (match[group] for group in ("inside", "host", "ip"))
    if not all(number is None or 1 <= int(number) <= 65535 for number in (inside, host)):
        return None
    port: dict[str, Any] = {"containerPort": int(inside)}
    if host is not None:
        port["hostPort"] = int(host)
    if ip is not None:
        try:
            port["hostIP"] = str(ip_address(ip.strip("[]")))
        except ValueError:
            return None
        if host is None:
            return None
    if (match["protocol"] or "tcp").lower() == "udp":
        port["protocol"] = "UDP"
    return port


def _environment(service: dict[str, Any], value: Any, notes: Notes) -> None:
    pairs: dict[str, str] = {}
    if isinstance(value, Mapping):
        items = [(str(name), notes.at(str(name)), content) for name, content in value.items()]
    else:
        items = []
        for place, written in each(value, notes):
            name, equals, content = (text_of(written) or "").partition("=")
            if not equals:
                place.say("not taken over: expected NAME=VALUE")
                continue
            items.append((name, place, content))
    for name, place, content in items:
        text = "null" if content is None else text_of(content)
        if not _ENV.fullmatch(name):
            place.say("not taken over: no name of a variable")
        elif text is None:
            place.say("not taken over: expected a text, a number or a truth value")
        else:
            pairs[name] = text
    if pairs:
        service["env"] = [{"name": name, "value": literal(text)} for name, text in pairs.items()]


def _volumes(service: dict[str, Any], value: Any, parts: AppParts, notes: Notes) -> None:
    mounts: list[dict[str, Any]] = []
    for place, written in each(value, notes):
        source, _, rest = (text_of(written) or "").partition(":")
        target, _, options = rest.partition(":")
        if not (_VOLUME.fullmatch(source) or _absolute(source)) or not _absolute(target):
            place.say("not taken over: expected name:/path or /host/path:/path, perhaps with :ro")
            continue
        if target.rstrip("/") in {mount["mountPath"].rstrip("/") for mount in mounts}:
            place.say("not taken over: something else is mounted at that path already")
            continue
        mount: dict[str, Any] = {
            "name": parts.volumes.of(source, fallback="volume"),
            "mountPath": target,
        }
        for option in filter(None, options.split(",")):
            if option == "ro":
                mount["readOnly"] = True
            elif option != "rw":
                place.say(f"option {option[:20]!r} is not taken over: only ro and rw are known here")
        mounts.append(mount)
    if mounts:
        service["volumeMounts"] = mounts


def _absolute(path: str) -> bool:
    return path.startswith("/") and path.strip("/") != "" and ".." not in PurePosixPath(path).parts


def _networks(service: dict[str, Any], value: Any, parts: AppParts, notes: Notes) -> None:
    joined: dict[str, dict[str, Any]] = {}
    for place, written in each(value, notes):
        name = text_of(written)
        if name is None or not name:
            place.say("not taken over: expected the name of a network")
        else:
            joined[parts.networks.of(name, fallback="network")] = {}
    if joined:
        service["networks"] = joined


def _network_mode(service: dict[str, Any], value: Any, notes: Notes) -> None:
    if value in ("host", "none"):
        service["networkMode"] = value
    elif value not in ("bridge", "default", ""):
        notes.say("not taken over: only bridge, host and none are known here")


def _on_network_mode(service: dict[str, Any], notes: Notes) -> None:
    """Without a network of its own a service joins none and publishes nothing; the engine ignored both."""
    mode = service.get("networkMode")
    if mode is None:
        return
    if service.pop("networks", None):
        notes.at("networks").say(f"not taken over: with networkMode {mode} no network is joined")
    dropped = False
    for port in service.get("ports", ()):
        if mode == "none" or port.get("hostPort") != port["containerPort"]:
            dropped = port.pop("hostPort", None) is not None or dropped
            port.pop("hostIP", None)
    if dropped:
        notes.at("ports").say(f"host ports are not taken over: with networkMode {mode} nothing is published")
    if "ports" in service:
        service["ports"] = [
            port for n, port in enumerate(service["ports"]) if port not in service["ports"][:n]
        ]


def _restart(service: dict[str, Any], value: Any, notes: Notes) -> None:
    policy = RESTART.get(value) if isinstance(value, str) else None
    if policy is None:
        notes.say("not taken over: expected no, always, on-failure or unless-stopped; it is Always now")
    elif policy != "Always":
        service["restartPolicy"] = policy


def _labels(service: dict[str, Any], value: Any, notes: Notes) -> None:
    labels = {}
    for name, content in members(value, notes):
        text = text_of(content)
        if text is None or not name:
            notes.at(name).say("not taken over: expected a text")
        elif name.startswith(RESERVED):
            notes.at(name).say(f"not taken over: labels that begin with {RESERVED} are the agent's own")
        else:
            labels[name] = text
    if labels:
        service["labels"] = labels


def _resources(service: dict[str, Any], value: Any, notes: Notes) -> None:
    parse: dict[str, Callable[[str | int | float], int]] = {"cpu": cpu_nanos, "memory": memory_bytes}
    resources: dict[str, dict[str, Any]] = {}
    for kind, amounts in members(value, notes):
        if kind not in ("limits", "requests"):
            notes.at(kind).say("not taken over: nothing here does that")
            continue
        for what, written in members(amounts, notes.at(kind)):
            amount = _amount(written, parse.get(what))
            if amount is not None:
                resources.setdefault(kind, {})[what] = amount
            elif written is not None:
                notes.at(kind).at(what).say(
                    "not taken over: expected cpu like 0.5 or 500m, memory like 256Mi"
                )
    if resources:
        service["resources"] = resources


def _amount(value: Any, parse: Callable[[str | int | float], int] | None) -> str | int | float | None:
    """The amount as it is written here, where `K` is `k`; None for what is none."""
    if parse is None or isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    amount = re.sub(r"(?<=\d)K$", "k", value) if isinstance(value, str) else value
    try:
        return amount if parse(amount) > 0 else None
    except (ValueError, OverflowError, ArithmeticError):
        return None


def _words(field: str) -> Callable[[dict[str, Any], Any, Notes], None]:
    """A reader of a command: a list, or one line as a shell splits it."""

    def read(service: dict[str, Any], value: Any, notes: Notes) -> None:
        try:
            words = shlex.split(value) if isinstance(value, str) else value
        except ValueError:
            words = None
        texts = [text_of(word) for word in words] if isinstance(words, list) else [None]
        if None in texts or any("\x00" in (text or "") for text in texts):
            notes.say("not taken over: expected a list of words")
        elif texts:
            service[field] = [literal(text or "") for text in texts]

    return read


def _working_dir(service: dict[str, Any], value: Any, notes: Notes) -> None:
    if isinstance(value, str) and value.startswith("/"):
        service["workingDir"] = value
    elif value != "":
        notes.say("not taken over: expected an absolute path")


def _user(service: dict[str, Any], value: Any, notes: Notes) -> None:
    match = _OWNER.fullmatch(text_of(value) or "")
    if match is None:
        if value != "":
            notes.say("not taken over: only numbers are known here, like 1000:1000")
        return
    context = service.setdefault("securityContext", {})
    context["runAsUser"] = int(match[1])
    if match[2] is not None:
        context["runAsGroup"] = int(match[2])


def _read_only(service: dict[str, Any], value: Any, notes: Notes) -> None:
    if value is True:
        service.setdefault("securityContext", {})["readOnlyRootFilesystem"] = True
    elif value is not False:
        notes.say("not taken over: expected true or false")


def _hostname(service: dict[str, Any], value: Any, notes: Notes) -> None:
    if isinstance(value, str) and _DNS_LABEL.fullmatch(value):
        service["hostname"] = value
    elif value != "":
        notes.say("not taken over: expected lower case letters, digits and dashes")


def _stop_timeout(service: dict[str, Any], value: Any, notes: Notes) -> None:
    seconds = number_of(value, least=0, most=10**6)
    if seconds is None:
        notes.say("not taken over: expected seconds")
    else:
        service["stopGracePeriod"] = seconds


def _probe(kind: str) -> Callable[[dict[str, Any], Any, Notes], None]:
    def read(service: dict[str, Any], value: Any, notes: Notes) -> None:
        probe = read_probe(value, notes, kind)
        if probe is not None:
            service[kind] = probe

    return read


_IN_PARTS: dict[str, Callable[[dict[str, Any], Any, AppParts, Notes], None]] = {
    "volumes": _volumes,
    "networks": _networks,
}
_ALONE: dict[str, Callable[[dict[str, Any], Any, Notes], None]] = {
    "ports": _ports,
    "environment": _environment,
    "networkMode": _network_mode,
    "restart": _restart,
    "labels": _labels,
    "resources": _resources,
    "command": _words("args"),
    "entrypoint": _words("command"),
    "workingDir": _working_dir,
    "user": _user,
    "readonlyRootfs": _read_only,
    "hostname": _hostname,
    "stopTimeout": _stop_timeout,
    "livenessProbe": _probe("livenessProbe"),
    "readinessProbe": _probe("readinessProbe"),
    "startupProbe": _probe("startupProbe"),
}
CONFIG_FIELDS = frozenset({"image", *_IN_PARTS, *_ALONE})
"""Fields of a config that mean something here; also where they stand flat in the service."""
