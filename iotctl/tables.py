"""Tables for people: aligned columns, no frames, coloured states on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from iotctl.spans import age
from iotctl.terminal import paint, style_of, width

Row = dict[str, Any]
GAP = 2
"""Blanks between columns."""
NARROWEST = 24
"""Nothing is cut shorter than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: what it shows of a row."""

    title: str
    show: Callable[[Row], str]
    wide: bool = False
    """Only with `-o wide`."""
    state: bool = False
    """Coloured by what it says."""
    shrinks: bool = False
    """Cut so that a line fits the terminal, but for `-o wide`."""


def _field(title: str, key: str, *, wide: bool = False, state: bool = False, shrinks: bool = False) -> Column:
    return Column(title=title, show=lambda row: cell(row[key]), wide=wide, state=state, shrinks=shrinks)


def shorten(text: str, room: int) -> str:
    """The text in one line of at most so many columns; where it is cut, an ellipsis says so."""
    line = " ".join(text.split())
    if len(line) <= room:
        return line
    return line[: room - 1].rstrip(" ,;:(") + "\N{HORIZONTAL ELLIPSIS}"


def cell(value: object) -> str:
    """A value as a table shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)


def short_id(value: object) -> str:
    """The part of a long id that people compare."""
    return str(value).removeprefix("sha256:")[:12]


def megabytes(size: int) -> str:
    """Bytes as people compare them; empty for none."""
    if not size:
        return ""
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.2f} GB"


APPS = (
    _field("NAME", "name"),
    _field("APP-ID", "appId"),
    _field("READY", "readyServices"),
    _field("RELEASE", "release"),
    _field("STATE", "state", state=True),
    _field("WHY", "reason", shrinks=True),
    Column(title="AGE", show=lambda row: age(row["created"])),
    _field("GENERATION", "generation", wide=True),
    _field("CREATED", "created", wide=True),
    _field("SERVICES", "services", wide=True),
)
SERVICES = (
    _field("SERVICE", "address"),
    _field("IMAGE", "image"),
    _field("STATE", "state", state=True),
    Column(title="READY", show=lambda row: "-" if row["state"] == "Stopped" else cell(row["ready"])),
    _field("RESTARTS", "restarts"),
    _field("WHY", "reason", shrinks=True),
    Column(title="PORTS", show=lambda row: ", ".join(port.removesuffix("/tcp") for port in row["ports"])),
    _field("APP-ID", "appId", wide=True),
    _field("RELEASE", "release", wide=True),
    _field("WANTED", "runState", wide=True),
    Column(title="CONTAINER", show=lambda row: short_id(row["containerId"]), wide=True),
    Column(title="DIGEST", show=lambda row: short_id(row["imageDigest"]), wide=True),
    _field("EXIT", "exitCode", wide=True),
    _field("SINCE", "since", wide=True),
)
HISTORY = (
    _field("RELEASE", "release"),
    _field("STATE", "state", state=True),
    Column(title="AGE", show=lambda row: age(row["wanted"] if "wanted" in row else row["created"])),
    Column(title="IMAGES", show=lambda row: ", ".join(dict.fromkeys(row["images"]))),
    _field("WHY", "why", shrinks=True),
    Column(title="DIGEST", show=lambda row: short_id(row["digest"]), wide=True),
)
USAGE = (
    _field("SERVICE", "name"),
    Column(title="CPU", show=lambda row: f"{row['cpuPercent']:.1f} %"),
    Column(title="MEMORY", show=lambda row: megabytes(row["memoryBytes"])),
    Column(title="LIMIT", show=lambda row: megabytes(row["memoryLimitBytes"]) or "none"),
)
IMAGES = (
    _field("IMAGE", "ref"),
    Column(title="SIZE", show=lambda row: megabytes(row["sizeBytes"])),
    Column(title="USED BY", show=lambda row: ", ".join(row["users"]) or "nothing"),
    Column(title="DIGEST", show=lambda row: short_id(row["digest"]), wide=True),
)
SECRETS = (_field("NAME", "name"), _field("TYPE", "type"), _field("KEYS", "keys"))
CONFIGMAPS = (_field("NAME", "name"), _field("KEYS", "keys"))


def table(columns: Sequence[Column], rows: Sequence[Row], *, wide: bool = False) -> str:
    """The rows as lines, with a line of titles; what shrinks is cut so that they fit, but for `wide`."""
    shown = [column for column in columns if wide or not column.wide]
    lines = [[column.title for column in shown]]
    lines += [[column.show(row) for column in shown] for row in rows]
    widths = _widths(lines)
    for number, column in enumerate(shown):
        if column.shrinks:
            over = sum(widths) + GAP * (len(widths) - 1) - width()
            room = widths[number] if wide else max(widths[number] - max(over, 0), NARROWEST)
            lines = [[*line[:number], shorten(line[number], room), *line[number + 1 :]] for line in lines]
            widths = _widths(lines)
    return "\n".join(_line(line, widths, shown, title=not number) for number, line in enumerate(lines))


def _widths(lines: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(line[number]) for line in lines) for number in range(len(lines[0]))]


def _line(cells: Sequence[str], widths: Sequence[int], columns: Sequence[Column], *, title: bool) -> str:
    last = max((number for number, text in enumerate(cells) if text), default=0)
    parts = []
    for number, (text, wanted, column) in enumerate(zip(cells, widths, columns, strict=True)):
        if number > last:
            break
        padding = " " * (wanted - len(text) if number < last else 0)
        style = "quiet" if title else style_of(text) if column.state else ""
        parts.append(paint(text, style) + padding)
    return (" " * GAP).join(parts)
