"""iotctl get: resources of any kind, as a table or as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iotctl.exits import BadInputError
from iotctl.frame import agent_of, command
from iotctl.output import Output, OutputOption, show_rows
from iotctl.params import addresses, names_of
from iotctl.tables import APPS, CONFIGMAPS, SECRETS, SERVICES, Column
from iotctl.terminal import say, warn

if TYPE_CHECKING:
    from iotctl.agent import Agent

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind that get knows."""

    word: str
    plural: str
    other: tuple[str, ...]
    """Further words for it."""
    columns: tuple[Column, ...]
    none: str
    """What to type when there is none."""


KINDS = (
    Kind(word="app", plural="apps", other=(), columns=APPS, none="iotctl apply -f FILE makes one"),
    Kind(
        word="service",
        plural="services",
        other=("svc", "appservice", "appservices"),
        columns=SERVICES,
        none="iotctl apply -f FILE makes an App with services",
    ),
    Kind(word="secret", plural="secrets", other=(), columns=SECRETS, none="iotctl apply -f FILE makes one"),
    Kind(
        word="configmap",
        plural="configmaps",
        other=("cm",),
        columns=CONFIGMAPS,
        none="iotctl apply -f FILE makes one",
    ),
)
KindArgument = Annotated[
    str,
    typer.Argument(
        metavar="KIND",
        help="apps, services, secrets, configmaps or all; also KIND/NAME.",
        autocompletion=lambda: [kind.plural for kind in KINDS],
    ),
]


def add_to(group: typer.Typer) -> None:
    """Add the command."""
    command(
        group,
        "get",
        heading="Files",
        examples=(
            "iotctl get apps",
            "iotctl get services -o wide",
            "iotctl get app shop -o yaml",
            "iotctl get service shop-web-1 -o json",
            "iotctl get all",
        ),
    )(get)


def get(
    context: typer.Context,
    kind: KindArgument,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help="These only.", autocompletion=complete_names),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show resources: Apps, services, Secrets, ConfigMaps.

    Their spec is what is wanted, their status what is so now.
    -o json and -o yaml give the resource itself; several come as one List.
    """
    kinds, wanted = _asked(kind, names or [])
    agent = agent_of(context)
    found = [(one, _items(agent, one, wanted)) for one in kinds]
    if output in {Output.JSON, Output.YAML}:
        _show_resources([item for _, items in found for item in items], output, alone=len(wanted) == 1)
        return
    shown = [(one, items) for one, items in found if items or len(kinds) == 1]
    for number, (one, items) in enumerate(shown):
        if number and output is not Output.NAME:
            say()
        _show_rows(agent, one, items, output)


def find_kind(word: str) -> Kind:
    """The kind of that word. Raises: BadInputError naming all kinds."""
    lower = word.lower()
    for kind in KINDS:
        if lower in {kind.word, kind.plural, *kind.other}:
            return kind
    from difflib import get_close_matches

    words = [kind.plural for kind in KINDS]
    close = get_close_matches(lower, words, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"There are {', '.join(words)} and all."
    raise BadInputError(f"There is no kind {word!r}.", hint=hint)


def complete_names(context: typer.Context, incomplete: str) -> list[str]:
    """Names of resources of the kind that is named before, for the Tab key."""
    try:
        kind = find_kind(str(context.params.get("kind") or ""))
    except BadInputError:
        return []
    names = addresses(context) if kind.word == "service" else names_of(context, kind.plural)
    return [name for name in names if name.startswith(incomplete)]


def _asked(kind: str, names: Sequence[str]) -> tuple[list[Kind], list[str]]:
    word, slash, name = kind.partition("/")
    if slash and names:
        raise BadInputError(f"{kind!r} names a resource already; leave {names[0]!r} out.")
    if word.lower() == "all":
        if slash or names:
            raise BadInputError("all shows everything; it takes no name.")
        return list(KINDS), []
    found = [find_kind(one) for one in word.split(",")]
    wanted = [name] if slash else list(names)
    if len(found) > 1 and wanted:
        raise BadInputError("Several kinds take no name.")
    return found, wanted


def _items(agent: Agent, kind: Kind, names: Sequence[str]) -> list[Json]:
    if not names:
        items: list[Json] = agent.get(f"/v1/{kind.plural}")["items"]
        return items
    return [_GETTERS.get(kind.word, _plain(kind))(agent, name) for name in names]


def _app(agent: Agent, name: str) -> Json:
    from iotctl.lookup import find_app

    return find_app(agent, name)


def _service(agent: Agent, name: str) -> Json:
    from iotctl.lookup import find_service

    return find_service(agent, name)


def _plain(kind: Kind) -> Callable[[Agent, str], Json]:
    return lambda agent, name: agent.get(f"/v1/{kind.plural}/{name}")


_GETTERS: dict[str, Callable[[Agent, str], Json]] = {"app": _app, "service": _service}


def _show_resources(items: list[Json], output: Output, *, alone: bool) -> None:
    from iotctl.output import show

    show(items[0] if alone else {"apiVersion": "v1", "kind": "List", "items": items}, output)


def _show_rows(agent: Agent, kind: Kind, items: Sequence[Json], output: Output) -> None:
    from iotctl.flat import flat_app, flat_document, flat_service

    if not items and output is not Output.NAME:
        warn(f"There are no {kind.plural} {agent.endpoint.place}; {kind.none}.")
        return
    match kind.word:
        case "app":
            rows = [flat_app(item) for item in items]
        case "service":
            apps = agent.get("/v1/apps")["items"] if output is Output.WIDE else ()
            rows = [flat_service(item, apps) for item in items]
        case _:
            rows = [flat_document(item) for item in items]
    show_rows(rows, kind.columns, output, kind=kind.word)
