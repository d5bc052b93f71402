"""docs/events.md lists every reason and every log line that the code can say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from iotistic.api import errors
from iotistic.controllers import journal

ROOT = Path(__file__).parents[2]
LISTED = set(re.findall(r"^\| ([\w, ]+) \|", (ROOT / "docs" / "events.md").read_text(), re.MULTILINE))
WORDS = {word for cell in LISTED for word in cell.split(", ")}
PROGRESS = re.search(r"Reasons: ([\w, ]+)\.", (ROOT / "docs" / "events.md").read_text())


def calls(*methods: str) -> Iterator[tuple[str, str]]:
    """Where, and the first argument: every call of these methods with a literal string first."""
    for path in sorted((ROOT / "operator" / "iotistic").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            first = node.args[0]
            if node.func.attr in methods and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", first.value


def error_reasons(error: type[errors.EdgeError] = errors.EdgeError) -> Iterator[str]:
    yield error.reason
    for kind in error.__subclasses__():
        yield from error_reasons(kind)


def test_reasons_of_steps_are_listed() -> None:
    assert {reason for reason, _ in journal._DONE.values()} - WORDS == set()
    assert PROGRESS
    assert set(journal._DOING.values()) - set(PROGRESS.group(1).split(", ")) == set()


def test_reasons_of_errors_are_listed() -> None:
    assert set(error_reasons()) - WORDS == set()


def test_reasons_that_controllers_say_are_listed() -> None:
    said = [(where, reason) for where, reason in calls("say") if "/controllers/" in where]

    assert said
    assert [(where, reason) for where, reason in said if reason not in WORDS] == []


def test_log_lines_are_listed() -> None:
    lines = list(calls("debug", "info", "warning", "error", "exception"))

    assert lines
    assert [(where, name) for where, name in lines if name not in WORDS] == []
