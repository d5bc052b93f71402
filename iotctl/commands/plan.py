"""iotctl plan and diff: what applying would do, before it is done."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from iotctl.exits import BadInputError
from iotctl.frame import agent_of, command
from iotctl.output import Output, OutputOption, show
from iotctl.params import FilesOption
from iotctl.terminal import say, warn

Json = dict[str, Any]
ObservedOption = Annotated[
    str,
    typer.Option(
        "--observed", metavar="FILE", help="Plan for this world (observed, options); no agent is asked."
    ),
]
ExitCodeOption = Annotated[bool, typer.Option("--exit-code", help="End with 1 when there is a difference.")]
MaybeFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--filename", "-f", metavar="FILE", help="File, folder, or -; none: what is wanted already."
    ),
]


def add_to(group: typer.Typer) -> None:
    """Add the commands."""
    command(
        group,
        "plan",
        heading="Files",
        examples=(
            "iotctl plan -f shop.yaml",
            "iotctl plan",
            "iotctl plan -f shop.yaml -o json",
            "iotctl plan --observed world.yaml -f shop.yaml",
        ),
    )(plan)
    command(
        group,
        "diff",
        heading="Files",
        examples=("iotctl diff -f shop.yaml", "iotctl diff -f apps/ --exit-code"),
    )(diff)


def plan(
    context: typer.Context,
    files: MaybeFiles = None,
    observed: ObservedOption = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Show the steps that applying would take, and why.

    Nothing is changed. With --observed no agent is asked either: the plan is made here, for the world
    in that file.
    """
    from iotctl.files import read_documents

    if observed and not files:
        raise BadInputError("--observed FILE is a world; -f FILE must say what is wanted in it.")
    if observed:
        from iotctl.offline import plan_offline

        answer = plan_offline(read_documents(files or []), observed)
    else:
        from iotctl.sending import send

        agent = agent_of(context)
        answer = send(agent, "/v1/plan", read_documents(files, agent) if files else [])
    _tell(answer, output)


def diff(
    context: typer.Context,
    files: FilesOption,
    exit_code: ExitCodeOption = False,
) -> None:
    """Show how these files differ from what is wanted now.

    Values of Secrets are never shown. What the difference would make the agent do, says iotctl plan.
    """
    from iotctl.comparing import differences
    from iotctl.files import read_documents

    agent = agent_of(context)
    texts = differences(agent, read_documents(files, agent))
    for text in texts:
        say(text)
    if not texts:
        warn("No difference.")
    if texts and exit_code:
        raise typer.Exit(1)


def _tell(answer: Json, output: Output) -> None:
    for warning in answer["warnings"]:
        warn(f"Warning: {warning}")
    match output:
        case Output.JSON | Output.YAML:
            show(answer, output)
        case Output.NAME:
            for step in (step for steps in answer["rounds"] for step in steps):
                if step["action"] != "wait":
                    say(f"{step['action']} {step['subject']}")
        case _:
            say(answer["text"].rstrip("\n"))
