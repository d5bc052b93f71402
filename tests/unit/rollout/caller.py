"""What an agent does around `step`, without an engine: a clock, one App, and what is seen of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from iotistic.rollout.record import from_text, to_text
from iotistic.rollout.release import retry, step
from iotistic.rollout.values import (
    Decision,
    Now,
    Phase,
    Readiness,
    RolloutState,
    ServiceReadiness,
    Wanted,
)

SERVICES = ("web", "db")
START = 1000.0
"""Monotonic clock of a machine that has run for a while."""


def wanted(digest: str = "a", **fields: object) -> Wanted:
    """An App whose release is named after its digest; 100 s for an update, 10 s of readiness."""
    values = {"release": digest.upper(), "images": (f"web:{digest}",), "deadline_seconds": 100.0}
    return replace(Wanted(digest=digest, release=""), **(values | fields))  # type: ignore[arg-type]


def services(
    ready: Iterable[str] = SERVICES, *, current: bool = True, reason: str = ""
) -> tuple[ServiceReadiness, ...]:
    """Both services; those not named are not ready."""
    return tuple(
        ServiceReadiness(name=name, ready=True)
        if name in ready
        else ServiceReadiness(name=name, ready=False, current=current, state="Starting", reason=reason)
        for name in SERVICES
    )


ALL_READY = Readiness(services=services())
CHANGING = Readiness(services=services((), current=False, reason="to be replaced"))
STARTING = Readiness(services=services((), reason="GET :8080/health -> 500"))
FETCHING = replace(CHANGING, missing=("web:b",), fetching=True)
NO_IMAGE = replace(CHANGING, missing=("web:b",))
LOCKED = replace(CHANGING, locked="shop/web is locked: backup")


@dataclass
class Caller:
    """One App and its rollout."""

    app: Wanted = field(default_factory=wanted)
    state: RolloutState = field(default_factory=RolloutState)
    stored: str = "{}"
    seconds: float = START
    boot: str = "boot-1"
    writes: int = 0
    decision: Decision | None = None
    told: list[tuple[str, str]] = field(default_factory=list)

    @property
    def now(self) -> Now:
        """This moment."""
        return Now(wall=f"at {self.seconds:.1f}", monotonic=self.seconds, boot=self.boot)

    @property
    def phase(self) -> Phase:
        """Phase of the last turn."""
        return self.decision.phase if self.decision else Phase.IDLE

    def turn(self, seen: Readiness = ALL_READY, *, after: float = 0.0) -> Decision:
        """Some time passes, the App is seen as the release that may run, one step, and its write."""
        self.seconds += after
        observed = replace(seen, digest=self.state.effective or self.app.digest)
        return self.turn_with(observed)

    def turn_with(self, observed: Readiness) -> Decision:
        """One step and its write, with exactly what was seen."""
        decision = step(self.app, self.state, observed, self.now)
        if decision.persist:
            self.stored = to_text(decision.state)
            self.writes += 1
        self.state, self.decision = decision.state, decision
        self.told += [(event.reason, event.message) for event in decision.events]
        return decision

    def cut(self) -> None:
        """The agent is killed and starts again."""
        self.state = from_text(self.stored)

    def reboot(self) -> None:
        """The machine starts again; its monotonic clock begins near zero."""
        self.boot = f"boot-{int(self.boot.partition('-')[2]) + 1}"
        self.seconds = 20.0
        self.cut()

    def want(self, digest: str | None = None, **fields: object) -> None:
        """Another spec is applied."""
        if digest is not None:
            fields = {"digest": digest, "release": digest.upper(), "images": (f"web:{digest}",)} | fields
        self.app = replace(self.app, **fields)  # type: ignore[arg-type]

    def ask_retry(self) -> None:
        """Somebody asks for another try."""
        self.state = retry(self.state)
        self.stored = to_text(self.state)

    def reasons(self) -> list[str]:
        """Reasons told since the last time this was asked."""
        reasons = [reason for reason, _ in self.told]
        self.told.clear()
        return reasons


def in_phase(phase: Phase) -> Caller:
    """A caller whose App is in that phase, on the ordinary way there: a is good, b is coming in.

    IDLE and FAILED are of a first install of b: there is no a.
    """
    caller = Caller(app=wanted("b"))
    if phase is Phase.IDLE:
        return caller
    if phase is Phase.FAILED:
        caller.turn(STARTING)
        caller.turn(STARTING, after=100)
        return _told_nothing(caller, phase)
    caller.app = wanted("a")
    caller.turn()
    caller.turn()
    if phase is Phase.DONE:
        return _told_nothing(caller, phase)
    caller.want("b")
    caller.turn()
    ways = {
        Phase.PREPARING: [NO_IMAGE],
        Phase.WAITING: [LOCKED],
        Phase.APPLYING: [CHANGING],
        Phase.VERIFYING: [STARTING],
    }
    for seen in ways.get(phase, []):
        caller.turn(seen, after=1)
    if phase in {Phase.UNDOING, Phase.UNDONE}:
        caller.turn(STARTING, after=100)
    if phase is Phase.UNDONE:
        caller.turn(after=1)
    return _told_nothing(caller, phase)


def _told_nothing(caller: Caller, phase: Phase) -> Caller:
    assert caller.phase is phase
    caller.told.clear()
    return caller
