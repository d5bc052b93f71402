"""Which services have failed and wait, remembered over restarts of the agent.

A key is (app, service); (app, "") stands for an App's networks and volumes, ("", image) for the
removal of an image.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Callable, Iterable

from iotistic.controllers.clock import now_text
from iotistic.rollout.backoff import LOOP_EXITS, STABLE_SECONDS, Failing, after_failure, is_loop
from iotistic.store.base import Backoff, Store

Key = tuple[str, str]


class Failures:
    """Failing services and when they are tried again."""

    def __init__(self, store: Store, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._now = monotonic
        self._failing: dict[Key, Failing] = {}
        self._exits: dict[Key, deque[float]] = defaultdict(lambda: deque(maxlen=LOOP_EXITS))
        self._steady_since: dict[Key, tuple[str, float]] = {}
        for row in store.backoffs():
            self._failing[row.app, row.service] = Failing(
                failures=row.failures,
                retry_at=self._now() + row.seconds_left,
                reason=row.reason,
                message=row.message,
            )

    def fail(self, key: Key, reason: str, message: str, hint: str = "") -> Failing:
        """Note one more failure; durable when it returns."""
        now = self._now()
        failing = after_failure(
            self._failing.get(key),
            now=now,
            reason=reason,
            message=message,
            hint=hint,
            jitter=random.random(),
            since=now_text(),
        )
        self._failing[key] = failing
        self._steady_since.pop(key, None)
        if key[0]:
            self._store.put_backoff(
                Backoff(
                    app=key[0],
                    service=key[1],
                    failures=failing.failures,
                    seconds_left=failing.retry_at - now,
                    reason=reason,
                    message=message,
                )
            )
        return failing

    def note_exit(self, key: Key) -> bool:
        """Note that a container has exited by itself; True when that makes a crash loop."""
        now = self._now()
        exits = self._exits[key]
        exits.append(now)
        if not is_loop(exits, now):
            return False
        exits.clear()
        return True

    def get(self, key: Key) -> Failing | None:
        """What is known of a failing service; None for one that does well."""
        return self._failing.get(key)

    def retry_seconds(self, key: Key) -> float | None:
        """Seconds until the next try; None when it does not wait."""
        failing = self._failing.get(key)
        return failing.retry_at - self._now() if failing and failing.waits(self._now()) else None

    def waiting(self) -> set[Key]:
        """Keys that must not be tried now."""
        now = self._now()
        return {key for key, failing in self._failing.items() if failing.waits(now)}

    def forget(self, keys: Iterable[Key]) -> None:
        """Forget these, because somebody changed something or it went well."""
        for key in list(keys):
            self._exits.pop(key, None)
            self._steady_since.pop(key, None)
            if self._failing.pop(key, None) is not None and key[0]:
                self._store.forget_backoff(*key)

    def forget_app(self, app: str, services: Iterable[str] | None = None) -> None:
        """Forget an App's failures: of these services, or all with its own."""
        wanted = None if services is None else {*services, ""}
        self.forget([key for key in self._failing if key[0] == app and (wanted is None or key[1] in wanted)])

    def forget_reason(self, reason: str) -> None:
        """Forget all failures of one kind."""
        self.forget([key for key, failing in self._failing.items() if failing.reason == reason])

    def running(self, steady: dict[Key, str]) -> None:
        """Tell which services run well now, with the moment their container started; after ten
        minutes of the same container their failures are forgotten."""
        now = self._now()
        for key in [key for key in self._failing if key[1] and not self._failing[key].waits(now)]:
            started = steady.get(key)
            if started is None:
                self._steady_since.pop(key, None)
                continue
            known = self._steady_since.get(key)
            if known is None or known[0] != started:
                self._steady_since[key] = (started, now)
            elif now - known[1] >= STABLE_SECONDS:
                self.forget([key])

    def next_moment(self) -> float | None:
        """Seconds until something here changes by itself; None when nothing does."""
        now = self._now()
        moments = [failing.retry_at - now for failing in self._failing.values() if failing.waits(now)]
        moments += [since + STABLE_SECONDS - now for _, since in self._steady_since.values()]
        return max(0.0, min(moments)) if moments else None
