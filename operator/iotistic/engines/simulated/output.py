"""What simulated containers write: plausible lines, always the same for the same container. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from iotistic.engines.base import LogLine
from iotistic.planning.values import Container, Status

BEAT_SECONDS = 2.0
"""Time between two lines of a container that runs."""
MOST_LINES = 1000
"""Lines that are kept, as of a bounded log."""


def lines(container: Container, ports: tuple[int, ...], *, now: datetime) -> list[LogLine]:
    """What a container has written since it was started, oldest first.

    Args:
        container: the container.
        ports: ports that it listens on.
        now: wall time.
    """
    if not container.started:
        return []
    started = datetime.fromisoformat(container.started)
    runs = container.status in {Status.RUNNING, Status.PAUSED}
    end = now if runs or not container.finished else datetime.fromisoformat(container.finished)
    beats = max(0, int((end - started).total_seconds() / BEAT_SECONDS))
    told = [
        _line(started, f"{container.service}: starting, {container.spec.image.short}"),
        *(_line(started, f"{container.service}: listening on port {port}") for port in ports),
        _line(started, f"{container.service}: ready"),
    ]
    for beat in range(max(1, beats - MOST_LINES + 1), beats + 1):
        chance = Random(f"{container.id}/{beat}")
        text = f"{container.service}: {chance.randint(1, 40)} requests, {chance.uniform(0.4, 9):.1f} ms each"
        told.append(_line(started + timedelta(seconds=beat * BEAT_SECONDS), text))
    if not runs and container.exit_code:
        told.append(_line(end, f"{container.service}: exits with {container.exit_code}", "stderr"))
    return told[-MOST_LINES:]


def _line(moment: datetime, text: str, stream: str = "stdout") -> LogLine:
    return LogLine(time=moment.isoformat().replace("+00:00", "Z"), stream=stream, text=text)
