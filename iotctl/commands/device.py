"""iotctl config, diagnostics, restart, context, factory-reset: the device itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iotctl.exits import CommandError, ExitCode, NotFoundError
from iotctl.frame import agent_of, command, new_group
from iotctl.output import Output, OutputOption, show
from iotctl.params import TimeoutOption, YesOption, complete_settings, timeout_seconds
from iotctl.spans import short
from iotctl.terminal import say

if TYPE_CHECKING:
    from iotctl.agent import Agent
    from iotctl.endpoint import Endpoint

Json = dict[str, Any]
HEADING = "This device"
KeyArgument = Annotated[
    str, typer.Argument(metavar="KEY", help="Name of the setting.", autocompletion=complete_settings)
]
config = new_group("config", "Show and change settings.")
ENDPOINT = "cloudApiEndpoint"
LOOK_SECONDS = 0.2
"""Between two looks at an agent that restarts: shorter than a start takes."""


def add_to(group: typer.Typer) -> None:
    """Add the commands that are in no group."""
    add: dict[str, tuple[Callable[..., None], tuple[str, ...]]] = {
        "diagnostics": (
            diagnostics,
            (
                "iotctl diagnostics",
                "iotctl diagnostics --internet registry.example.com:443",
                "iotctl diagnostics -o json",
            ),
        ),
        "restart": (restart, ("iotctl restart", "iotctl restart --timeout 2m")),
        "context": (context_, ("iotctl context", "iotctl --url http://10.0.0.7:48484 context")),
        "factory-reset": (factory_reset, ("iotctl factory-reset", "iotctl factory-reset --yes")),
    }
    for name, (function, examples) in add.items():
        command(group, name, heading=HEADING, examples=examples)(function)
    command(group, "diag", examples=("iotctl diag", "iotctl diag -o json"), hidden=True)(diagnostics)


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
    context: typer.Context,
    key: KeyArgument,
) -> None:
    """Print one setting."""
    values = agent_of(context).get("/v1/config")
    if key not in values:
        raise NotFoundError(f"There is no setting {key!r}.", hint=f"There are {', '.join(sorted(values))}.")
    say(_text(values[key]))


@command(config, "set", examples=("iotctl config set deviceName mast-17",))
def config_set(
    context: typer.Context,
    key: KeyArgument,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="JSON, or plain text.")],
) -> None:
    """Change one setting; it holds over restarts.

    Which there are shows iotctl config show.
    """
    agent = agent_of(context)
    # A name may look like a number: what is text stays text.
    is_text = isinstance(agent.get("/v1/config").get(key), str)
    _set(agent, key, value if is_text else _parsed(value))


@command(config, "set-api", examples=("iotctl config set-api https://cloud.example.com",))
def config_set_api(
    context: typer.Context, url: Annotated[str, typer.Argument(metavar="URL", help="http:// or https://.")]
) -> None:
    """Set the address of the cloud."""
    _set(agent_of(context), ENDPOINT, url)


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


def diagnostics(
    context: typer.Context,
    internet: Annotated[
        str, typer.Option("--internet", metavar="HOST:PORT", help="What to connect to, once; or none.")
    ] = "1.1.1.1:443",
    output: OutputOption = Output.TABLE,
) -> None:
    """Check agent, engine, disk, clock, network.

    One line a check, worst last, each with what to do. Ends with 1 when one FAILs.
    """
    from iotctl.diagnosis import boxed, run

    checks = run(agent_of(context), "" if internet.lower() == "none" else internet)
    match output:
        case Output.JSON | Output.YAML:
            show(checks, output)
        case Output.NAME:
            for check in checks:
                say(f"check/{check['name']}")
        case _:
            say(boxed(checks))
    if any(check["status"] == "FAIL" for check in checks):
        raise typer.Exit(ExitCode.FAILED)


def restart(context: typer.Context, timeout: TimeoutOption = "60s") -> None:
    """Restart the agent; containers stay up. Waits until it answers again."""
    import time

    seconds = timeout_seconds(timeout)
    agent = agent_of(context)
    before = _uptime(agent)
    agent.post("/v1/reboot")
    say("The agent restarts; containers stay up.")
    began = time.monotonic()
    gone = False
    while time.monotonic() - began < seconds:
        time.sleep(LOOK_SECONDS)
        try:
            # The old process answers for a moment; the new one may have another port, key or socket.
            uptime = _uptime(agent_of(context))
        except CommandError:
            gone = True
            continue
        if gone or uptime < before:
            say(f"It answers again after {short(time.monotonic() - began)}.")
            return
    if not gone:
        raise CommandError(
            f"It still runs, {short(seconds)} after it was asked.",
            hint="See why:  iotctl logs -n 50",
            code=ExitCode.TIMED_OUT,
        )
    raise CommandError(
        f"It did not answer again within {short(seconds)}.",
        hint="It ends so that its supervisor starts it again (docker run --restart, systemd). Is there one?\n"
        "By hand:  iotistic-edge agent",
        code=ExitCode.TIMED_OUT,
    )


def _uptime(agent: Agent) -> float:
    return float(agent.get("/v1/device").get("uptimeSeconds") or 0)


def context_(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """Show which agent or cluster iotctl speaks with, and why that one."""
    agent = agent_of(context)
    where = agent.endpoint
    try:
        about: Json | None = agent.get("/v1/version")
        problem = ""
    except CommandError as error:
        about, problem = None, error.message
    found = {
        "kind": where.what.lower(),
        "address": where.address,
        "key": _key(where),
        "agent": about,
        "problem": problem or None,
    }
    if output in {Output.JSON, Output.YAML}:
        show(found, output)
    else:
        say(f"{where.what:7} {where.address} (key: {found['key']})")
        if where.looked:
            say(f"        since {where.looked}")
        say(f"Answer  {_answer(about) if about else problem}")
    if about is None:
        raise typer.Exit(ExitCode.UNAVAILABLE)


def _answer(about: Json) -> str:
    engine = about["engine"]
    if engine["kind"] == "kubernetes":
        return f"kubernetes {engine['version']}, operator {about['version'] or 'not seen'}"
    return f"{about['version']} on {engine['kind']}"


def _key(where: Endpoint) -> str:
    if where.what == "Cluster":
        return where.key
    return "not needed" if where.socket else "given" if where.key else where.key_problem or "none"


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


def _set(agent: Agent, key: str, value: object) -> None:
    now = agent.post("/v1/config", {key: value})
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
