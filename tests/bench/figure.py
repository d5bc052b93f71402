"""One measured figure, and the table of all of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured, against what, and whether that is good enough."""

    name: str
    value: float
    """Judged against `bar`: a ratio where there is a baseline, else the amount itself."""
    bar: float
    """The largest value that passes."""
    text: str
    """The measured amount with its unit."""
    against: str = ""
    """The baseline of the same run, with its unit."""
    unit: str = ""
    """Unit of `value` and `bar`; none for a ratio."""
    note: str = ""

    @property
    def passed(self) -> bool:
        return self.value <= self.bar

    def cells(self) -> tuple[str, ...]:
        ratio = f"{self.value:.2f}" if self.against else "-"
        bar = f"<= {self.bar:g} {self.unit}".rstrip()
        return (self.name, self.text, self.against or "-", ratio, bar, "pass" if self.passed else "MISSED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A figure that can't be had here, and what to type to have it."""

    name: str
    note: str

    passed: bool = True

    def cells(self) -> tuple[str, ...]:
        return (self.name, "-", "-", "-", "-", "skipped")


HEADER = ("FIGURE", "MEASURED", "AGAINST", "RATIO", "BAR", "")


def table(figures: list[Figure | Skipped]) -> str:
    """The table, with the notes below it."""
    rows = [HEADER, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    notes = [f"{figure.name}: {figure.note}" for figure in figures if figure.note]
    return "\n".join(line.rstrip() for line in [*lines, "", *notes]).rstrip()
