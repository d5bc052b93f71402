"""Which container of a service counts, and which are leftovers (R14)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from iotistic.planning.values import Container, Health, Status

_FRACTION = re.compile(r"\.(\d+)")
_NEVER_COUNTS = (Status.DEAD, Status.STOPPING)


@dataclass(slots=True, kw_only=True)
class Counted:
    """The containers of one service."""

    container: Container | None = None
    """The one that counts; None: the service is absent."""
    leftovers: Sequence[Container] = ()
    """Dead, stopping, or not counting."""
    several: bool = False
    """There is more than one: steps say which."""

    @property
    def stopping(self) -> bool:
        """One of them is on its way out: it is waited for."""
        return any(container.status is Status.STOPPING for container in self.leftovers)


ABSENT = Counted()


def count(own: Sequence[Container] | None, *, hand_over: bool) -> Counted:
    """Tell the container that counts from leftovers.

    Args:
        own: the service's containers, as observed.
        hand_over: with HandOver the newest that is ready counts, while the newest is not.
    """
    if not own:
        return ABSENT
    if len(own) == 1:
        if own[0].status in _NEVER_COUNTS:
            return Counted(leftovers=own)
        return Counted(container=own[0])
    candidates = [container for container in own if container.status not in _NEVER_COUNTS]
    chosen = _newest(candidates)
    if hand_over and chosen is not None and not is_ready(chosen):
        chosen = _newest([container for container in candidates if is_ready(container)]) or chosen
    leftovers = [container for container in own if container is not chosen]
    return Counted(container=chosen, leftovers=leftovers, several=True)


def is_ready(container: Container) -> bool:
    """Whether it serves: it runs, and its probes, if there are any, agree."""
    return container.status is Status.RUNNING and container.health in (Health.NONE, Health.HEALTHY)


def _newest(containers: Sequence[Container]) -> Container | None:
    newest: Container | None = None
    for container in containers:
        if newest is None or _moment(container.created) >= _moment(newest.created):
            newest = container
    return newest


def _moment(created: str) -> tuple[float, str]:
    """Sorts by time, also where fractions of a second have different lengths; text that is no time comes
    first."""
    fraction = _FRACTION.search(created)
    try:
        whole = datetime.fromisoformat(_FRACTION.sub("", created))
        whole = whole if whole.tzinfo else whole.replace(tzinfo=UTC)
        return whole.timestamp(), fraction[1].ljust(9, "0") if fraction else "0" * 9
    except (ValueError, OverflowError):
        return float("-inf"), created
