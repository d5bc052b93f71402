"""The values of the rollout: what is wanted, what was seen, what is kept, what was decided.

Neither engine shows through: services are names with words, releases are digests, images are names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    """Where a release is on its way; derived at each turn, never stored."""

    IDLE = "Idle"
    """Nothing has been wanted yet."""
    PREPARING = "Preparing"
    """Its images come, or nothing is known of it yet; what ran before goes on."""
    WAITING = "Waiting"
    """Somebody holds it back: see `Wait`."""
    APPLYING = "Applying"
    """Some service is not as the release says yet."""
    VERIFYING = "Verifying"
    """All services are as the release says; whether they get ready, and stay so, is being seen."""
    DONE = "Done"
    """It is good: the release to go back to from now on."""
    UNDOING = "Undoing"
    """It has failed; the last good release is coming back."""
    UNDONE = "Undone"
    """It has failed; the last good release serves."""
    FAILED = "Failed"
    """It has failed and stays: there is nothing to go back to, or autoUndo is false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """One moment, by all three clocks."""

    wall: str
    """RFC 3339, UTC. For people only: it may jump by years."""
    monotonic: float
    """Seconds of a clock that runs since the machine started and outlives this process (CLOCK_MONOTONIC)."""
    boot: str
    """Differs after each start of the machine that runs the App; on a cluster one constant word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release: its digest is what counts, its name is what people say."""

    digest: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the rollout has to know of a wanted App; all but the first two are from its spec, if
    not said otherwise."""

    digest: str
    """Release digest of the wanted spec and contents."""
    release: str
    """Name of the wanted release."""
    images: tuple[str, ...] = ()
    """Images of the wanted release, for `Decision.prepare`; without those of services whose strategy
    brings the old container down first."""
    deadline_seconds: float = 300.0
    min_ready_seconds: float = 10.0
    auto_undo: bool = True
    suspend: bool = False
    stopped: tuple[str, ...] = ()
    """Services that somebody wants Stopped or Paused now; not from its spec."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceReadiness:
    """One service, compared with one release."""

    name: str
    ready: bool
    """It is as the release says, runs, and its probes agree. Wanted Stopped or Paused and being so, or
    a job that exited with 0, counts as ready."""
    current: bool = True
    """It is as the release says, ready or not."""
    state: str = ""
    """The word of `ServiceStatus.state`."""
    reason: str = ""
    """Why it is not ready, in a few words that stay true: no seconds until the next try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """An App as it was seen, compared with one release."""

    digest: str = ""
    """Release that it was compared with. What was compared with another than the one that may run
    counts as nothing known."""
    services: tuple[ServiceReadiness, ...] = ()
    blocked: str = ""
    """Why the App as a whole can't become ready (it would lose data, a network can't be made)."""
    missing: tuple[str, ...] = ()
    """Images, in their short form, that services which still have to change need and that are not there."""
    fetching: bool = False
    """A fetch for it makes progress. Smooth it over some 30 s: each change is a write."""
    locked: str = ""
    """The user's lock that it waits for (R8), in words; empty when it waits for none."""

    @property
    def all_ready(self) -> bool:
        """Every service is ready."""
        return bool(self.services) and not self.blocked and all(service.ready for service in self.services)

    @property
    def all_current(self) -> bool:
        """Every service is as the release says."""
        return bool(self.services) and all(service.current for service in self.services)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a release has failed."""

    digest: str
    release: str
    reason: str
    """DeadlineExceeded or RebootLoop."""
    message: str
    """In words, without the release: `web never became ready (GET :8080/health -> 500)`."""
    since: str
    """RFC 3339, wall clock: for people only."""
    seconds: float = 0.0
    """How much of its deadline it had used."""
    deadline_seconds: float
    min_ready_seconds: float
    """What was asked of it; when either changes it gets another chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment by the clock that never jumps; means nothing after a reboot."""

    boot: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What only this process has seen. Never stored: after a start it is empty, and looking begins again."""

    phase: Phase = Phase.IDLE
    """Phase of the last turn."""
    seen: float | None = None
    """Monotonic moment of the last turn."""
    ready_at: float | None = None
    """Since when all services have been ready without a break."""
    been_ready: frozenset[str] = frozenset()
    """Services that were ready at some moment of this attempt."""
    whole: bool = False
    """It has been watched since this attempt began: `never` may be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutState:
    """What is kept of one App's rollout. All but `watch` outlives the process: see `record.to_text`."""

    attempt: Release | None = None
    """Being brought in, or failed and staying."""
    last_good: Release | None = None
    """Was ready as a whole, and is gone back to."""
    once_good: tuple[str, ...] = ()
    """Digests of releases that were good, the last one last: see `history`."""
    failure: Failure | None = None
    """With an attempt: that it has failed and stays. Without: what is quarantined."""
    failed: tuple[Failure, ...] = ()
    """Releases that have failed and were never good since, the last one last; for `history`."""
    undone: bool = False
    """The last good release has been ready again since the failure."""
    seconds_left: float = 0.0
    """Of the deadline: at the moment of `clock`, or, without one, now."""
    clock: Mark | None = None
    """Since when the deadline's clock runs; None while it stands still."""
    deadline_seconds: float = 0.0
    """The whole deadline; 0: the attempt has still to begin."""
    graced: bool = False
    """It has had its extra time after nobody had looked for a while."""
    boot: str = ""
    """Boot in which the attempt was last seen."""
    reboots: int = 0
    """Reboots while its containers ran."""
    stopped: tuple[str, ...] = ()
    """Services that were stopped or paused already when the attempt began: they don't hold it back."""
    wait: str = ""
    """Reason of a wait: Suspended, Locked or Stopped; empty when nobody holds it back."""
    wait_since: str = ""
    """RFC 3339, wall clock: for people only."""
    watch: Watch = field(default=Watch(), compare=False)

    @property
    def begun(self) -> bool:
        """An attempt is under way, or has failed and stays."""
        return self.attempt is not None and self.deadline_seconds > 0

    @property
    def effective(self) -> str:
        """Digest of the release that may run by this state; empty before the first step."""
        release = self.attempt if self.begun else self.last_good or self.attempt
        return release.digest if release else ""

    @property
    def quarantine(self) -> Failure | None:
        """The failed release that is not tried again."""
        return self.failure if self.attempt is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Why an App's rollout does not go on, and until when."""

    reason: str
    """Suspended, Locked or Stopped."""
    message: str
    since: str
    """RFC 3339, wall clock."""
    until: str = ""
    """RFC 3339; empty where nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing worth telling, once."""

    reason: str
    """One word for programs."""
    message: str
    """One sentence for people, without the App's name."""
    warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one turn has decided."""

    wanted: str
    """Digest of what was wanted in this turn."""
    effective: str
    """Digest of the release that may run now, as a whole."""
    prepare: tuple[str, ...] = ()
    """Images to get, and to keep, before anything is changed."""
    keep: tuple[str, ...] = ()
    """Digests of the releases whose images must stay on the device (but those of services with the
    strategy DeleteThenDownload: their undo downloads again)."""
    hold: bool = False
    """Leave everything of this App exactly as it is."""
    state: RolloutState
    persist: bool = False
    """Write `record.to_text` of the state before anything is done."""
    phase: Phase
    wait: Wait | None = None
    why: str = ""
    """What it waits for, or what went wrong, in one sentence; empty when all is well."""
    seconds_left: float | None = None
    """Of the attempt's deadline; None when none is under way."""
    ready_seconds: float | None = None
    """For how long all services of the attempt have been ready; None when not all are."""
    wake_in_seconds: float | None = None
    """Call again after so long, even when nothing has happened; None: not needed."""
    events: tuple[Event, ...] = ()
