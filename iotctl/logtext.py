"""Logs as text: of containers as they wrote them, of the agent as lines with their facts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from iotctl.exits import CommandError
from iotctl.terminal import paint, say

if TYPE_CHECKING:
    from iotctl.agent import Agent

Json = dict[str, Any]
LEVELS = {"Normal": "INFO", "Warning": "WARN"}
FACTS = ("app", "service")


def show_log(lines: Iterable[Json], *, names: bool, timestamps: bool) -> None:
    """Lines as they come; what went to standard error goes there again.

    Args:
        names: begin each with the name of its service.

    Raises: CommandError when the log ended early.
    """
    width = 0
    for line in lines:
        if line["stream"] == "error":
            raise CommandError(f"The log ends here: {line['text']}")
        width = max(width, len(line["service"]))
        name = f"{paint(line['service'].ljust(width), 'quiet')} | " if names else ""
        time = f"{line['time']}  " if timestamps else ""
        stream = sys.stderr if line["stream"] == "stderr" else sys.stdout
        print(f"{name}{time}{line['text']}", file=stream, flush=True)


def show_agent_log(agent: Agent, *, follow: bool, tail: int | None) -> None:
    """What the agent did since it started."""
    kept = agent.get("/v1/events")["items"]
    for event in kept if tail is None else kept[len(kept) - min(tail, len(kept)) :]:
        say(log_line(event))
    if not follow:
        return
    for new in agent.events(after=kept[-1]["seq"] if kept else 0):
        if new and new["type"] != "Progress":
            say(log_line(new))


def log_line(event: Json) -> str:
    """`[INFO] started shop/web {"time":...}`: one line that people and programs can read."""
    facts = {"time": event["time"], "reason": event["reason"]}
    facts |= {key: event[key] for key in FACTS if event.get(key)}
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    return f"[{LEVELS.get(event['type'], 'INFO')}] {event['message']} {text}"
