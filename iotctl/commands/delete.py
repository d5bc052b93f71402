"""iotctl delete: takes Apps, Secrets and ConfigMaps out of the target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iotctl.exits import BadInputError
from iotctl.frame import agent_of, command
from iotctl.params import TimeoutOption, WaitOption, names_of, timeout_seconds
from iotctl.terminal import say

if TYPE_CHECKING:
    from iotctl.agent import Agent

Json = dict[str, Any]
WORDS = {"app": "app", "apps": "app", "secret": "secret", "secrets": "secret"}
WORDS |= {"configmap": "configmap", "configmaps": "configmap", "cm": "configmap"}
ORDER = ("app", "secret", "configmap")
PurgeOption = Annotated[
    bool | None,
    typer.Option(
        "--purge/--keep-volumes", help="Its volumes go too, or stay; else as its deletionPolicy says."
    ),
]


def add_to(group: typer.Typer) -> None:
    """Add the command."""
    command(
        group,
        "delete",
        heading="Files",
        examples=(
            "iotctl delete app shop",
            "iotctl delete app shop --purge --wait",
            "iotctl delete -f shop.yaml",
            "iotctl delete secret db-password",
        ),
    )(delete)


def _complete_target(context: typer.Context, incomplete: str) -> list[str]:
    """A kind, then names of it."""
    words = context.params.get("target") or []
    names = names_of(context, f"{WORDS[words[0]]}s") if words and words[0] in WORDS else list(ORDER)
    return [name for name in names if name.startswith(incomplete)]


def delete(
    context: typer.Context,
    target: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KIND NAME...]", help="What goes; also app/NAME.", autocompletion=_complete_target
        ),
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option("--filename", "-f", metavar="FILE", help="Everything that this file names."),
    ] = None,
    purge: PurgeOption = None,
    ignore_missing: Annotated[
        bool, typer.Option("--ignore-not-found", help="What is gone already is no error.")
    ] = False,
    wait: WaitOption = False,
    timeout: TimeoutOption = "5m",
) -> None:
    """Delete Apps, Secrets or ConfigMaps.

    An App's containers and networks go, its volumes stay unless --purge or its deletionPolicy says
    otherwise. A Secret or ConfigMap that an App uses is kept, and that is an error.
    """
    seconds = timeout_seconds(timeout)
    named = _named(target or [])
    for kind, name in _in_files(files) if files else []:
        if (kind, name) not in named:
            named.append((kind, name))
    if not named:
        raise BadInputError("Nothing is named.", hint="iotctl delete app NAME, or iotctl delete -f FILE")
    agent = agent_of(context)
    going = [
        _delete(agent, kind, name, purge=purge, ignore_missing=ignore_missing)
        for kind, name in sorted(named, key=lambda one: ORDER.index(one[0]))
    ]
    apps = [name for name in going if name]
    if wait and apps:
        wait_until_deleted(agent, apps, seconds)


def delete_app(agent: Agent, name: str, purge: bool | None) -> str:
    """Ask for an App to go, and say so; returns its name."""
    from iotctl.lookup import segment

    answer = agent.delete(f"/v1/apps/{segment(name)}", purge=purge)
    volumes = "its volumes go too" if answer["purge"] else "its volumes stay"
    say(f"app/{answer['name']} is being deleted ({volumes})")
    return str(answer["name"])


def wait_until_deleted(agent: Agent, names: Sequence[str], seconds: float) -> None:
    """Stay until these Apps are gone. Raises: typer.Exit with what became of it."""
    from iotctl.waiting import wait
    from iotctl.watch import Goal, Watch

    code = wait(agent, Watch(goal=Goal.DELETED, apps=names), seconds)
    if code:
        raise typer.Exit(code)


def _delete(agent: Agent, kind: str, name: str, *, purge: bool | None, ignore_missing: bool) -> str:
    """The App's name; empty for other kinds, and for what is gone already."""
    from iotctl.exits import NotFoundError
    from iotctl.lookup import segment

    try:
        if kind == "app":
            return delete_app(agent, name, purge)
        agent.delete(f"/v1/{kind}s/{segment(name)}")
        say(f"{kind}/{name} deleted")
    except NotFoundError:
        if not ignore_missing:
            raise
        say(f"{kind}/{name} is not there")
    return ""


def _named(words: Sequence[str]) -> list[tuple[str, str]]:
    if not words:
        return []
    if all("/" in word for word in words):
        return [(_kind(word.partition("/")[0]), word.partition("/")[2]) for word in words]
    kind, *names = words
    if not names:
        raise BadInputError(f"Which {kind}?", hint=f"iotctl delete {kind} NAME")
    return [(_kind(kind), name) for name in names]


def _kind(word: str) -> str:
    found = WORDS.get(word.lower())
    if not found:
        hint = "There are app, secret and configmap. A service goes by leaving it out of its App's file."
        raise BadInputError(f"{word!r} is no kind that can be deleted.", hint=hint)
    return found


def _in_files(files: Sequence[str]) -> list[tuple[str, str]]:
    from iotctl.files import read_documents

    found = [document.data for document in read_documents(files)]
    return [(_kind(str(data["kind"])), str(data["metadata"]["name"])) for data in found]
