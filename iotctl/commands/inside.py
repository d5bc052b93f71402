"""iotctl top, exec and images: a look inside containers, and what their images take."""

from __future__ import annotations

import re
import sys
from typing import Annotated, Any

import typer

from iotctl.exits import BadInputError, CommandError, ExitCode
from iotctl.frame import agent_of, command, new_group
from iotctl.output import Output, OutputOption, show_rows
from iotctl.params import OfAppOption, ServiceArgument, YesOption, complete_apps, timeout_seconds
from iotctl.terminal import say, warn

Json = dict[str, Any]
HEADING = "What runs"
MOST_EXEC_SECONDS = 300.0
"""Longest that the agent lets a command run."""
SLACK_SECONDS = 10.0
"""That the agent may take to say that the command has taken too long."""
_NOT_BEGUN = re.compile(
    r'OCI runtime exec failed: .*exec: "([^"]*)": '
    r"(executable file not found|(?:stat \S+: )?no such file or directory|permission denied)"
)
"""Of runc, in the words of both Docker and containerd."""
images = new_group("images", "List, remove, load images.")


def add_to(group: typer.Typer) -> None:
    """Add top and exec."""
    command(group, "top", heading=HEADING, examples=("iotctl top", "iotctl top shop"))(top)
    command(
        group,
        "exec",
        heading=HEADING,
        examples=("iotctl exec web-1 -- ls -l /data", "iotctl exec shop-db-1 --timeout 2m -- backup"),
    )(exec_)


def top(
    context: typer.Context,
    app: Annotated[
        str | None, typer.Argument(metavar="[APP]", help="Of this App only.", autocompletion=complete_apps)
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what running containers use.

    The hungriest come first."""
    from iotctl.tables import USAGE

    rows = agent_of(context).get("/v1/usage", app=app)["items"]
    rows = [{"name": f"{row['app']}-{row['service']}", **row} for row in rows]
    rows.sort(key=lambda row: (-row["cpuPercent"], -row["memoryBytes"]))
    if not rows and output in {Output.TABLE, Output.WIDE}:
        warn("Nothing runs.")
        return
    show_rows(rows, USAGE, output, kind="service")


def exec_(
    context: typer.Context,
    service: ServiceArgument,
    words: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run; no shell.")],
    app: OfAppOption = None,
    timeout: Annotated[str, typer.Option("--timeout", metavar="TIME", help="How long it may take.")] = "30s",
) -> None:
    """Run a command inside a service.

    No shell, no terminal and no input; ends with the command's exit code.
    """
    from iotctl.lookup import find_service, service_path

    seconds = timeout_seconds(timeout)
    if not 0 < seconds <= MOST_EXEC_SECONDS:
        raise BadInputError(f"--timeout is {timeout!r}: expected more than 0 and at most 5m.")
    agent = agent_of(context)
    path = f"{service_path(find_service(agent, service, app))}/exec"
    body = {"command": words, "timeoutSeconds": seconds}
    try:
        answer = agent.post_patiently(path, body, seconds + SLACK_SECONDS)
    except CommandError as error:
        if error.code is ExitCode.TIMED_OUT:
            error.hint = "Whether it goes on inside is not known. Give it longer:  --timeout 5m"
        raise
    if (ended := not_run(answer["output"], f"{answer['app']}/{answer['service']}")) and answer["exitCode"]:
        code, sentence = ended
        warn(sentence)
        raise typer.Exit(code)
    sys.stdout.write(answer["output"])
    sys.stdout.flush()
    if answer["exitCode"]:
        raise typer.Exit(answer["exitCode"])


def not_run(output: str, where: str) -> tuple[int, str] | None:
    """Of a program that could not be begun the exit code, as shells have it, and why; None of one that was.

    Args:
        output: of the engine in the place of the program's.
        where: the service, as `shop/web`.
    """
    found = _NOT_BEGUN.search(output)
    if found is None:
        return None
    program, why = found.groups()
    if "permission denied" in why:
        return 126, f"{program} in {where} is no program that may be run: permission denied."
    return 127, f"There is no program {program} in {where}; its image may have no shell either."


@command(images, "list", examples=("iotctl images list", "iotctl images list -o json"))
def list_images(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List images that Apps use, and those that nothing needs any more."""
    from iotctl.tables import IMAGES

    agent = agent_of(context)
    rows = agent.get("/v1/images")["items"]
    rows = [{"name": row["ref"], **row} for row in rows]
    if not rows and output in {Output.TABLE, Output.WIDE}:
        warn(f"There are no images of Apps {agent.endpoint.place}.")
        return
    show_rows(rows, IMAGES, output, kind="image")


@command(images, "prune", examples=("iotctl images prune", "iotctl images prune --yes"))
def prune(context: typer.Context, yes: YesOption = False) -> None:
    """Remove images that nothing needs. Current and last good releases keep theirs."""
    from iotctl.asking import confirm

    confirm("Images that nothing needs are removed; the agent would do so by itself before long.", yes=yes)
    removed = agent_of(context).delete("/v1/images")["removed"]
    for name in removed:
        say(f"image/{name} removed")
    if not removed:
        say("Nothing to remove.")


@command(
    images,
    "load",
    examples=("iotctl images load shop-images.tar", "docker save web:2 | iotctl images load -"),
)
def load(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="What docker save wrote; - for standard input.")
    ],
) -> None:
    """Load images from an archive: for devices that reach no registry."""
    if file == "-" and sys.stdin.isatty():
        raise BadInputError(
            "Nothing comes on standard input.", hint="docker save IMAGE | iotctl images load -"
        )
    for name in agent_of(context).upload("/v1/images/load", file)["loaded"]:
        say(f"image/{name} loaded")
