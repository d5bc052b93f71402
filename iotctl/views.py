"""How waiting looks: a live table on a terminal, steady lines elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from iotctl.spans import short
from iotctl.terminal import has_color, is_terminal, say
from iotctl.watch import ServiceLine, Watch

if TYPE_CHECKING:
    from rich.console import RenderableType

BAR_WIDTH = 20
FRAMES_PER_SECOND = 8
LASTING_SECONDS = 1.0
"""Off a terminal: what is over sooner is not worth a line, unless it is an end, good or bad."""
QUIET_SECONDS = 10.0
"""Off a terminal: how long a download goes on before a line says how far it is."""


class View(Protocol):
    """Shows a Watch as it changes."""

    def show(self, watch: Watch, now: float) -> None:
        """The present."""
        ...

    def close(self, watch: Watch, now: float) -> None:
        """The end."""
        ...


def new_view() -> View:
    """The view that fits standard output."""
    return Live() if is_terminal() else Lines()


class Nothing:
    """Shows nothing."""

    def show(self, watch: Watch, now: float) -> None:
        """Keep still."""

    def close(self, watch: Watch, now: float) -> None:
        """Keep still."""


@dataclass(slots=True)
class _Said:
    """What a view has said of one thing, and what it may say next."""

    last: str = ""
    coming: str = ""
    since: float = 0.0
    """When `coming` was seen first."""
    at: float = 0.0
    """When `last` was said."""


class Lines:
    """A line when a service has been in another situation for a while, or is ready, or fails."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], _Said] = {}
        self._trouble = ""

    def show(self, watch: Watch, now: float) -> None:
        """Say what is new."""
        if watch.trouble != self._trouble:
            say(watch.trouble or "The agent answers again.")
            self._trouble = watch.trouble
        for name in watch.apps:
            notice = watch.notice(name)
            if self._is_news((name, ""), notice.what, now, at_once=notice.at_once):
                say(notice.text)
            lines = watch.lines(name, now)
            width = max((len(line.service) for line in lines), default=0) + len(name) + 1
            for line in lines:
                if self._is_worth_a_line(line, now):
                    say(f"{f'{name}/{line.service}':{width}}  {_sentence(line)}")

    def close(self, watch: Watch, now: float) -> None:
        """Say the last news."""
        self.show(watch, now)

    def _is_worth_a_line(self, line: ServiceLine, now: float) -> bool:
        key = line.app, line.service
        if line.ready and line.seconds is None:
            # It was ready before anybody waited for it.
            self._said[key] = _Said(last=_situation(line), coming=_situation(line))
            return False
        if self._is_news(key, _situation(line), now, at_once=line.ready or line.failing):
            return True
        said = self._said[key]
        if line.pulled and said.last == _situation(line) and now - said.at >= QUIET_SECONDS:
            said.at = now
            return True
        return False

    def _is_news(self, key: tuple[str, str], situation: str, now: float, *, at_once: bool) -> bool:
        said = self._said.setdefault(key, _Said())
        if situation != said.coming:
            said.coming, said.since = situation, now
        if situation in ("", said.last) or not (at_once or now - said.since >= LASTING_SECONDS):
            return False
        said.last, said.at = situation, now
        return True


class Live:
    """The whole table, drawn again in place."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live as RichLive

        self._apps: list[tuple[str, list[ServiceLine], str]] = []
        self._trouble = ""
        console = Console(no_color=not has_color(), highlight=False)
        self._live: Any = RichLive(
            console=console, get_renderable=self._draw, refresh_per_second=FRAMES_PER_SECOND
        )
        self._live.start()

    def show(self, watch: Watch, now: float) -> None:
        """Take over the present; the next frame, drawn by a thread of rich's, shows it."""
        self._apps = [
            (watch.head(name), watch.lines(name, now), watch.notice(name).text) for name in watch.apps
        ]
        self._trouble = watch.trouble

    def close(self, watch: Watch, now: float) -> None:
        """Draw the last frame and leave it there."""
        self.show(watch, now)
        self._live.refresh()
        self._live.stop()

    def _draw(self) -> RenderableType:
        from rich.console import Group
        from rich.rule import Rule
        from rich.text import Text

        parts: list[RenderableType] = []
        for head, lines, notice in self._apps:
            if lines:
                parts += [Rule(head, align="left", style="dim"), _grid(lines)]
            if notice:
                parts.append(Text(notice, style="yellow"))
        if self._trouble:
            parts.append(Text(self._trouble, style="red"))
        return Group(*parts)


def _grid(lines: list[ServiceLine]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2), pad_edge=True)
    for line in lines:
        style = "green" if line.ready else "red" if line.failing else "yellow"
        note: RenderableType = _bar(line) if line.pulled else Text(line.note, style="dim")
        grid.add_row(
            line.service,
            Text(line.image, style="dim"),
            Text(line.word, style=style),
            "" if line.seconds is None else short(line.seconds),
            note,
        )
    return grid


def _bar(line: ServiceLine) -> RenderableType:
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    current, total = line.pulled or (0, 0)
    bar = ProgressBar(total=total or None, completed=current, width=BAR_WIDTH, pulse=not total)
    row = Table.grid(padding=(0, 1))
    row.add_row(bar, megabytes(current, total))
    return row


def megabytes(current: int, total: int) -> str:
    """`8.9/12.4 MB`; what is there alone when the whole is not known."""
    if not total:
        return f"{current / 1e6:.1f} MB" if current else ""
    return f"{current / 1e6:.1f}/{total / 1e6:.1f} MB"


def _situation(line: ServiceLine) -> str:
    """Counts and delays change all the time; only another situation is worth a line."""
    return f"{line.word} {re.sub(r'[0-9.]+ ?[A-Za-z]*', '#', line.note)}"


def _sentence(line: ServiceLine) -> str:
    if line.ready:
        after = "" if line.seconds is None else f" after {short(line.seconds)}"
        return f"{line.word}{after}" + (f"  {line.note}" if line.note else "")
    if line.pulled:
        return f"{line.word} {line.image}  {megabytes(*line.pulled)}".rstrip()
    if line.word == "pulling":
        return f"{line.word} {line.note}".rstrip()
    return f"{line.word}: {line.note}" if line.note else line.word
