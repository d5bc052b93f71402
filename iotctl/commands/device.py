"""iotctl config, diagnostics, restart, context, factory-reset: the device itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer

from iotctl.exits import CommandError, ExitCode, NotFoundError
from iotctl.frame import agent_of, command, new_group
from iotctl.output import Output, OutputOption, show
from iotctl.params import TimeoutOption, YesOption, timeout_seconds
from iotctl.terminal import say

Json = dict[str, Any]
HEADING = "This device"
config = new_group("config", "Show and change settings.")
ENDPOINT = "cloudApiEndpoint"


def add_to(group: typer.Typer) -> None:
    """Add the commands that are in no group."""
    add: dict[str, tuple[Callable[..., None], tuple[str, ...]]] = {
        "diagnostics": (diagnostics, ("iotctl diagnostics", "iotctl diag -o json")),
        "restart": (restart, ("iotctl restart", "iotctl restart --timeout 2m")),
        "context": (context_, ("iotctl context", "iotctl --url http://10.0.0.7:48484 context")),
        "factory-reset": (factory_reset, ("iotctl factory-reset", "iotctl factory-reset --yes")),
    }
    for name, (function, examples) in add.items():
        command(group, name, heading=HEADING, examples=examples)(function)
    group.command("diag", hidden=True)(diagnostics)


@command(config, "show", examples=("iotctl config show", "iotctl config show -o json"))
def config_show(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """Show the device and its settings; secrets are never shown."""
    agent = agent_of(context)
    device = agent.get("/v1/device")
    values = {
        "uuid": device.get("uuid"),
        "deviceId": device.get("deviceId"),
        **agent.get("/v1/config"),
        "deviceName": device.get("deviceName"),
        "provisioned": device.get("provisioned"),
        "version": device.get("agentVersion"),
    }
    if output in {Output.JSON, Output.YAML}:
        show(values, output)
        return
    width = max(len(name) for name in values)
    for name, value in values.items():
        say(f"{name:{width}}  {_text(value)}")


@command(config, "get", examples=("iotctl config get deviceName",))
def config_get(
    context: typer.Context, key: Annotated[str, typer.Argument(metavar="KEY", help="Name of the setting.")]
) -> None:
    """Print one setting."""
    values = agent_of(context).get("/v1/config")
    if key not in values:
        raise NotFoundError(f"There is no setting {key!r}.", hint=f"There are {', '.join(sorted(values))}.")
    say(_text(values[key]))


@command(config, "set", examples=("iotctl config set deviceName mast-17",))
def config_set(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Name of the setting.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="JSON, or plain text.")],
) -> None:
    """Change one setting; it holds over restarts."""
    _set(context, key, _parsed(value))


@command(config, "set-api", examples=("iotctl config set-api https://cloud.example.com",))
def config_set_api(
    context: typer.Context, url: Annotated[str, typer.Argument(metavar="URL", help="http:// or https://.")]
) -> None:
    """Set the address of the cloud."""
    _set(context, ENDPOINT, url)


@command(config, "get-api", examples=("iotctl config get-api",))
def config_get_api(context: typer.Context) -> None:
    """Print the address of the cloud."""
    say(_text(agent_of(context).get("/v1/config")[ENDPOINT]) or "not set")


@command(config, "reset", examples=("iotctl config reset --yes",))
def config_reset(context: typer.Context, yes: YesOption = False) -> None:
    """Put all settings back to their defaults. Apps stay as they are."""
    from iotctl.asking import confirm

    confirm("All settings go back to their defaults; Apps stay as they are.", yes=yes)
    agent_of(context).delete("/v1/config")
    say("All settings are back to their defaults.")


def diagnostics(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """Check agent, engine, disk, clock, network.

    One line a check, worst last, each with what to do. Ends with 1 when one FAILs."""
    from iotctl.diagnosis import boxed, run

    checks = run(agent_of(context))
    if output in {Output.JSON, Output.YAML}:
        show(checks, output)
    else:
        say(boxed(checks))
    if any(check["status"] == "FAIL" for check in checks):
        raise typer.Exit(ExitCode.FAILED)


def restart(context: typer.Context, timeout: TimeoutOption = "60s") -> None:
    """Restart the agent; containers stay up. Waits until it answers again."""
    import time

    seconds = timeout_seconds(timeout)
    agent = agent_of(context)
    before = agent.get("/v1/device").get("uptimeSeconds") or 0
    agent.post("/v1/reboot")
    say("The agent restarts; containers stay up.")
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        time.sleep(0.5)
        try:
            device = agent_of(context).get("/v1/device")
        except CommandError:
            continue
        if (device.get("uptimeSeconds") or 0) < before + time.monotonic() - began:
            say(f"It answers again after {time.monotonic() - began:.0f} s.")
            return
    raise CommandError(
        f"It did not answer again within {timeout}.",
        hint="It ends so that its supervisor starts it again (docker --restart, systemd). Is there one?",
        code=ExitCode.TIMED_OUT,
    )


def context_(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """Show which agent iotctl speaks with."""
    agent = agent_of(context)
    where = agent.endpoint
    try:
        about: Json | None = agent.get("/v1/version")
        problem = ""
    except CommandError as error:
        about, problem = None, error.message
    found = {
        "address": where.address,
        "key": "not needed" if where.socket else "given" if where.key else where.key_problem or "none",
        "agent": about,
        "problem": problem or None,
    }
    if output in {Output.JSON, Output.YAML}:
        show(found, output)
    else:
        say(f"Agent   {where.address} (key: {found['key']})")
        if where.looked:
            say(f"        since {where.looked}")
        say(f"Answer  {about['version']} on {about['engine']['kind']}" if about else f"Answer  {problem}")
    if about is None:
        raise typer.Exit(ExitCode.UNAVAILABLE)


def factory_reset(context: typer.Context, yes: YesOption = False) -> None:
    """Wipe the device.

    All Apps go with their volumes, and all Secrets and settings. Can't be undone."""
    from iotctl.asking import confirm

    agent = agent_of(context)
    apps = [str(app["metadata"]["name"]) for app in agent.get("/v1/apps")["items"]]
    confirm(
        f"All Apps ({', '.join(apps) or 'none'}) go with the data in their volumes, and all Secrets and "
        "settings. This can't be undone.",
        yes=yes,
    )
    agent.post("/v1/factory-reset")
    say("Everything is being removed.")


def _set(context: typer.Context, key: str, value: object) -> None:
    now = agent_of(context).post("/v1/config", {key: value})
    say(f"{key} = {_text(now[key])}")


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
