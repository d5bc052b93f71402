"""The tables of `docs/rollout.md`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from iotistic.rollout.values import Phase

PAGE = (Path(__file__).parents[3] / "docs" / "rollout.md").read_text()


class Row(NamedTuple):
    """One transition from one phase."""

    start: Phase
    when: str
    next: Phase
    said: tuple[str, ...]


def cells(text: str) -> list[list[str]]:
    """The cells of a table's rows, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def rows() -> list[Row]:
    """All rows; one that names several phases is several."""
    found = []
    for part in PAGE.split("<!-- transitions -->")[1:]:
        for starts, when, after, said in cells(part.split("<!-- end of transitions -->")[0]):
            reasons = tuple(reason for reason in said.split(", ") if reason)
            found += [Row(Phase(start), when, Phase(after), reasons) for start in starts.split(", ")]
    return found


def section(title: str) -> list[list[str]]:
    """The rows of the first table below a heading."""
    text = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    table = text[text.index("|") :].split("\n\n")[0]
    return cells(table)
