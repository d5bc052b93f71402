"""Probes: the original's one object with a type, and ours with a field for each way to ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iotistic.api.service import Probe, Service
from iotistic.cloud.notes import Notes
from iotistic.cloud.values import members, number_of, text_of

NUMBERS = ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "successThreshold", "failureThreshold")
"""Named alike on both sides, with the same defaults."""
_MOST = 2**31 - 1
_QUESTIONS = {
    "http": {"path", "port", "scheme", "headers", "expectedStatus"},
    "tcp": {"tcpPort", "port"},
    "exec": {"command"},
}


def read_probe(value: Any, notes: Notes, kind: str) -> dict[str, Any] | None:
    """The Probe that a probe of the original means; None, with a warning, for one that asks nothing.

    Args:
        kind: livenessProbe, readinessProbe or startupProbe.
    """
    fields = dict(members(value, notes))
    asks = fields.get("type")
    if asks not in _QUESTIONS:
        if isinstance(value, Mapping):
            notes.at("type").say("the probe is not taken over: expected http, tcp or exec")
        return None
    probe = {"http": _http, "tcp": _tcp, "exec": _exec}[asks](fields, notes)
    for name, content in fields.items():
        if content is None or name == "type" or name in _QUESTIONS[asks]:
            continue
        number = number_of(content, least=0 if name == "initialDelaySeconds" else 1, most=_MOST)
        if name not in NUMBERS:
            notes.at(name).say("not taken over: nothing here does that")
        elif number is None:
            notes.at(name).say("not taken over: expected a whole number")
        elif name == "successThreshold" and number != 1 and kind != "readinessProbe":
            notes.at(name).say("not taken over: one success counts for this probe")
        elif probe is not None:
            probe[name] = number
    return probe


def write_probe(probe: Probe, service: Service) -> dict[str, Any]:
    """The probe as the original writes it; named ports as their numbers."""
    set_here = probe.wire()
    written = {name: set_here[name] for name in NUMBERS if name in set_here}
    if probe.http_get is not None:
        http = probe.http_get
        headers = {header.name: header.value for header in http.http_headers}
        return {
            "type": "http",
            "path": http.path,
            "port": _port_number(http.port, service),
            "scheme": http.scheme.lower(),
            **({"headers": headers} if headers else {}),
            **written,
        }
    if probe.tcp_socket is not None:
        return {"type": "tcp", "tcpPort": _port_number(probe.tcp_socket.port, service), **written}
    return {"type": "exec", "command": list(probe.exec.command) if probe.exec else [], **written}


def _http(fields: Mapping[str, Any], notes: Notes) -> dict[str, Any] | None:
    port = number_of(fields.get("port"), most=65535)
    if port is None:
        notes.at("port").say("the probe is not taken over: expected a port from 1 to 65535")
        return None
    get: dict[str, Any] = {"port": port}
    path = text_of(fields.get("path")) or "/"
    get["path"] = path if path.startswith("/") else f"/{path}"
    scheme = str(fields.get("scheme") or "http").upper()
    if scheme not in ("HTTP", "HTTPS"):
        notes.at("scheme").say("not taken over: expected http or https; it is http now")
    elif scheme == "HTTPS":
        get["scheme"] = scheme
    headers = []
    for name, content in members(fields.get("headers") or {}, notes.at("headers")):
        text = text_of(content)
        if text is None or not name or any(sign in name + text for sign in "\r\n"):
            notes.at("headers").at(name).say("not taken over: expected one line of text")
        else:
            headers.append({"name": name, "value": text})
    if headers:
        get["httpHeaders"] = headers
    if fields.get("expectedStatus") is not None:
        notes.at("expectedStatus").say("not taken over: every status from 200 to 399 is a success here")
    return {"httpGet": get}


def _tcp(fields: Mapping[str, Any], notes: Notes) -> dict[str, Any] | None:
    written = fields.get("tcpPort") if fields.get("tcpPort") is not None else fields.get("port")
    port = number_of(written, most=65535)
    if port is None:
        notes.at("tcpPort").say("the probe is not taken over: expected a port from 1 to 65535")
        return None
    return {"tcpSocket": {"port": port}}


def _exec(fields: Mapping[str, Any], notes: Notes) -> dict[str, Any] | None:
    written = fields.get("command")
    words = [text_of(word) for word in written] if isinstance(written, list) else []
    if not words or None in words or any("\x00" in (word or "") for word in words):
        notes.at("command").say("the probe is not taken over: expected a list of words")
        return None
    return {"exec": {"command": words}}


def _port_number(port: int | str, service: Service) -> int | str:
    named = {one.name: one.container_port for one in service.ports if one.name}
    return named.get(port, port) if isinstance(port, str) else port
