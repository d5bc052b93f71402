"""What is told of an App that will not get ready by itself: what became of it, its last lines, what now."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from iotctl.agent import Agent, sentence
from iotctl.exits import CommandError, ExitCode
from iotctl.watch import Verdict, now_what
from iotistic.rollout.wording import culprit

Json = dict[str, Any]
LAST_LINES = 5
TOLD = {ExitCode.UNDONE: ("Undone",), ExitCode.FAILED: ("DeadlineExceeded", "RebootLoop")}
"""Reasons of events that tell such an end in full."""


def ending(agent: Agent, name: str, verdict: Verdict) -> str:
    """The whole story of a release that was undone, or has failed and stays.

    What the agent can't tell any more is left out; never raises.
    """
    app = verdict.app or {}
    why = str((app.get("status") or {}).get("why") or "")
    undone = verdict.code is ExitCode.UNDONE
    service = _culprit(app, why)
    lines = _last_lines(agent, name, service, previous=undone) if service else []
    told = [_story(agent, name, verdict, why)]
    if lines:
        told += [f"Last lines of {service}:", *(f"  | {line}" for line in lines)]
    commands = [f"iotctl explain app {name}"]
    if service:
        commands.append(f"iotctl services logs {name}-{service}" + (" --previous" if undone else ""))
    return "\n".join([*told, now_what(*commands)])


def _story(agent: Agent, name: str, verdict: Verdict, why: str) -> str:
    """As the agent told it when it happened: an event knows how long it took. Else what is known now."""
    release = why.partition(": ")[0]
    with suppress(CommandError):
        events = agent.get("/v1/events", app=name)["items"]
        for event in reversed(events):
            about = event["message"].removeprefix(f"App {name}: ")
            if event["reason"] in TOLD[verdict.code] and about.startswith(f"{release} "):
                what, _, then = event["message"].rpartition("; ")
                return f"{sentence(what)}\n{sentence(then)}" if what else sentence(then)
    status = (verdict.app or {}).get("status") or {}
    if verdict.code is not ExitCode.UNDONE or not status.get("release"):
        return sentence(verdict.text)
    ready = str(status.get("ready", "")).replace("/", " of ")
    return f"{sentence(verdict.text)}\nRelease {status['release']} serves ({ready} services ready)."


def _culprit(app: Json, why: str) -> str:
    """The service that a reason begins with, after its release; empty when it is about none."""
    names = {service["name"] for service in (app.get("spec") or {}).get("services", [])}
    return culprit(why.partition(": ")[2], names)


def _last_lines(agent: Agent, app: str, service: str, *, previous: bool) -> list[str]:
    path = f"/v1/apps/{app}/services/{service}/logs"
    with suppress(CommandError):
        lines = agent.lines(path, tail=LAST_LINES, previous=previous or None)
        return [line["text"] for line in lines if line["stream"] != "error"]
    return []
