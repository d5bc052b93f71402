"""Help of every command: there, quick, with examples that are real command lines; and its page."""

from __future__ import annotations

import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from iotctl.cli import root
from iotctl.docs import pages
from iotctl.exits import MEANINGS, ExitCode
from iotctl.frame import take_options
from tests.unit.iotctl.conftest import Iotctl

ROOT = Path(__file__).parents[3]
HEAVY = ("httpx", "rich", "yaml", "pydantic", "iotistic")
HELP_SECONDS = 0.15
HELP_TRIES = 12
HELP_STARTS = 14.0
"""How many times the interpreter's own start it may take where that alone is slow."""


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        yield from commands(command, (*path, name)) if hasattr(command, "commands") else ()


TREE: Any = typer.main.get_command(root)
ALL = list(commands(TREE))
SHOWN = [path for path, command in ALL if not command.hidden]
LEAVES = [(path, command) for path, command in ALL if not hasattr(command, "commands")]


@pytest.mark.parametrize("arguments", [[], ["help"], ["--help"], ["-h"]])
def test_the_overview(iotctl: Iotctl, arguments: list[str]) -> None:
    ran = iotctl(*arguments)
    assert (ran.code, ran.err) == (0, "")
    for path in SHOWN:
        assert len(path) > 1 or f"\n  {path[0]} " in ran.out
    assert "\n  diag " not in ran.out
    assert "..." not in ran.out.replace("COMMAND ...", "")


@pytest.mark.parametrize("path", [path for path, _ in ALL], ids=" ".join)
def test_help_of_each_command(iotctl: Iotctl, path: tuple[str, ...]) -> None:
    asked = iotctl(*path, "--help")
    assert (asked.code, asked.err) == (0, "")
    assert asked.out.startswith(f"Usage: iotctl {' '.join(path)} ")
    assert not any(sign in asked.out.partition("Examples:")[0] for sign in "{}<>")
    assert iotctl("help", *path).out == asked.out
    assert iotctl(*path, "-h").out == asked.out


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=[" ".join(path) for path, _ in LEAVES])
def test_examples_are_command_lines_that_parse(path: tuple[str, ...], command: Any) -> None:
    _, _, examples = command.epilog.partition("Examples:\n")
    lines = [line.strip() for line in examples.splitlines()]
    assert lines
    for line in lines:
        words = shlex.split(line.partition("iotctl ")[2].split(" > ")[0].split(" | ")[0].rstrip(')"'))
        _, words = take_options(words)
        assert tuple(words[: len(path)]) == path, line
        command.make_context(path[-1], words[len(path) :], resilient_parsing=False)


def test_help_of_nothing(iotctl: Iotctl) -> None:
    ran = iotctl("help", "apps", "fly")
    assert ran.code == 2
    assert ran.err.startswith("There is no command iotctl apps fly.\niotctl apps has list, start, ")


def test_a_command_that_is_none(iotctl: Iotctl) -> None:
    ran = iotctl("aply")
    assert ran.code == 2
    assert "Did you mean 'apply'?" in ran.err


def test_every_exit_code_is_explained(iotctl: Iotctl) -> None:
    said = iotctl("help", "exit-codes").out
    assert set(MEANINGS) == set(ExitCode)
    assert [int(line.split()[0]) for line in said.splitlines()] == [code.value for code in ExitCode]
    assert "CONFIG_DIR" in iotctl("help", "connection").out


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; from iotctl.main import main\n"
        "try: main(['services', 'logs', '--help'])\n"
        f"except SystemExit: print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment()
    )
    assert ran.stderr == "[]\n"


@pytest.mark.parametrize("path", [path for path, _ in ALL[::5]], ids=" ".join)
def test_help_is_quick(path: tuple[str, ...]) -> None:
    """In time of the processor, against the bare interpreter just before: a busy machine makes both slower,
    and now and then one of them."""
    for _ in range(HELP_TRIES):
        bare, help = processor_seconds("-c", ""), processor_seconds("-m", "iotctl.main", *path, "--help")
        if help < max(HELP_SECONDS, HELP_STARTS * bare):
            return
    pytest.fail(f"{help:.3f} s, {bare:.3f} s the interpreter alone, at the last of {HELP_TRIES} tries")


def processor_seconds(*command: str) -> float:
    """What one run of the interpreter takes of the processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, env=environment())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def test_the_pages_are_up_to_date() -> None:
    there = {"iotctl.md", *(f"iotctl/{page.name}" for page in (ROOT / "docs" / "iotctl").iterdir())}
    assert there == pages().keys()
    stale = [page for page, text in pages().items() if (ROOT / "docs" / page).read_text() != text]
    assert stale == [], "refresh them:  make generate"


def test_every_command_is_on_a_page_and_in_the_index() -> None:
    index, *groups = pages().values()
    for path, command in LEAVES:
        name = " ".join(("iotctl", *path))
        assert (f"[`{name}`](" in index) != command.hidden
        assert sum(f"\n## {name}\n" in page for page in groups) == (not command.hidden)


def test_schemas(iotctl: Iotctl) -> None:
    import json

    for kind, name in (
        ("app", "App"),
        ("appservice", "AppService"),
        ("secret", "Secret"),
        ("configmap", "ConfigMap"),
    ):
        schema = json.loads(iotctl("schema", kind).out)
        assert schema["title"] == name
        assert {"apiVersion", "kind", "metadata"} <= set(schema["required"])
        assert "status" not in schema["properties"]
    assert iotctl("schema").out == iotctl("schema", "app").out
    assert iotctl("schema", "pod").code == 2


def environment() -> dict[str, str]:
    return {"PYTHONPATH": f"{ROOT}/operator:{ROOT}", "PATH": ""}
