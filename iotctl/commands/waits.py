"""iotctl wait: stays until Apps are ready or gone."""

from __future__ import annotations

from typing import Annotated

import typer

from iotctl.frame import agent_of, command
from iotctl.params import TimeoutOption, complete_app_resources, resource_name, timeout_seconds
from iotctl.watch import Goal


def add_to(group: typer.Typer) -> None:
    """Add the command."""
    command(
        group,
        "wait",
        heading="Files",
        examples=(
            "iotctl wait app/shop --for ready --timeout 60s",
            "iotctl wait app/shop app/till",
            "iotctl wait app/shop --for deleted",
        ),
    )(wait_for)


def wait_for(
    context: typer.Context,
    apps: Annotated[
        list[str],
        typer.Argument(
            metavar="app/NAME...", help="What to wait for.", autocompletion=complete_app_resources
        ),
    ],
    goal: Annotated[Goal, typer.Option("--for", help="State to wait for.")] = Goal.READY,
    timeout: TimeoutOption = "5m",
) -> None:
    """Wait until Apps are ready, or deleted.

    Ends with exit code 0, or with 5 when the time is over first."""
    from iotctl.exits import NotFoundError
    from iotctl.lookup import find_app
    from iotctl.waiting import wait
    from iotctl.watch import Watch

    seconds = timeout_seconds(timeout)
    agent = agent_of(context)
    names = []
    for app in apps:
        name = resource_name(app)
        try:
            names.append(find_app(agent, name)["metadata"]["name"])
        except NotFoundError:
            if goal is Goal.READY:
                raise
            names.append(name)
    code = wait(agent, Watch(goal=goal, apps=names, host=agent.endpoint.host), seconds)
    if code:
        raise typer.Exit(code)
