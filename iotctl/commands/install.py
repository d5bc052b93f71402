"""iotctl install: the operator on a cluster, by helm."""

from __future__ import annotations

from typing import Annotated

import typer

from iotctl.exits import BadInputError, CommandError, ExitCode
from iotctl.frame import Options, command
from iotctl.settings import Settings, read_settings
from iotctl.terminal import say, warn

NAMESPACE = "iotistic"
NEXT = "Then:  kubectl apply -f app.yaml      or  iotctl --context cluster apply -f app.yaml --wait"
IMAGE = """\
Without --image the image of an earlier install stays; a first install needs one, and no public registry
has it:
  make image                                                    builds iotistic-edge:dev
  docker save iotistic-edge:dev | sudo k3s ctr images import -  on the node; or push it to your registry
  iotctl install --image iotistic-edge:dev                      names it"""


def add_to(group: typer.Typer) -> None:
    """Add the command."""
    command(
        group,
        "install",
        heading="About",
        examples=(
            "iotctl install --image iotistic-edge:dev",
            "iotctl install --image registry.local/iotistic-edge:0.1 --run",
            "iotctl install --set 'watchNamespaces={shop,till}' --run",
        ),
    )(install)


def install(
    context: typer.Context,
    chart: Annotated[
        str, typer.Option("--chart", metavar="PATH", help="Folder or archive of the chart.")
    ] = "charts/iotistic-edge",
    image: Annotated[
        str,
        typer.Option(
            "--image",
            metavar="NAME:TAG",
            help="Image of the operator, or NAME@sha256:...; else the installed one's. None is published: "
            "make image builds it.",
        ),
    ] = "",
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A value of the chart.")
    ] = None,
    run: Annotated[bool, typer.Option("--run", help="Run it; else it is only printed.")] = False,
) -> None:
    """Print the helm command that installs or upgrades the operator, or run it.

    Values of an earlier install are kept. Apps go on running while it does, and when it fails.
    """
    import shlex

    options = context.obj if isinstance(context.obj, Options) else Options()
    try:
        settings = read_settings()
    except ValueError as error:
        raise BadInputError(str(error)) from error
    words = [*_upgrade(options, chart), *_cluster(options, settings, must_be_there=run)]
    words += _image(image)
    for value in values or []:
        words += ["--set", value]
    if not image and not any(value.startswith("image.") for value in values or []):
        warn(IMAGE)
    if run:
        _run(words)
    else:
        say(shlex.join(words))
    say(NEXT)


def _upgrade(options: Options, chart: str) -> list[str]:
    words = ["helm", "upgrade", "--install", "iotistic", chart]
    words += ["--namespace", options.namespace or NAMESPACE, "--create-namespace"]
    # With a single --set helm forgets the values of the install that is there, unless it is told.
    return [*words, "--reset-then-reuse-values", "--wait", "--timeout", "5m"]


def _cluster(options: Options, settings: Settings, *, must_be_there: bool) -> list[str]:
    """The cluster that all commands mean, where helm would not find it by itself."""
    from iotctl.cluster.kubeconfig import K3S_FILE, connect, kubeconfig_files
    from iotctl.contexts import CLUSTER, DEVICE

    wanted = options.context or settings.context
    name = "" if wanted in (CLUSTER, DEVICE) else wanted
    named = ["--kube-context", name] if name else []
    if not must_be_there and not kubeconfig_files(settings.kubernetes):
        return named
    try:
        where = connect(settings.kubernetes, context=name)
    except CommandError:
        if must_be_there or named:
            raise
        return []
    if not settings.kubernetes.get("KUBECONFIG") and where.source == str(K3S_FILE):
        return ["--kubeconfig", where.source, "--kube-context", where.context]
    return named


def _image(image: str) -> list[str]:
    """Values for it. All three, for one that is kept from an earlier install would go with the new ones."""
    if not image:
        return []
    name, _, digest = image.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, ""
    return [
        *("--set", f"image.repository={repository}"),
        *("--set-string", f"image.tag={tag}"),
        *("--set", f"image.digest={digest}"),
    ]


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
