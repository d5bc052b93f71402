"""iotctl logs: what an App, one of its services, or the agent itself wrote."""

from __future__ import annotations

from typing import Annotated

import typer

from iotctl.frame import agent_of, command
from iotctl.params import FollowOption, TailOption, complete_apps, complete_services_of_app


def add_to(group: typer.Typer) -> None:
    """Add the command."""
    command(
        group,
        "logs",
        heading="What runs",
        examples=(
            "iotctl logs shop",
            "iotctl logs shop web -f",
            "iotctl logs web-1 -n 50",
            "iotctl logs -n 50",
            "iotctl logs --follow",
        ),
    )(logs)


def logs(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[APP]", help="App or service; none: the agent.", autocompletion=complete_apps
        ),
    ] = None,
    service: Annotated[
        str | None,
        typer.Argument(
            metavar="[SERVICE]",
            help="Only this one of the App.",
            autocompletion=complete_services_of_app,
        ),
    ] = None,
    follow: FollowOption = False,
    tail: TailOption = None,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", "-t", help="Begin lines with their time.")
    ] = False,
) -> None:
    """Show what an App, a service or the agent wrote.

    Without a name: the agent's own log. Lines of several services begin with the name of theirs.
    """
    agent = agent_of(context)
    if name is None:
        from iotctl.logtext import show_agent_log

        show_agent_log(agent, follow=follow, tail=tail)
        return
    from iotctl.logtext import show_log
    from iotctl.lookup import log_of, logs_path

    path, several = logs_path(agent, name, service)
    lines = agent.lines(path, follow=follow, tail=tail)
    show_log(lines, of="" if tail == 0 else log_of(path), names=several, timestamps=timestamps)
