"""The checks of `iotctl diagnostics`: the agent's own, and what can be seen from here; as a box."""

from __future__ import annotations

import socket
import textwrap
from typing import Any

from iotctl.agent import Agent
from iotctl.exits import BadInputError, CommandError
from iotctl.terminal import paint, width

Json = dict[str, Any]
STYLES = {"OK": "good", "WARN": "busy", "FAIL": "bad", "SKIP": "quiet"}
ORDER = ("OK", "SKIP", "WARN", "FAIL")
"""Worst last: that is where the eye is when the command has ended."""
OUTSIDE = "1.1.1.1:443"
"""What the Internet check connects to, once, when nothing else is given."""
OUTSIDE_SECONDS = 2.0
AGENTS_OWN = ("Store", "Engine", "Disk", "Clock")
"""Checks that only the agent can make."""
NARROWEST = 40


def run(agent: Agent, outside: str) -> list[Json]:
    """All checks, worst last; an agent that does not answer is a failed check.

    Args:
        outside: HOST:PORT that the Internet check connects to; empty: it is left out.

    Raises: BadInputError when `outside` is none.
    """
    address = _address(outside) if outside else None
    api = _api(agent)
    answers = api["status"] == "OK"
    checks = [
        api,
        *(_agents_own(agent) if answers else _unknown(agent)),
        *([internet(address, is_here=agent.endpoint.is_here)] if agent.endpoint.what == "Agent" else []),
    ]
    return sorted(checks, key=lambda check: ORDER.index(check["status"]))


def boxed(checks: list[Json]) -> str:
    """One box, a line a check, with what to do; lines that a terminal is too narrow for go on below."""
    name_width = max(len(check["name"]) for check in checks)
    room = max(width() - name_width - 12, NARROWEST)
    rows = [row for check in checks for row in _rows(check, room)]
    inner = max(len(text) for _, _, text in rows)
    lines = [
        f"│ {name:{name_width}}  {paint(status, STYLES.get(status, ''))}{' ' * (4 - len(status))}  "
        f"{text:{inner}} │"
        for name, status, text in rows
    ]
    edge = "─" * (name_width + inner + 10)
    return "\n".join([f"┌{edge}┐", *lines, f"└{edge}┘"])


def _rows(check: Json, room: int) -> list[tuple[str, str, str]]:
    """Name, status, text; the first two only in the first row."""
    text = f"{check['text']}   -> {check['advice']}" if check["advice"] else check["text"]
    if len(text) <= room:
        return [(check["name"], check["status"], text)]
    texts = textwrap.wrap(check["text"], room)
    texts += textwrap.wrap(check["advice"], room, initial_indent="-> ", subsequent_indent="   ")
    return [
        (check["name"] if not number else "", check["status"] if not number else "", text)
        for number, text in enumerate(texts)
    ]


def _api(agent: Agent) -> Json:
    where = agent.endpoint
    key = "no key needed" if where.socket else "key given" if where.key else "no key"
    try:
        about = agent.get("/v1/version")
    except CommandError as error:
        first = error.hint.partition("\n")[0].partition("      ")[0]
        name = "Device API" if where.what == "Agent" else where.what
        return _check(name, "FAIL", error.message, " ".join(first.split()))
    if where.what == "Cluster":
        return _check(where.what, "OK", where.address)
    return _check("Device API", "OK", f"{where.address}, {key}, agent {about['version']}")


def _agents_own(agent: Agent) -> list[Json]:
    try:
        return list(agent.get("/v1/diagnostics")["items"])
    except CommandError as error:
        advice = "iotctl logs -n 50" if agent.endpoint.what == "Agent" else ""
        return [_check(agent.endpoint.what, "FAIL", f"its checks did not end: {error.message}", advice)]


def _unknown(agent: Agent) -> list[Json]:
    return (
        []
        if agent.endpoint.what == "Cluster"
        else [_check(name, "SKIP", "only the agent can tell") for name in AGENTS_OWN]
    )


def internet(address: tuple[str, int] | None, *, is_here: bool) -> Json:
    """One quick attempt to connect.

    Args:
        address: what to connect to; None: nothing.
        is_here: the agent is on this machine, so that its connection is this one.
    """
    if address is None:
        return _check("Internet", "SKIP", "not asked for")
    if not is_here:
        return _check("Internet", "SKIP", "the agent is on another machine than iotctl")
    host, port = address
    try:
        socket.create_connection(address, timeout=OUTSIDE_SECONDS).close()
    except OSError as error:
        why = "no answer" if isinstance(error, TimeoutError) else (error.strerror or str(error)).lower()
        return _check(
            "Internet",
            "WARN",
            f"{host}:{port} can't be reached ({why}); what runs goes on, new images can't be pulled",
            "without a registry: iotctl images load FILE",
        )
    return _check("Internet", "OK", f"{host}:{port} answers")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise BadInputError(f"--internet is {text!r}: expected HOST:PORT, or none.")
    return host, int(port)


def _check(name: str, status: str, text: str, advice: str = "") -> Json:
    return {"name": name, "status": status, "text": text, "advice": advice}
