"""Options and arguments that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from iotctl.exits import BadInputError
from iotctl.spans import seconds_of


def complete_apps(incomplete: str) -> list[str]:
    """Names of Apps for the Tab key; none when the agent does not answer."""
    return [name for name in _names("/v1/apps") if name.startswith(incomplete)]


def complete_app_resources(incomplete: str) -> list[str]:
    """The same as `app/NAME`."""
    return [name for name in (f"app/{app}" for app in _names("/v1/apps")) if name.startswith(incomplete)]


def complete_services(incomplete: str) -> list[str]:
    """Addresses of services for the Tab key."""
    from iotctl.exits import CommandError
    from iotctl.flat import flat_service
    from iotctl.frame import Options

    try:
        services = Options().agent().get("/v1/services")["items"]
    except CommandError:
        return []
    found = [str(flat_service(service)["address"]) for service in services]
    return [address for address in found if address.startswith(incomplete)]


def _names(path: str) -> list[str]:
    from iotctl.exits import CommandError
    from iotctl.frame import Options

    try:
        return [str(item["metadata"]["name"]) for item in Options().agent().get(path)["items"]]
    except CommandError:
        return []


def timeout_seconds(text: str) -> float:
    """Seconds of a --timeout. Raises: BadInputError."""
    try:
        return seconds_of(text)
    except ValueError as error:
        raise BadInputError(f"--timeout: {error}.") from error


def resource_name(text: str, kind: str = "app") -> str:
    """`shop` of `shop` or `app/shop`. Raises: BadInputError for another kind."""
    prefix, slash, name = text.rpartition("/")
    if slash and prefix.lower().removesuffix("s") != kind:
        raise BadInputError(f"{text!r} is no {kind}: expected NAME or {kind}/NAME.")
    return name


FilesOption = Annotated[
    list[str],
    typer.Option(
        "--filename", "-f", metavar="FILE", help="File, folder, or - for standard input; may be repeated."
    ),
]
WaitOption = Annotated[
    bool, typer.Option("--wait", "-w", help="Stay until it is done, and show how it goes.")
]
TimeoutOption = Annotated[
    str, typer.Option("--timeout", metavar="TIME", help="How long to wait, like 60s, 5m or 1h30m.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Stay and show what comes.")]
TailOption = Annotated[
    int | None, typer.Option("--tail", "-n", min=0, help="Only the last lines; all when absent.")
]
AppArgument = Annotated[
    str, typer.Argument(metavar="APP", help="Name or number of an App.", autocompletion=complete_apps)
]
ServiceArgument = Annotated[
    str,
    typer.Argument(
        metavar="SERVICE", help="Like web, web-1 or shop-web-1.", autocompletion=complete_services
    ),
]
