"""iotctl services: single services, by `web`, `web-1` or `shop-web-1`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from iotctl.frame import agent_of, command, new_group
from iotctl.output import Output, OutputOption, show, show_rows
from iotctl.params import FollowOption, OfAppOption, ServiceArgument, TailOption, complete_apps
from iotctl.tables import SERVICES, cell
from iotctl.terminal import paint, say, style_of, warn

Json = dict[str, Any]
group = new_group("services", "List, start, stop, restart, inspect services.")
DOING = {
    "start": "starting",
    "stop": "stopping",
    "restart": "restarting",
    "pause": "pausing",
    "unpause": "going on",
}
TITLES = (
    ("Why", "reason"),
    ("Image", "image"),
    ("Digest", "imageDigest"),
    ("Container", "containerId"),
    ("Release", "release"),
    ("Wanted", "runState"),
    ("Ports", "ports"),
    ("Restarts", "restarts"),
    ("Last exit", "exitCode"),
    ("Since", "since"),
)


@command(
    group,
    "list",
    examples=("iotctl services list", "iotctl services list 1001", "iotctl services list -o json"),
)
def list_services(
    context: typer.Context,
    app: Annotated[
        str | None, typer.Argument(metavar="[APP]", help="Of this App only.", autocompletion=complete_apps)
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List services of one App or of all. -o json gives an array of flat objects."""
    from iotctl.flat import flat_service

    agent = agent_of(context)
    services = agent.get("/v1/services", app=app)["items"]
    apps = agent.get("/v1/apps")["items"] if output is not Output.TABLE else ()
    rows = [flat_service(service, apps) for service in services]
    if not rows and output in {Output.TABLE, Output.WIDE}:
        warn(
            f"There are no services {agent.endpoint.place}; iotctl apply -f FILE makes an App with services."
        )
        return
    show_rows(rows, SERVICES, output, kind="service")


@command(group, "start", examples=("iotctl services start web-1", "iotctl services start shop-web-1"))
def start(context: typer.Context, service: ServiceArgument, app: OfAppOption = None) -> None:
    """Start a service."""
    _act(context, service, app, "start")


@command(group, "stop", examples=("iotctl services stop api-2",))
def stop(context: typer.Context, service: ServiceArgument, app: OfAppOption = None) -> None:
    """Stop a service. It stays stopped, over reboots and new versions of its App."""
    _act(context, service, app, "stop")


@command(group, "restart", examples=("iotctl services restart shop-web-1",))
def restart(context: typer.Context, service: ServiceArgument, app: OfAppOption = None) -> None:
    """Restart a service; one that was stopped by hand is started."""
    _act(context, service, app, "restart")


@command(group, "pause", examples=("iotctl services pause web-1",))
def pause(context: typer.Context, service: ServiceArgument, app: OfAppOption = None) -> None:
    """Freeze a service: it keeps its memory and does nothing."""
    _act(context, service, app, "pause")


@command(group, "unpause", examples=("iotctl services unpause web-1",))
def unpause(context: typer.Context, service: ServiceArgument, app: OfAppOption = None) -> None:
    """Let a paused service go on."""
    _act(context, service, app, "unpause")


@command(group, "info", examples=("iotctl services info web-1", "iotctl services info web -a shop -o json"))
def info(
    context: typer.Context,
    service: ServiceArgument,
    app: OfAppOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show everything about one service."""
    from iotctl.flat import flat_service
    from iotctl.lookup import find_app, find_service

    agent = agent_of(context)
    found = find_service(agent, service, app)
    row = flat_service(found, [find_app(agent, found["spec"]["app"])])
    match output:
        case Output.JSON | Output.YAML:
            show(row, output)
        case Output.NAME:
            say(f"service/{row['address']}")
        case _:
            _describe(row)


@command(
    group,
    "logs",
    examples=(
        "iotctl services logs web-1 -f",
        "iotctl services logs shop-web-1 -n 50",
        "iotctl services logs web-1 --previous",
    ),
)
def logs(
    context: typer.Context,
    service: ServiceArgument,
    app: OfAppOption = None,
    follow: FollowOption = False,
    tail: TailOption = None,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", "-t", help="Begin lines with their time.")
    ] = False,
    previous: Annotated[
        bool, typer.Option("--previous", "-p", help="The end of what the container before this one wrote.")
    ] = False,
) -> None:
    """Show what a service wrote."""
    from iotctl.logtext import show_log
    from iotctl.lookup import find_service, log_of, service_path

    agent = agent_of(context)
    path = f"{service_path(find_service(agent, service, app))}/logs"
    lines = agent.lines(path, follow=follow, tail=tail, previous=previous or None)
    of = "" if tail == 0 else log_of(path)
    show_log(lines, of=of, names=False, timestamps=timestamps and not previous)


def _act(context: typer.Context, address: str, app: str | None, action: str) -> None:
    from iotctl.flat import flat_service
    from iotctl.lookup import find_service, service_path

    agent = agent_of(context)
    found = find_service(agent, address, app)
    answer = agent.post(f"{service_path(found)}/{action}")
    say(f"service/{flat_service(found)['address']}: {DOING[action]}")
    if answer.get("waits"):
        warn(f"That waits: {answer['waits']}")


def _describe(row: Json) -> None:
    state = paint(row["state"] or "unknown", style_of(row["state"]))
    ready = "ready" if row["ready"] else "not ready"
    app = f"App {row['app']}" + (f" ({row['appId']})" if row["appId"] is not None else "")
    say(f"{paint('Service ' + row['address'], 'bold')} of {app}: {state}, {ready}")
    for title, key in TITLES:
        if row[key] not in (None, "", []):
            say(f"{title:10} {cell(row[key])}")
