"""How often one caller may show a wrong key: ten at once, then one every six seconds.

The right key waits too while its own address is held back (else guessing would only be slower to read),
but never because of others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

AT_ONCE = 10
SECONDS_EACH = 6.0
QUIET_SECONDS = 600.0
"""Between two log lines on the same caller."""
MOST_CALLERS = 1024


@dataclass(slots=True)
class _Caller:
    free_at: float
    """When none of its wrong keys count any more."""
    quiet_until: float


class WrongKeys:
    """Wrong keys of each caller; remembers a bounded number of callers.

    Args:
        now: seconds of a clock that never jumps.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._callers: dict[str, _Caller] = {}

    def wait_seconds(self, caller: str) -> float:
        """How long this one has to wait before its key is looked at; 0 when it need not."""
        known = self._callers.get(caller)
        if known is None:
            return 0.0
        return max(0.0, known.free_at - self._now() - (AT_ONCE - 1) * SECONDS_EACH)

    def count(self, caller: str, wrong: int) -> bool:
        """It showed so many wrong keys. True when it has to wait now and that should be told."""
        now = self._now()
        known = self._callers.get(caller)
        if known is None:
            self._make_room(now)
            known = self._callers[caller] = _Caller(now, now)
        known.free_at = max(known.free_at, now) + wrong * SECONDS_EACH
        if self.wait_seconds(caller) == 0.0 or now < known.quiet_until:
            return False
        known.quiet_until = now + QUIET_SECONDS
        return True

    def _make_room(self, now: float) -> None:
        if len(self._callers) < MOST_CALLERS:
            return
        self._callers = {name: one for name, one in self._callers.items() if one.free_at > now}
        if len(self._callers) >= MOST_CALLERS:
            del self._callers[min(self._callers, key=lambda name: self._callers[name].free_at)]
