"""iotctl install: the operator on a cluster, by helm."""

from __future__ import annotations

from typing import Annotated

import typer

from iotctl.exits import CommandError, ExitCode
from iotctl.frame import Options, command
from iotctl.terminal import say

NAMESPACE = "iotistic"
NEXT = "Then:  kubectl apply -f app.yaml      or  iotctl --context cluster apply -f app.yaml --wait"


def add_to(group: typer.Typer) -> None:
    """Add the command."""
    command(
        group,
        "install",
        heading="About",
        examples=(
            "iotctl install",
            "iotctl install --run",
            "iotctl install --image registry.local/iotistic-edge:0.1 --set layout=single --run",
        ),
    )(install)


def install(
    context: typer.Context,
    chart: Annotated[
        str, typer.Option("--chart", metavar="PATH", help="Folder or archive of the chart.")
    ] = "charts/iotistic-edge",
    image: Annotated[
        str, typer.Option("--image", metavar="NAME:TAG", help="Image of the operator; else the chart's.")
    ] = "",
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A value of the chart.")
    ] = None,
    run: Annotated[bool, typer.Option("--run", help="Run it; else it is only printed.")] = False,
) -> None:
    """Print the helm command that installs or upgrades the operator, or run it.

    Apps go on running while it does, and when it fails.
    """
    import shlex

    options = context.obj if isinstance(context.obj, Options) else Options()
    words = _words(options, chart, image, values or [])
    if not run:
        say(shlex.join(words))
        say(NEXT)
        return
    _run(words)
    say(NEXT)


def _words(options: Options, chart: str, image: str, values: list[str]) -> list[str]:
    words = ["helm", "upgrade", "--install", "iotistic", chart]
    words += [
        "--namespace",
        options.namespace or NAMESPACE,
        "--create-namespace",
        "--wait",
        "--timeout",
        "5m",
    ]
    if options.context not in ("", "cluster", "device"):
        words += ["--kube-context", options.context]
    if image:
        name, colon, tag = image.rpartition(":")
        has_tag = bool(colon) and "/" not in tag
        words += ["--set", f"image.repository={name if has_tag else image}"]
        words += ["--set-string", f"image.tag={tag}"] if has_tag else []
    for value in values:
        words += ["--set", value]
    return words


def _run(words: list[str]) -> None:
    import subprocess

    try:
        code = subprocess.run(words, check=False).returncode
    except FileNotFoundError as error:
        raise CommandError(
            "helm is not on this machine.",
            hint="Install it, or run the command that iotctl install prints where it is.",
            code=ExitCode.UNAVAILABLE,
        ) from error
    if code:
        raise CommandError(f"helm ended with {code}.", hint="What it said is above; Apps go on running.")
