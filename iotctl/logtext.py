"""Logs as text: of containers and of the agent, as they wrote them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from iotctl.exits import CommandError
from iotctl.terminal import has_color, paint, say, warn

if TYPE_CHECKING:
    from iotctl.agent import Agent

Json = dict[str, Any]
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""An agent that was started on a terminal colours its lines."""


def show_log(lines: Iterable[Json], *, of: str, names: bool, timestamps: bool) -> None:
    """Lines as they come; what went to standard error goes there again. That there are none is said too.

    Args:
        of: whose log it is; empty where none may be wanted.
        names: begin each with the name of its service.

    Raises: CommandError when the log ended early.
    """
    width, line = 0, None
    for line in lines:
        if line["stream"] == "error":
            raise CommandError(f"The log ends here: {line['text']}")
        width = max(width, len(line["service"]))
        name = f"{paint(line['service'].ljust(width), 'quiet')} | " if names else ""
        time = f"{line['time']}  " if timestamps else ""
        stream = sys.stderr if line["stream"] == "stderr" else sys.stdout
        print(f"{name}{time}{line['text']}", file=stream, flush=True)
    if line is None and of:
        warn(f"There are no lines of {of}: it has not run here yet, or has written nothing.")


def show_agent_log(agent: Agent, *, follow: bool, tail: int | None) -> None:
    """What the agent itself wrote: the lines of its log that it keeps."""
    plain = not has_color()
    for line in agent.lines("/v1/logs", follow=follow, tail=tail):
        say(_COLOUR.sub("", line["text"]) if plain else line["text"])
