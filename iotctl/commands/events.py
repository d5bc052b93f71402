"""iotctl events: what happened on the device, in plain sentences."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from iotctl.frame import agent_of, command
from iotctl.output import Output, OutputOption, show
from iotctl.params import FollowOption, TailOption, complete_apps
from iotctl.terminal import paint, say, style_of, warn

Json = dict[str, Any]
REASON_WIDTH = 16


def add_to(group: typer.Typer) -> None:
    """Add the command."""
    command(
        group,
        "events",
        heading="What runs",
        examples=("iotctl events", "iotctl events shop -f", "iotctl events -n 20 -o json"),
    )(events)


def events(
    context: typer.Context,
    app: Annotated[
        str | None, typer.Argument(metavar="[APP]", help="Of this App only.", autocompletion=complete_apps)
    ] = None,
    follow: FollowOption = False,
    tail: TailOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what happened, oldest first.

    Everything since the agent started, as long as it is kept. With -f it stays and shows what happens;
    -o json then gives one object a line.
    """
    agent = agent_of(context)
    kept = agent.get("/v1/events", app=app)["items"]
    shown = kept if tail is None else kept[len(kept) - min(tail, len(kept)) :]
    if not follow:
        _show_all(shown, output, whose=app is None)
        return
    for event in shown:
        _show(event, output, whose=app is None)
    after = kept[-1]["seq"] if kept else 0
    for new in agent.events(app=app, after=after):
        if new and new["type"] != "Progress":
            _show(new, output, whose=app is None)


def _show_all(events: list[Json], output: Output, *, whose: bool) -> None:
    if output in {Output.JSON, Output.YAML}:
        show(events, output)
        return
    if not events:
        warn("Nothing has happened since the agent started.")
    for event in events:
        _show(event, output, whose=whose)


def _show(event: Json, output: Output, *, whose: bool) -> None:
    if output is Output.NAME:
        say(f"event/{event['seq']}")
        return
    if output in {Output.JSON, Output.YAML}:
        import json

        say(json.dumps(event, ensure_ascii=False))
        return
    style = style_of(event["type"]) if event["type"] == "Warning" else ""
    reason = paint(f"{event['reason']:{REASON_WIDTH}}", style)
    seq = f"{event['seq']:>5}  " if output is Output.WIDE else ""
    say(f"{seq}{paint(event['time'], 'quiet')}  {reason}  {sentence(event) if whose else event['message']}")


def sentence(event: Json) -> str:
    """Its message with the App that it is about, as a device tells it by itself."""
    app, message = event["app"], str(event["message"])
    said = re.search(rf"\bApp {re.escape(app)}(?![\w-])|(?<![\w-]){re.escape(app)}/", message)
    return message if said or not app else f"App {app}: {message}"
