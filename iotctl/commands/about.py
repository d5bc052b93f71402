"""iotctl status, schema, version and help: about the agent, the kinds and iotctl itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iotctl.exits import MEANINGS, BadInputError, CommandError, ExitCode
from iotctl.frame import agent_of, command
from iotctl.output import Output, OutputOption, show
from iotctl.terminal import is_terminal, paint, say, style_of

if TYPE_CHECKING:
    from iotctl.endpoint import Endpoint

Json = dict[str, Any]
KINDS = ("app", "appservice", "secret", "configmap")
SHELLS = ("bash", "zsh", "fish")
RUNNING = {"Agent": "running", "Cluster": "healthy"}
NOT_SEEN = "not seen (it may run outside of the cluster, or you may not look)"
TOPICS = ("exit-codes", "connection")
CONNECTION = """\
iotctl speaks with the agent of a device or with a cluster; the first that is given wins:

  --url URL           an agent: http://HOST:48484, https://HOST or unix:///PATH
  --context NAME      device, cluster, or the name of a context of the kubeconfig
  IOTCTL_CONTEXT      the same
  IOTCTL_URL          an agent
  DEVICE_API_URL      the same; the name that earlier devices use
  CONFIG_DIR          the agent's data directory (/app/data), when its socket agent.sock is there
  KUBECONFIG          a cluster; else ~/.kube/config, then k3s' own file, then that of a pod
  DEVICE_API_PORT     else an agent on 127.0.0.1, port 48484, with the key in its file api-key

On a cluster --namespace NAME or IOTCTL_NAMESPACE says where; else the context's, else default.
iotctl context shows which one it is, and why.

The key of an agent elsewhere: --api-key KEY or IOTCTL_API_KEY. The Unix socket needs none.
Both options may stand anywhere on the command line. NO_COLOR or --no-color: no colours."""


def add_to(group: typer.Typer) -> None:
    """Add the commands."""
    heading = "About"
    command(group, "status", heading=heading, examples=("iotctl status", "iotctl status --format log"))(
        status
    )
    command(group, "schema", heading=heading, examples=("iotctl schema app > app.schema.json",))(schema)
    command(group, "version", heading=heading, examples=("iotctl version", "iotctl version -o json"))(version)
    command(
        group,
        "completion",
        heading=heading,
        examples=('eval "$(iotctl completion bash)"', "iotctl completion fish | source"),
    )(completion)
    command(
        group,
        "help",
        heading=heading,
        examples=("iotctl help", "iotctl help apps start", "iotctl help exit-codes"),
    )(help_)


def status(
    context: typer.Context,
    format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="text|log",
            help="log when standard output is no terminal.",
            autocompletion=lambda: ["text", "log"],
        ),
    ] = "",
) -> None:
    """Say in a few lines how the device is. Ends with 1 when the agent is not well."""
    if format not in {"", "text", "log"}:
        raise BadInputError(f"--format is {format!r}: expected text or log.")
    agent = agent_of(context)
    about = agent.get("/v1/version")
    healthy, reasons = agent.text("/v1/healthy")
    why = " ".join(reasons.splitlines()[1:])
    apps = agent.get("/v1/apps")["items"]
    if format == "log" or (not format and not is_terminal()):
        tell_as_log(about, "" if healthy else why or "not well", apps, agent.endpoint)
    else:
        device = agent.get("/v1/device")
        tell(about, device, "" if healthy else why or "not well", apps, agent.endpoint)
    if not healthy:
        raise typer.Exit(ExitCode.FAILED)


def tell_as_log(about: Json, why: str, apps: list[Json], where: Endpoint) -> None:
    """How it is, for programs: two lines; `why` is empty when all is well."""
    import json

    counts: Json = {"configured": len(apps), "runningServices": _running(apps)}
    if not_well := _not_well(apps):
        counts["notReady"] = [
            {"name": name, "state": status.get("state", ""), "why": status.get("why", "")}
            for name, status in not_well.items()
        ]
    word = f"[ERROR] {where.what} unhealthy" if why else f"[INFO] {where.what} {RUNNING[where.what]}"
    names = {"uuid": about["installId"]} if where.what == "Agent" else {"context": about["installId"]}
    facts = names | ({"why": why} if why else {})
    say(f"{word} {json.dumps(facts, separators=(',', ':'))}")
    say(f"[INFO] Applications {json.dumps(counts, separators=(',', ':'), ensure_ascii=False)}")


def tell(about: Json, device: Json, why: str, apps: list[Json], where: Endpoint) -> None:
    """How it is, for people; `why` is empty when all is well."""
    from iotctl.spans import short

    states = {app["metadata"]["name"]: app.get("status") or {} for app in apps}
    ready = sum(status.get("state") == "Ready" for status in states.values())
    services = sum(len(status.get("services") or []) for status in states.values())
    well = paint(why, "bad") if why else paint("OK", "good")
    if where.what == "Cluster":
        rows = [
            ("Cluster", f"{where.address}, Kubernetes {about['engine']['version']}"),
            ("Operator", f"{about['version'] or NOT_SEEN}: {well}"),
        ]
    else:
        up = device.get("uptimeSeconds")
        name = device.get("deviceName") or about["installId"]
        rows = [
            ("Device", name + (f", its agent up for {short(up)}" if up is not None else "")),
            ("Agent", f"{about['version']} on {where.address}: {well}"),
            ("Engine", _engine(about["engine"])),
        ]
    rows.append(("Apps", f"{ready} of {len(apps)} ready, {_running(apps)} of {services} services running"))
    for app, status in _not_well(apps).items():
        state = str(status.get("state", ""))
        rows.append(("", f"{app}: {paint(state, style_of(state))}  {status.get('why') or ''}".rstrip()))
    _say_rows(rows)


def _say_rows(rows: Sequence[tuple[str, str]]) -> None:
    width = max(len(title) for title, _ in rows)
    for title, text in rows:
        say(f"{title:{width}}  {text}")


def _not_well(apps: list[Json]) -> dict[str, Json]:
    """Status of the Apps that are neither ready nor stopped, as far as somebody asked for that."""
    found = {app["metadata"]["name"]: app.get("status") or {} for app in apps}
    return {name: one for name, one in found.items() if one.get("state") not in {"Ready", "Stopped"}}


def _running(apps: list[Json]) -> int:
    services = [one for app in apps for one in (app.get("status") or {}).get("services") or []]
    return sum(one.get("state") == "Running" for one in services)


def schema(
    kind: Annotated[
        str, typer.Argument(metavar="[KIND]", help=", ".join(KINDS), autocompletion=lambda: list(KINDS))
    ] = "app",
    output: OutputOption = Output.JSON,
) -> None:
    """Print the JSON Schema of a kind.

    For editors and checks; needs no agent."""
    from iotctl.schemas import schema_of

    if kind.lower() not in KINDS:
        raise BadInputError(f"There is no schema of {kind!r}.", hint=f"There are {', '.join(KINDS)}.")
    show(schema_of(kind.lower()), output if output is Output.YAML else Output.JSON)


def version(
    context: typer.Context,
    output: OutputOption = Output.TABLE,
    client: Annotated[bool, typer.Option("--client", help="Don't ask the agent.")] = False,
) -> None:
    """Show the versions of iotctl, agent and engine."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as version_of

    try:
        own = version_of("iotistic-edge")
    except PackageNotFoundError:
        own = "unknown"
    about: Json | None = None
    what, problem = "Agent", ""
    if not client:
        try:
            agent = agent_of(context)
            what = agent.endpoint.what
            about = agent.get("/v1/version")
        except CommandError as error:
            problem = error.message
    if output in {Output.JSON, Output.YAML}:
        show({"client": own, "agent": about, "problem": problem or None}, output)
        return
    rows = [("iotctl", own)]
    if about and what == "Cluster":
        rows.append(("Operator", f"{about['version'] or NOT_SEEN} ({about['apiVersion']})"))
        rows.append(("Cluster", f"{_engine(about['engine'])}, context {about['installId']}"))
    elif about:
        rows.append(("Agent", f"{about['version']} ({about['apiVersion']}, install {about['installId']})"))
        rows.append(("Engine", _engine(about["engine"])))
    elif problem:
        rows.append((what, problem))
    _say_rows(rows)


