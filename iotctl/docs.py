"""docs/iotctl.md and a page per group of commands below docs/iotctl/, from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from iotctl.commands.about import CONNECTION
from iotctl.exits import MEANINGS
from iotctl.frame import ANYWHERE, argument_name, heading_of, option_help, option_name

Member = tuple[tuple[str, ...], Any]
"""A command with the words that call it."""
Groups = dict[str, list[Member]]

NOTE = "<!-- generated from the commands by hack/generate -->"
INTRO = """\
`iotctl` speaks with the agent of this machine, of another one, or with a cluster
([how to get it there](kubernetes.md#iotctl-on-a-workstation)). `kubectl iotctl` is the same program as a
plugin of kubectl. `iotctl COMMAND --help` says what is said here."""
OUTPUT = """\
## Output

`-o table` is for people: what is too long for a line is cut. `-o wide` has it whole,
and more columns; `-o name` has one `kind/name` a line.
`-o json` and `-o yaml` of `get` are the resource itself, with what is so now under `status`; `apps list`
and `services list` give arrays of flat objects instead. Tables and sentences may change; programs read
JSON. Standard output has the answer and nothing else; warnings and errors go to standard error. Colours
and tables that are drawn in place appear on a terminal only."""


def pages() -> dict[str, str]:
    """Text of each page by its path below docs/: first the index, then a page per group."""
    groups = _groups()
    texts = {"iotctl.md": _index(groups)}
    for heading, members in groups.items():
        texts[f"iotctl/{_slug(heading)}.md"] = _page(heading, members)
    return {path: "\n".join(lines) + "\n" for path, lines in texts.items()}


def _groups() -> Groups:
    """Commands by the heading that help shows them under; one with commands of its own is a group."""
    groups: Groups = {}
    for name, command in _root().commands.items():
        if command.hidden:
            continue
        path = ("iotctl", name)
        if hasattr(command, "commands"):
            groups[" ".join(path)] = list(_commands(command, path))
        else:
            groups.setdefault(heading_of(command), []).append((path, command))
    return groups


def _index(groups: Groups) -> Iterator[str]:
    yield from ("# iotctl", NOTE, "", INTRO)
    for heading, members in groups.items():
        page = f"iotctl/{_slug(heading)}.md"
        yield from ("", f"## [{heading}]({page})", "", "| command | what it does |", "|---|---|")
        for path, command in members:
            yield f"| [`{' '.join(path)}`]({page}#{'-'.join(path)}) | {_first(command)} |"
    yield from ("", "## Options of every command", "", "They may stand anywhere on the line.", "")
    yield from ("| option | meaning |", "|---|---|")
    for name, meaning in ANYWHERE:
        yield f"| `{name}` | {_cell(meaning)} |"
    yield from ("", "## Which agent", "", "```", CONNECTION, "```", "", OUTPUT, "")
    yield from ("## Exit codes", "", "| code | meaning |", "|---|---|")
    for code, meaning in MEANINGS.items():
        yield f"| {code.value} | {meaning} |"


def _page(heading: str, members: list[Member]) -> Iterator[str]:
    title = heading if heading.startswith("iotctl") else f"iotctl: {heading}"
    yield from (f"# {title}", NOTE, "")
    yield "[All commands](../iotctl.md), with the options of every command, output and exit codes."
    for path, command in members:
        yield from _section(path, command)


def _root() -> Any:
    import typer.main

    from iotctl.cli import root

    return typer.main.get_command(root)


def _commands(group: Any, path: tuple[str, ...] = ("iotctl",)) -> Iterator[Member]:
    for name, command in group.commands.items():
        if command.hidden:
            continue
        inner = (*path, name)
        yield inner, command
        if hasattr(command, "commands"):
            yield from _commands(command, inner)


def _section(path: tuple[str, ...], command: Any) -> Iterator[str]:
    yield from ("", f"## {' '.join(path)}", "")
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    words = [argument_name(argument) for argument in arguments]
    yield from ("```", " ".join([*path, "[OPTIONS]", *words]), "```", "")
    yield " ".join((command.help or "").replace("\n\n", "\n\0\n").split("\n")).replace(" \0 ", "\n\n")
    rows = [(argument_name(argument), argument.help or "") for argument in arguments]
    rows += [
        (option_name(param), option_help(param))
        for param in command.params
        if param.param_type_name == "option" and param.help
    ]
    if rows:
        yield from ("", "| | |", "|---|---|")
    for name, text in rows:
        yield f"| {_cell(f'`{name}`')} | {_cell(text)} |"
    if command.epilog:
        _, _, examples = command.epilog.partition("Examples:\n")
        lines = [line.strip() for line in examples.splitlines()]
        yield from ("", "```", *lines, "```")


def _first(command: Any) -> str:
    return str(command.help or "").split("\n\n")[0].replace("\n", " ")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _slug(heading: str) -> str:
    """A heading as the name of a file."""
    return "-".join(re.findall(r"[a-z0-9]+", heading.removeprefix("iotctl ").lower()))
