"""When a failing service is tried again: growing delays, forgotten after a stable run.

Pure: times are seconds of a monotonic clock, handed in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

FIRST_DELAY_SECONDS = 10.0
LONGEST_DELAY_SECONDS = 300.0
LOOP_EXITS = 3
LOOP_SECONDS = 60.0
STABLE_SECONDS = 600.0
JITTER = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A service (or, with an empty service, an App's own object) that has failed lately."""

    failures: int
    retry_at: float
    reason: str
    message: str
    hint: str = ""
    """What to do now, where the error knew; not kept over a restart."""
    since: str = ""
    """When it failed first, RFC 3339: for people only."""

    def waits(self, now: float) -> bool:
        """True while it must not be tried."""
        return now < self.retry_at


def delay_seconds(
    failures: int,
    jitter: float = 0.0,
    *,
    first: float = FIRST_DELAY_SECONDS,
    longest: float = LONGEST_DELAY_SECONDS,
    stretch: float = JITTER,
) -> float:
    """Delay before the next try; it doubles with each failure.

    Args:
        failures: failures in a row so far, from 1.
        jitter: random number from 0 to 1; stretches the delay by up to `stretch` of it, never beyond the
            longest.
    """
    plain = first * 2.0 ** min(failures - 1, 10)
    return float(min(plain * (1 + stretch * jitter), longest))


def after_failure(
    before: Failing | None,
    *,
    now: float,
    reason: str,
    message: str,
    hint: str = "",
    jitter: float,
    since: str,
) -> Failing:
    """The state after one more failure."""
    failures = (before.failures if before else 0) + 1
    return Failing(
        failures=failures,
        retry_at=now + delay_seconds(failures, jitter),
        reason=reason,
        message=message,
        hint=hint,
        since=before.since if before else since,
    )


def is_loop(exits: Iterable[float], now: float) -> bool:
    """Whether these exits make a crash loop."""
    return sum(1 for moment in exits if now - moment <= LOOP_SECONDS) >= LOOP_EXITS