def completion(
    shell: Annotated[
        str,
        typer.Argument(
            metavar="bash|zsh|fish", help="The shell that is used.", autocompletion=lambda: list(SHELLS)
        ),
    ],
) -> None:
    """Print the script that makes names complete with Tab.

    Put the line below that is for your shell in its start-up file.
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    if shell not in SHELLS:
        raise BadInputError(f"There is no completion for {shell!r}.", hint=f"There is {', '.join(SHELLS)}.")
    say(get_completion_script(prog_name="iotctl", complete_var="_IOTCTL_COMPLETE", shell=shell))


def _complete_topics(context: typer.Context, incomplete: str) -> list[str]:
    names = [*getattr(context.find_root().command, "commands", {}), *TOPICS]
    return [name for name in names if name.startswith(incomplete)]


def help_(
    context: typer.Context,
    topic: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMMAND...]",
            help=f"A command, or {' or '.join(TOPICS)}.",
            autocompletion=_complete_topics,
        ),
    ] = None,
) -> None:
    """Show help on a command or topic.

    Topics are exit-codes and connection."""
    words = topic or []
    if words == ["exit-codes"]:
        say("\n".join(f"{code.value:>3}  {meaning}" for code, meaning in MEANINGS.items()))
        return
    if words == ["connection"]:
        say(CONNECTION)
        return
    root = context.find_root()
    say(_help_of(root, words))


def _help_of(root: Any, words: list[str]) -> str:
    found: Any = root.command
    context = root
    for number, word in enumerate(words):
        inner = getattr(found, "commands", {}).get(word)
        if inner is None:
            before = " ".join(["iotctl", *words[:number]])
            known = ", ".join(getattr(found, "commands", {})) or "no commands"
            raise BadInputError(
                f"There is no command {before} {word}.",
                hint=f"{before} has {known}. Topics: {', '.join(TOPICS)}.",
            )
        found = inner
        context = type(root)(found, info_name=word, parent=context)
    text: str = found.get_help(context)
    return text


def _engine(engine: Json) -> str:
    if engine.get("error"):
        return f"does not answer: {engine['error']}"
    return " ".join(part for part in (engine["kind"], engine["version"], f"({engine['address']})") if part)
