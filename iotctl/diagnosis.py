"""The checks of `iotctl diagnostics`: the agent's own, and what can be seen from here; as a box."""

from __future__ import annotations

import socket
from typing import Any

from iotctl.agent import Agent
from iotctl.exits import CommandError
from iotctl.terminal import paint

Json = dict[str, Any]
STYLES = {"OK": "good", "WARN": "busy", "FAIL": "bad", "SKIP": "quiet"}
ORDER = ("OK", "SKIP", "WARN", "FAIL")
"""Worst last: that is where the eye is when the command has ended."""
OUTSIDE = (("1.1.1.1", 443), ("8.8.8.8", 443))
OUTSIDE_SECONDS = 3.0


def run(agent: Agent) -> list[Json]:
    """All checks, worst last. Never raises: an agent that does not answer is a failed check."""
    checks = [_api(agent), *_agents_own(agent), _internet()]
    return sorted(checks, key=lambda check: ORDER.index(check["status"]))


def boxed(checks: list[Json]) -> str:
    """One box, a line a check, with what to do."""
    width = max(len(check["name"]) for check in checks)
    lines = []
    for check in checks:
        advice = f"   -> {check['advice']}" if check["advice"] else ""
        lines.append((check["name"], check["status"], f"{check['text']}{advice}"))
    inner = max(width + 2 + 4 + 2 + len(text) for _, _, text in lines)
    rows = [
        f"│ {name:{width}}  {paint(status, STYLES[status])}{' ' * (4 - len(status))}  "
        f"{text}{' ' * (inner - width - 8 - len(text))} │"
        for name, status, text in lines
    ]
    return "\n".join([f"┌{'─' * (inner + 2)}┐", *rows, f"└{'─' * (inner + 2)}┘"])


def _api(agent: Agent) -> Json:
    where = agent.endpoint
    key = "no key needed" if where.socket else "key given" if where.key else "no key"
    try:
        about = agent.get("/v1/version")
    except CommandError as error:
        return _check("Device API", "FAIL", error.message, error.hint.splitlines()[0] if error.hint else "")
    return _check("Device API", "OK", f"{where.address}, {key}, agent {about['version']}")


def _agents_own(agent: Agent) -> list[Json]:
    try:
        return list(agent.get("/v1/diagnostics")["items"])
    except CommandError:
        return [_check(name, "SKIP", "the agent does not answer") for name in ("Store", "Engine", "Disk")]


def _internet() -> Json:
    for host, port in OUTSIDE:
        try:
            socket.create_connection((host, port), timeout=OUTSIDE_SECONDS).close()
        except OSError:
            continue
        return _check("Internet", "OK", f"{host}:{port} answers")
    return _check(
        "Internet", "WARN", "no connection to the outside", "what runs goes on; new images can't be pulled"
    )


def _check(name: str, status: str, text: str, advice: str = "") -> Json:
    return {"name": name, "status": status, "text": text, "advice": advice}
