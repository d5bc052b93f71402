"""iotctl apps: whole Apps, by name or number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from iotctl.frame import agent_of, command, new_group
from iotctl.output import Output, OutputOption, show, show_rows
from iotctl.params import AppArgument, TimeoutOption, WaitOption, YesOption, timeout_seconds
from iotctl.tables import APPS, SERVICES, table
from iotctl.terminal import paint, say, style_of, warn

if TYPE_CHECKING:
    from iotctl.agent import Agent

Json = dict[str, Any]
group = new_group("apps", "List, start, stop, restart, inspect, purge Apps.")
DOING = {"start": "starting", "stop": "stopping", "restart": "restarting"}


@command(group, "list", examples=("iotctl apps list", "iotctl apps list -o json"))
def list_apps(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List all Apps of this device. -o json gives an array of flat objects."""
    from iotctl.flat import flat_app

    agent = agent_of(context)
    rows = [flat_app(app) for app in agent.get("/v1/apps")["items"]]
    if not rows and output in {Output.TABLE, Output.WIDE}:
        warn(f"There are no Apps {agent.endpoint.place}; iotctl apply -f FILE makes one.")
        return
    show_rows(rows, APPS, output, kind="app")


@command(group, "start", examples=("iotctl apps start 1001", "iotctl apps start shop --wait"))
def start(
    context: typer.Context, app: AppArgument, wait: WaitOption = False, timeout: TimeoutOption = "5m"
) -> None:
    """Start all services of an App."""
    _act(context, app, "start", wait, timeout)


@command(group, "stop", examples=("iotctl apps stop 1001",))
def stop(context: typer.Context, app: AppArgument) -> None:
    """Stop all services of an App.

    They stay stopped, over reboots and when the same or another file is applied, until they are started.
    """
    _act(context, app, "stop", False, "0")


@command(group, "restart", examples=("iotctl apps restart 1001", "iotctl apps restart shop --wait"))
def restart(
    context: typer.Context, app: AppArgument, wait: WaitOption = False, timeout: TimeoutOption = "5m"
) -> None:
    """Restart all services of an App, in the order of dependsOn."""
    _act(context, app, "restart", wait, timeout)


@command(group, "info", examples=("iotctl apps info shop", "iotctl apps info 1001 -o json"))
def info(context: typer.Context, app: AppArgument, output: OutputOption = Output.TABLE) -> None:
    """Show everything about one App.

    Its state and why, its services, what it is waiting for."""
    from iotctl.flat import flat_app, flat_service
    from iotctl.lookup import find_app

    agent = agent_of(context)
    found = find_app(agent, app)
    services = agent.get(f"/v1/apps/{found['metadata']['name']}/services")["items"]
    rows = [flat_service(service, [found]) for service in services]
    flat = flat_app(found)
    match output:
        case Output.JSON | Output.YAML:
            show({**flat, "services": rows}, output)
        case Output.NAME:
            say(f"app/{flat['name']}")
        case _:
            held = _lock(found) if agent.endpoint.what == "Cluster" else ""
            _describe(found, flat, rows, held, wide=output is Output.WIDE)


@command(group, "purge", examples=("iotctl apps purge 1001", "iotctl apps purge shop --yes"))
def purge(
    context: typer.Context,
    app: AppArgument,
    yes: YesOption = False,
    wait: WaitOption = False,
    timeout: TimeoutOption = "5m",
) -> None:
    """Delete an App together with its volumes. What is in them can't be brought back."""
    from iotctl.asking import confirm
    from iotctl.commands.delete import delete_app, wait_until_deleted
    from iotctl.lookup import find_app

    seconds = timeout_seconds(timeout)
    agent = agent_of(context)
    kept = [one["name"] for one in agent.get("/v1/volumes")["items"] if one["kept"] and one["app"] == app]
    found = {} if kept else find_app(agent, app)
    name = app if kept else found["metadata"]["name"]
    volumes = ", ".join(kept or [volume["name"] for volume in found["spec"].get("volumes", [])])
    confirm(
        f"The volumes that App {name} has left ({volumes}) go, with the data in them. This can't be undone."
        if kept
        else f"App {name} goes, with its volumes ({volumes}) and the data in them. This can't be undone."
        if volumes
        else f"App {name} goes; it has no volumes.",
        yes=yes,
    )
    delete_app(agent, name, True)
    if wait:
        wait_until_deleted(agent, [name], seconds)


def _act(context: typer.Context, app: str, action: str, wait: bool, timeout: str) -> None:
    from iotctl.lookup import segment

    seconds = timeout_seconds(timeout)
    agent = agent_of(context)
    answer = agent.post(f"/v1/apps/{segment(app)}/{action}")
    say(f"app/{answer['app']}: {DOING[action]} {', '.join(answer['services'])}")
    if answer.get("waits"):
        warn(f"That waits: {answer['waits']}")
    if wait:
        _wait_until_ready(agent, answer["app"], seconds)


def _wait_until_ready(agent: Agent, name: str, seconds: float) -> None:
    from iotctl.waiting import wait
    from iotctl.watch import Goal, Watch

    watch = Watch(goal=Goal.READY, apps=[name], restarting=True, host=agent.endpoint.host)
    code = wait(agent, watch, seconds)
    if code:
        raise typer.Exit(code)


def _lock(app: Json) -> str:
    """The lock in force on a cluster, in words, whether or not anything waits for it; empty without one."""
    from iotctl.cluster.apps import lock_of, locked_since

    held, since = lock_of(app), locked_since(app)
    if held is None:
        return ""
    text = held.text(app["metadata"]["name"])
    return f"{text}, since {since}" if since else text


def _describe(app: Json, flat: Json, services: list[Json], held: str, *, wide: bool) -> None:
    number = f" ({flat['appId']})" if flat["appId"] is not None else ""
    state = paint(flat["state"] or "unknown", style_of(flat["state"]))
    say(f"{paint('App ' + flat['name'], 'bold')}{number}: {state}, services ready: {flat['readyServices']}")
    if flat["reason"]:
        say(f"Why       {flat['reason']}")
    if held and held.partition(", since ")[0] not in (flat["reason"] or ""):
        say(f"Lock      {held}")
    say(f"Release   {flat['release']} (generation {flat['generation']})")
    if flat["created"]:
        say(f"Created   {flat['created']}")
    spec = app["spec"]
    for title, key in (("Networks", "networks"), ("Volumes", "volumes")):
        if spec.get(key):
            say(f"{title:9} {', '.join(one['name'] for one in spec[key])}")
    say(f"Update    {spec.get('update', {}).get('strategy', 'DownloadThenKill')}")
    say()
    say(table(SERVICES, services, wide=wide))
    for one in (app.get("status") or {}).get("conditions") or []:
        if one["status"] != "True" and one["type"] in {"Ready", "Available"} and one.get("message"):
            since = f"{one['type']} is {one['status']} since {one['lastTransitionTime']}"
            say(f"\n{since} ({one['reason']}): {one['message']}")
