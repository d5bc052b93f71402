"""What the gate costs when an update is good, and how soon the old release serves again when it is not."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from figure import Figure
from process import Agent

MIN_READY_SECONDS = 2
DEADLINE_SECONDS = 6
"""Of the bad update; the others have as long as they need."""
WAIT_SECONDS = 180
APP = "gate"


def measure(agent: Agent, image: str) -> list[Figure]:
    """Three services: a first install, a good update, a bad one."""
    agent.put(_app(image, "1"))
    _wait_for(agent, "Installed", after=0)
    good = _seq(agent)
    agent.put(_app(image, "2"))
    updated = _wait_for(agent, "Updated", after=good)
    started = [_moment(event) for event in _events(agent, good) if event["reason"] == "Started"]
    gate = _moment(updated) - max(started)
    bad = _seq(agent)
    agent.put(_app(image, "3", port=81, deadline=DEADLINE_SECONDS))
    undone = _wait_for(agent, "Undone", after=bad)
    failed = next(event for event in _events(agent, bad) if event["reason"] == "DeadlineExceeded")
    undo = _moment(undone) - _moment(failed)
    agent.delete(APP)
    return [
        Figure(
            name="gate: last start to good",
            value=gate,
            bar=MIN_READY_SECONDS + 1,
            text=f"{gate:.2f} s",
            unit="s",
            note=f"minReadySeconds {MIN_READY_SECONDS}, three services with readiness probes",
        ),
        Figure(
            name="undo: failed to all old services ready",
            value=undo,
            bar=10,
            text=f"{undo:.2f} s",
            unit="s",
            note="three services, stopGracePeriod 1 s; the bar is ours",
        ),
    ]


def _app(image: str, version: str, port: int = 80, deadline: int = WAIT_SECONDS) -> dict[str, Any]:
    service = {
        "image": image,
        "command": ["httpd", "-f", "-p", str(port)],
        "env": [{"name": "VERSION", "value": version}],
        "readinessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 1},
        "stopGracePeriod": 1,
    }
    return {
        "apiVersion": "iotistic.io/v1alpha1",
        "kind": "App",
        "metadata": {"name": APP},
        "spec": {
            "services": [{"name": name, **service} for name in ("a", "b", "c")],
            "update": {
                "minReadySeconds": MIN_READY_SECONDS,
                "progressDeadlineSeconds": deadline,
            },
        },
    }


def _events(agent: Agent, after: int) -> list[dict[str, Any]]:
    """Events of this App alone: others come and go on the same agent."""
    answer = agent.api.get("/v1/events", params={"after": after, "app": APP})
    items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
    return items


def _seq(agent: Agent) -> int:
    return max((event["seq"] for event in _events(agent, 0)), default=0)


def _wait_for(agent: Agent, reason: str, *, after: int) -> dict[str, Any]:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        events = _events(agent, after)
        found = next((event for event in events if event["reason"] == reason), None)
        if found:
            return found
        time.sleep(0.05)
    raise RuntimeError(f"no {reason} within {WAIT_SECONDS} s, only {[event['reason'] for event in events]}")


def _moment(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["time"]).timestamp()
