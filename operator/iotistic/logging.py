"""Log lines: a stable event name and fields, to standard error."""

from __future__ import annotations

import logging
import sys
from collections import deque

import structlog

KEPT_LINES = 1000
_kept: deque[str] = deque(maxlen=KEPT_LINES)


def last_lines(tail: int | None = None) -> list[str]:
    """The last lines that this process has written, oldest first: what `iotctl logs` shows."""
    return list(_kept) if tail is None else list(_kept)[max(0, len(_kept) - tail) :]


def set_up_logging(*, level: str, form: str) -> None:
    """Set up structlog once for the process; other libraries' loggers speak from warnings on."""
    number = getattr(logging, level.upper())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=24, sort_keys=False)
    )
    structlog.configure(
        processors=[
            _without_absent,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
            _keep,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")


def take_over_library_lines() -> None:
    """Write the lines of libraries as ours are."""
    logging.getLogger().handlers = [_LibraryLines()]


class _LibraryLines(logging.Handler):
    """kopf tells of each try of each watch: what matters of that is told by us."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        own_business = record.name.startswith("kopf") and record.name != "kopf.objects"
        say = log.debug if own_business else log.warning
        say("library", logger=record.name, message=record.getMessage(), exc_info=record.exc_info)


def _without_absent(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A field that says nothing is left out."""
    return {name: value for name, value in event.items() if value is not None and value != ""}


def _keep(_logger: object, _method: str, line: structlog.typing.EventDict | str) -> str:
    text = str(line)
    _kept.append(text)
    return text
