"""iotctl apply: takes documents, all or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from iotctl.frame import agent_of, command
from iotctl.output import Output, OutputOption, show
from iotctl.params import FilesOption, TimeoutOption, WaitOption, timeout_seconds
from iotctl.terminal import say, warn

if TYPE_CHECKING:
    from iotctl.agent import Agent

Json = dict[str, Any]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check everything, change nothing.")]


def add_to(group: typer.Typer) -> None:
    """Add the command."""
    command(
        group,
        "apply",
        heading="Files",
        examples=(
            "iotctl apply -f shop.yaml",
            "iotctl apply -f shop.yaml --wait --timeout 60s",
            "iotctl apply -f secrets.yaml -f apps/",
            "cat shop.yaml | iotctl apply -f -",
            "iotctl apply -f shop.yaml --dry-run",
        ),
    )(apply)


def apply(
    context: typer.Context,
    files: FilesOption,
    wait: WaitOption = False,
    timeout: TimeoutOption = "5m",
    dry_run: DryRunOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make Apps, Secrets and ConfigMaps what these files say.

    All documents or none: every problem is shown with its file and line before anything is changed.
    With --wait it ends when all these Apps are ready: exit code 0, or 5 when the time is over first.
    """
    from iotctl.files import read_documents
    from iotctl.sending import send

    seconds = timeout_seconds(timeout)
    agent = agent_of(context)
    documents = read_documents(files, agent)
    answer = send(agent, "/v1/apply", documents, dryRun=True if dry_run else None)
    _tell(answer, output, dry_run=dry_run)
    if wait and not dry_run:
        _wait(agent, answer, seconds, quiet=output not in {Output.TABLE, Output.WIDE})


def _tell(answer: Json, output: Output, *, dry_run: bool) -> None:
    for warning in answer["warnings"]:
        warn(f"Warning: {warning}")
    match output:
        case Output.JSON | Output.YAML:
            show(answer, output)
        case Output.NAME:
            for one in answer["applied"]:
                say(f"{one['kind'].lower()}/{one['name']}")
        case _:
            for one in answer["applied"]:
                say(_line(one, dry_run=dry_run))


def _line(one: Json, *, dry_run: bool) -> str:
    release = f" (release {one['release']})" if one.get("release") else ""
    trial = " (dry run)" if dry_run else ""
    return f"{one['kind'].lower()}/{one['name']} {one['result']}{release}{trial}"


def _wait(agent: Agent, answer: Json, seconds: float, *, quiet: bool) -> None:
    from iotctl.waiting import wait
    from iotctl.watch import Goal, Watch

    generations = {one["name"]: one["generation"] for one in answer["applied"] if one["kind"] == "App"}
    if not generations:
        return
    watch = Watch(goal=Goal.READY, apps=list(generations), generations=generations, host=agent.endpoint.host)
    code = wait(agent, watch, seconds, quiet=quiet)
    if code:
        raise typer.Exit(code)
