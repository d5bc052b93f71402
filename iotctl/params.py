"""Options and arguments that several commands have."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from iotctl.exits import BadInputError
from iotctl.spans import seconds_of

COMPLETE_SECONDS = 2.0
"""Longest that the Tab key waits for the agent."""


def complete_apps(context: typer.Context, incomplete: str) -> list[str]:
    """Names of Apps for the Tab key; none when the agent does not answer."""
    return [name for name in names_of(context, "apps") if name.startswith(incomplete)]


def complete_app_resources(context: typer.Context, incomplete: str) -> list[str]:
    """The same as `app/NAME`."""
    return [
        name for name in (f"app/{app}" for app in names_of(context, "apps")) if name.startswith(incomplete)
    ]


def complete_services(context: typer.Context, incomplete: str) -> list[str]:
    """Addresses of services for the Tab key."""
    return [address for address in addresses(context) if address.startswith(incomplete)]


def complete_services_of_app(context: typer.Context, incomplete: str) -> list[str]:
    """Names of services of the App that is named before."""
    app = str(context.params.get("app") or context.params.get("name") or "")
    services = [
        one["spec"]["service"] for one in _items(context, "services") if app in ("", one["spec"]["app"])
    ]
    return [name for name in services if name.startswith(incomplete)]


def addresses(context: typer.Context) -> list[str]:
    """Addresses of all services; none when the agent does not answer soon."""
    from iotctl.flat import flat_service

    return [str(flat_service(service)["address"]) for service in _items(context, "services")]


def names_of(context: typer.Context, plural: str) -> list[str]:
    """Names of all resources of that kind; none when the agent does not answer soon."""
    return [str(item["metadata"]["name"]) for item in _items(context, plural)]


def complete_settings(context: typer.Context, incomplete: str) -> list[str]:
    """Names of settings for the Tab key."""
    return [name for name in _answer(context, "config") if name.startswith(incomplete)]


def _items(context: typer.Context, plural: str) -> list[Any]:
    items: list[Any] = _answer(context, plural).get("items", [])
    return items


def _answer(context: typer.Context, path: str) -> dict[str, Any]:
    from iotctl.exits import CommandError
    from iotctl.frame import agent_of

    try:
        return agent_of(context).get_soon(f"/v1/{path}", COMPLETE_SECONDS)
    except CommandError:
        return {}


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
OfAppOption = Annotated[
    str | None,
    typer.Option(
        "--app", "-a", metavar="APP", help="App that the service belongs to.", autocompletion=complete_apps
    ),
]
OfServiceOption = Annotated[
    str | None,
    typer.Option(
        "--service",
        "-s",
        metavar="SERVICE",
        help="Only this service of the App.",
        autocompletion=complete_services_of_app,
    ),
]
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
