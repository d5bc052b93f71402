"""docs/iotctl.md from the commands themselves: `python -m iotctl.docs > docs/iotctl.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from iotctl.commands.about import CONNECTION
from iotctl.exits import MEANINGS
from iotctl.frame import ANYWHERE, argument_name, option_help, option_name

NOTE = "<!-- Generated from the commands: python -m iotctl.docs > docs/iotctl.md -->"
INTRO = """\
`iotctl` speaks with the agent of this machine, or of another one. `iotctl COMMAND --help` says what is
said here."""
OUTPUT = """\
## Output

`-o table` is for people, `-o wide` the same with more columns, `-o name` one `kind/name` a line.
`-o json` and `-o yaml` of `get` are the resource itself, with what is so now under `status`; `apps list`
and `services list` give arrays of flat objects instead. Tables and sentences may change; programs read
JSON. Standard output has the answer and nothing else; warnings and errors go to standard error. Colours
and tables that are drawn in place appear on a terminal only."""


def render() -> str:
    """The whole page."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    root = _root()
    yield from ("# iotctl", NOTE, "", INTRO, "")
    yield from ("| command | what it does |", "|---|---|")
    for path, command in _commands(root):
        if not hasattr(command, "commands"):
            name = " ".join(path)
            yield f"| [`{name}`](#{'-'.join(path)}) | {_first(command)} |"
    yield from ("", "## Options of every command", "", "They may stand anywhere on the line.", "")
    yield from ("| option | meaning |", "|---|---|")
    for name, meaning in ANYWHERE:
        yield f"| `{name}` | {_cell(meaning)} |"
    yield from ("", "## Which agent", "", "```", CONNECTION, "```", "", OUTPUT, "")
    yield from ("## Exit codes", "", "| code | meaning |", "|---|---|")
    for code, meaning in MEANINGS.items():
        yield f"| {code.value} | {meaning} |"
    yield from ("", "## Commands")
    for path, command in _commands(root):
        if not hasattr(command, "commands"):
            yield from _section(path, command)


def _root() -> Any:
    import typer.main

    from iotctl.cli import root

    return typer.main.get_command(root)


def _commands(group: Any, path: tuple[str, ...] = ("iotctl",)) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if command.hidden:
            continue
        inner = (*path, name)
        yield inner, command
        if hasattr(command, "commands"):
            yield from _commands(command, inner)


def _section(path: tuple[str, ...], command: Any) -> Iterator[str]:
    yield from ("", f"### {' '.join(path)}", "")
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


if __name__ == "__main__":
    print(render(), end="")
