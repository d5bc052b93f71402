"""iotctl explain, history, rollback, retry, lock, unlock, recover: why an App is as it is, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iotctl.exits import BadInputError
from iotctl.frame import agent_of, command
from iotctl.output import Output, OutputOption, show, show_rows
from iotctl.params import (
    AppArgument,
    OfServiceOption,
    TimeoutOption,
    WaitOption,
    complete_apps,
    timeout_seconds,
)
from iotctl.terminal import say

if TYPE_CHECKING:
    from iotctl.agent import Agent

Json = dict[str, Any]
HEADING = "Why, and what now"
SERVICE_WORDS = ("service", "services", "svc")
NamedApp = Annotated[
    list[str],
    typer.Argument(metavar="[app] APP", help="Name or number of an App.", autocompletion=complete_apps),
]
NamedRelease = Annotated[
    list[str],
    typer.Argument(
        metavar="[app] APP [RELEASE]",
        help="Name or number of an App, and the release; without one the last good one.",
        autocompletion=complete_apps,
    ),
]


def add_to(group: typer.Typer) -> None:
    """Add the commands."""
    add: dict[str, tuple[Callable[..., None], tuple[str, ...]]] = {
        "explain": (explain, ("iotctl explain app shop", "iotctl explain shop -o json")),
        "history": (history, ("iotctl history app shop", "iotctl history shop -o json")),
        "rollback": (rollback, ("iotctl rollback shop", "iotctl rollback shop 3 --wait")),
        "retry": (retry, ("iotctl retry shop", "iotctl retry shop --service web")),
        "lock": (
            lock,
            (
                'iotctl lock shop --reason "stocktaking" --until 2h',
                'iotctl lock shop -s db --reason "backup runs" --until 2030-01-31T18:00:00Z',
            ),
        ),
        "unlock": (unlock, ("iotctl unlock shop", "iotctl unlock shop --service db")),
        "recover": (recover, ("iotctl recover shop",)),
    }
    for name, (function, examples) in add.items():
        command(group, name, heading=HEADING, examples=examples)(function)


def explain(context: typer.Context, app: NamedApp, output: OutputOption = Output.TABLE) -> None:
    """Say why an App is not as it should be.

    One sentence, since when, and what to type. Of `service NAME` the App that it belongs to.

    Ends with 0 also when something is wrong: iotctl wait is for programs.
    """
    from iotctl.spans import age, clock_time

    agent = agent_of(context)
    name = _app_of_service(agent, app) or _one(app, "explain")
    found = agent.get(f"{_path(name)}/explain")
    if output in {Output.JSON, Output.YAML}:
        show(found, output)
        return
    if output is Output.NAME:
        say(f"app/{found['app']}")
        return
    since = f"since {clock_time(found['since'])}, {age(found['since'])} ago"
    said, has_since, rest = found["sentence"].partition(f"since {found['since']}" if found["since"] else "\0")
    say(f"{said}{since}{rest}" if has_since else said)
    if found["since"] and not has_since:
        say(f"S{since[1:]}.")
    if found["commands"]:
        say("What now:")
        for line in found["commands"]:
            say(f"  {line}")


def history(context: typer.Context, app: NamedApp, output: OutputOption = Output.TABLE) -> None:
    """List an App's releases, newest first.

    AGE on a cluster: since when that release was wanted last.
    """
    from iotctl.tables import HISTORY

    rows = agent_of(context).get(f"{_path(_one(app, 'history'))}/history")["items"]
    rows = [{"name": row["release"], **row} for row in rows]
    show_rows(rows, HISTORY, output, kind="release")


def rollback(
    context: typer.Context,
    app: NamedRelease,
    to: Annotated[str | None, typer.Option("--to", metavar="RELEASE", help="The same as RELEASE.")] = None,
    wait: WaitOption = False,
    timeout: TimeoutOption = "5m",
) -> None:
    """Go back to an earlier release of an App.

    As if its file were applied again.

    Which releases there are shows iotctl history. A release that fails is undone like any other.
    """
    seconds = timeout_seconds(timeout)
    names = _without_kind(app)
    if to is None and len(names) > 1:
        *names, to = names
    agent = agent_of(context)
    path = _path(_one(names, "rollback"))
    answer = agent.post(f"{path}/rollback", {"release": to} if to else {})
    which = f"release {to}" if to else "the last good release"
    number = f"as release {answer['release']}" if answer["release"] else "as a new release"
    say(f"app/{answer['name']} goes back to {which} ({number})")
    if wait:
        from iotctl.waiting import wait as wait_for
        from iotctl.watch import Goal, Watch

        name, generation = answer["name"], answer["generation"]
        watch = Watch(goal=Goal.READY, apps=[name], generations={name: generation}, host=agent.endpoint.host)
        code = wait_for(agent, watch, seconds)
        if code:
            raise typer.Exit(code)


def retry(context: typer.Context, app: AppArgument, service: OfServiceOption = None) -> None:
    """Try again now what failed.

    Services that wait for their next try, and a release that was undone."""
    answer = agent_of(context).post(f"{_path(app)}/retry", {"service": service} if service else {})
    say(f"{_subject(answer)} is tried again")


def lock(
    context: typer.Context,
    app: AppArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; shown to whoever waits.")],
    service: OfServiceOption = None,
    owner: Annotated[str, typer.Option("--owner", help="Who; your login when absent.")] = "",
    until: Annotated[
        str,
        typer.Option(
            "--until",
            metavar="TIME",
            help="2h from now, or like 2030-01-31T18:00:00Z; held until unlocked when absent.",
        ),
    ] = "",
) -> None:
    """Hold back updates and stops of an App.

    Until it is unlocked, or the time is over."""
    body: Json = {"reason": reason, "owner": owner or _login()}
    body |= {"service": service} if service else {}
    body |= {"until": _moment(until)} if until else {}
    say(f"{_subject(agent_of(context).post(f'{_path(app)}/lock', body))} is locked")


def unlock(context: typer.Context, app: AppArgument, service: OfServiceOption = None) -> None:
    """Let an App be updated again."""
    say(f"{_subject(agent_of(context).delete(f'{_path(app)}/lock', service=service))} is unlocked")


def recover(context: typer.Context, app: AppArgument) -> None:
    """Take an orphaned App over as it runs.

    Its spec is read off its containers.

    For when the agent's database was lost. What only its file said (update settings, deletionPolicy) gets
    the defaults; applying the file afterwards changes nothing that runs.
    """
    answer = agent_of(context).post(f"{_path(app)}/recover")
    say(f"app/{answer['name']} is taken over (release {answer['release']})")


def _moment(text: str) -> str:
    """RFC 3339 of a moment, or of a length of time from now. Raises: BadInputError."""
    from datetime import UTC, datetime, timedelta

    from iotctl.spans import seconds_of

    with suppress(ValueError, OverflowError):
        until = datetime.now(UTC) + timedelta(seconds=seconds_of(text))
        return until.isoformat(timespec="seconds")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(
            f"--until is {text!r}: expected a length of time like 2h, or a moment like 2030-01-31T18:00:00Z."
        ) from error
    return (moment if moment.tzinfo else moment.astimezone()).isoformat(timespec="seconds")


def _one(words: list[str], command: str) -> str:
    names = _without_kind(words)
    if len(names) != 1:
        raise BadInputError("Which App?", hint=f"iotctl {command} app NAME")
    return names[0]


def _without_kind(words: list[str]) -> list[str]:
    return words[1:] if len(words) > 1 and words[0].lower() in {"app", "apps"} else words


def _app_of_service(agent: Agent, words: list[str]) -> str:
    """The App of `service shop-web` or `service/shop-web`; empty where no service is named."""
    from iotctl.lookup import find_service

    kind, slash, name = words[0].partition("/")
    named = [name] if slash and len(words) == 1 else words[1:] if not slash and len(words) == 2 else []
    if kind.lower() not in SERVICE_WORDS or not named:
        return ""
    return str(find_service(agent, named[0])["spec"]["app"])


def _path(app: str) -> str:
    from iotctl.lookup import segment
    from iotctl.params import resource_name

    return f"/v1/apps/{segment(resource_name(app))}"


def _subject(answer: Json) -> str:
    return f"service/{answer['app']}/{answer['service']}" if answer.get("service") else f"app/{answer['app']}"


def _login() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "iotctl"
