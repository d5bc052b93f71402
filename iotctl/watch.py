"""What is known while something is waited for: from resources and events, in words. Pure.

Times are seconds since the waiting began, handed in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from iotctl.exits import ExitCode
from iotctl.flat import app_number, condition, is_ready
from iotctl.spans import short

Json = dict[str, Any]
NOTHING_MOVES = {"Held": "is held", "Orphaned": "is orphaned", "Deleting": "is being deleted"}
OLD_NEWS = frozenset({"Undoing", "Undone", "Failed"})
"""States that starting an App again does not end: what is waited for then is that it serves."""
_ON_A_SERVICE = re.compile(r"waits for (\S+ \((?:started|healthy|completed)\))")
WEB_PORTS = frozenset({80, 3000, 5000, 8000, 8080, 8888})


class Goal(StrEnum):
    """What is waited for."""

    READY = "ready"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLine:
    """One service, as a line of a view."""

    app: str
    service: str
    image: str
    word: str
    """Its state in one word."""
    seconds: float | None
    """Until it was ready, else how long it has been in this state; None when it was ready from the start."""
    note: str
    ready: bool = False
    failing: bool = False
    pulled: tuple[int, int] | None = None
    """Bytes that are there, and bytes in all (0: not known)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is said of an App as a whole while it is waited for."""

    what: str
    """Changes only with the situation; empty when nothing is to be said."""
    text: str
    at_once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How the waiting for one App ended."""

    code: ExitCode
    text: str
    app: Json | None = None
    """The App that did not get ready and will not by itself."""


@dataclass(slots=True)
class _Seen:
    """What was seen of one service so far."""

    state: str = ""
    since: float = 0.0
    ready_at: float | None = None
    was_ready: bool = False
    """At the first look already."""
    waited_for: str = ""


@dataclass(slots=True, kw_only=True)
class Watch:
    """Everything that is waited for at once."""

    goal: Goal
    apps: Sequence[str]
    generations: Mapping[str, int] = field(default_factory=dict)
    """Generation that must be reached; any when an App is not in it."""
    restarting: bool = False
    """What is wanted was only started again: what became of its release before is no news."""
    host: str = "localhost"
    """Host of published ports."""
    found: dict[str, Json] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    trouble: str = ""
    """Why the agent can't be asked now; empty when it answers."""
    _pulls: dict[str, tuple[int, int]] = field(default_factory=dict)
    _seen: dict[tuple[str, str], _Seen] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)
    """Apps whose release was undone, or had failed, before they were started."""

    def take_app(self, name: str, app: Json | None, now: float) -> None:
        """An App as it is now; None when there is none."""
        if app is None:
            self.gone.add(name)
            self.found.pop(name, None)
            return
        self.gone.discard(name)
        state = (app.get("status") or {}).get("state")
        if name not in self.found and self.restarting and state in OLD_NEWS:
            self._known.add(name)
        self.found[name] = app
        for status in _statuses(app) if self._is_current(name) else ():
            self._note(name, status, now)

    def take_event(self, event: Json) -> None:
        """An event; only the progress of downloads matters."""
        data = event.get("data") or {}
        if event.get("type") == "Progress" and data.get("image"):
            self._pulls[data["image"]] = (int(data.get("current") or 0), int(data.get("total") or 0))

    def verdict(self, name: str, now: float) -> Verdict | None:
        """How it ended for this App; None while it has not."""
        if self.goal is Goal.DELETED:
            return (
                Verdict(code=ExitCode.DONE, text=f"App {name} is deleted ({short(now)}).")
                if name in self.gone
                else None
            )
        if name in self.gone:
            return Verdict(code=ExitCode.FAILED, text=f"App {name} is not there any more.")
        app = self.found.get(name)
        if app is None or not self._is_current(name):
            return None
        if (app.get("status") or {}).get("state") == "Stopped":
            return None if self.restarting else _stopped(name, app)
        if is_ready(app):
            return _done(name, app, now)
        return _serves_again(name, app, now) if name in self._known else _stuck(name, app)

    def lines(self, name: str, now: float) -> list[ServiceLine]:
        """One line a service, in the order of the spec."""
        app = self.found.get(name)
        if app is None:
            return []
        specs = {service["name"]: service for service in app["spec"].get("services", [])}
        if not self._is_current(name):
            return [_unseen(name, spec) for spec in specs.values()]
        return [self._line(name, status, specs.get(status["name"], {}), now) for status in _statuses(app)]

    def head(self, name: str) -> str:
        """Name and release."""
        release = (self.found.get(name, {}).get("status") or {}).get("release", "")
        return f"{name}  release {release}" if release else name

    def notice(self, name: str) -> Notice:
        """That it goes back to an earlier release, or what it waits for when no service does."""
        app = self.found.get(name)
        nothing = Notice(what="", text="")
        if app is None or self.goal is Goal.DELETED or not self._is_current(name):
            return nothing
        status = app.get("status") or {}
        why = str(status.get("why") or "")
        if status.get("state") == "Undoing":
            what, back, _ = why.partition("; going back to release ")
            text = f"App {name}: {what}{back}{status.get('release', '')}" if back else f"App {name}: {why}"
            return Notice(what="Undoing", text=text, at_once=True)
        if why and not is_ready(app) and all(service.get("ready") for service in _statuses(app)):
            return Notice(what=why, text=f"App {name}: {why}")
        return nothing

    def unfinished(self, name: str, now: float) -> str:
        """What is still waited for, and what to type next."""
        app = self.found.get(name)
        if self.trouble:
            return self.trouble
        if app is None:
            return f"App {name} has not been seen yet."
        status = app.get("status") or {}
        if self.goal is Goal.DELETED:
            return (
                f"App {name} is still there: {status.get('why') or status.get('state') or 'no reason given'}."
            )
        waiting = [line for line in self.lines(name, now) if not line.ready]
        count = status.get("ready", "").replace("/", " of ")
        head = f"App {name} is not ready ({count} services)." if count else f"App {name} is not ready."
        rows = [f"  {line.service}  {line.word}{'  ' + line.note if line.note else ''}" for line in waiting]
        logs = [
            f"iotctl logs {name} {line.service}"
            for line in waiting
            if line.word not in {"waiting", "pulling"}
        ]
        whole = _kept_back(app) if self._is_current(name) else ""
        notice = self.notice(name).text or (f"App {name}: {whole}" if whole else "")
        told = [head, *([notice] if notice else []), *rows]
        commands = [f"iotctl explain app {name}", *logs[:1], f"iotctl wait app/{name}"]
        return "\n".join([*told, now_what(*commands)])

    def _is_current(self, name: str) -> bool:
        """Whether the status speaks of the generation that is waited for."""
        app = self.found[name]
        wanted = self.generations.get(name, app["metadata"].get("generation") or 0)
        return int((app.get("status") or {}).get("observedGeneration", -1)) >= wanted

    def _note(self, app: str, status: Json, now: float) -> None:
        known = self._seen.get((app, status["name"]))
        seen = known or _Seen()
        self._seen[app, status["name"]] = seen
        if status.get("state") != seen.state:
            seen.state, seen.since = status.get("state", ""), now
        waits = _ON_A_SERVICE.fullmatch(status.get("reason") or "")
        if waits:
            seen.waited_for = waits[1]
        if not status.get("ready"):
            seen.ready_at = None
            seen.was_ready = False
        elif known is None:
            seen.was_ready = True
        elif seen.ready_at is None and not seen.was_ready:
            seen.ready_at = now

    def _line(self, app: str, status: Json, spec: Json, now: float) -> ServiceLine:
        seen = self._seen[app, status["name"]]
        ready, state = bool(status.get("ready")), str(status.get("state", ""))
        image = str(spec.get("image") or status.get("image", ""))
        return ServiceLine(
            app=app,
            service=status["name"],
            image=image,
            word=("ready" if state == "Running" else state.lower()) if ready else _words(state),
            seconds=seen.ready_at if ready else now - seen.since,
            note=self._ready_note(status, spec, seen) if ready else _reason(status),
            ready=ready,
            failing=state in {"CrashLoop", "Failed", "Unhealthy"},
            pulled=self._pulls.get(_full(image)) if state == "Pulling" else None,
        )

    def _ready_note(self, status: Json, spec: Json, seen: _Seen) -> str:
        waited = f"waited for {seen.waited_for}" if seen.waited_for else ""
        addresses = [_address(port, spec, self.host) for port in status.get("ports", [])]
        return "  ".join([*addresses, waited]).strip()


def _done(name: str, app: Json, now: float) -> Verdict:
    status = app.get("status") or {}
    count = str(status.get("ready", "")).replace("/", " of ")
    still = [one["name"] for one in _statuses(app) if one.get("state") in {"Stopped", "Paused"}]
    more = f"; not running, as somebody asked: {', '.join(still)}" if still else ""
    return Verdict(code=ExitCode.DONE, text=f"App {name} is ready ({count} services, {short(now)}{more}).")


def _stopped(name: str, app: Json) -> Verdict:
    """It does what it was told, but is not what was waited for."""
    why = (app.get("status") or {}).get("why")
    text = f"App {name} is stopped, as somebody asked" + (f"; {why}." if why else ".")
    return Verdict(
        code=ExitCode.FAILED,
        text=f"{text}\n{now_what(f'iotctl apps start {app_number(app) or name} --wait')}",
    )


def _serves_again(name: str, app: Json, now: float) -> Verdict | None:
    """The end for an App whose newest release had failed before it was started again."""
    status = app.get("status") or {}
    if status.get("state") not in OLD_NEWS:
        return _stuck(name, app)
    if status.get("state") != "Undone" or not all(one.get("ready") for one in _statuses(app)):
        return None
    count = str(status.get("ready", "")).replace("/", " of ")
    serves = f"App {name} serves release {status.get('release', '')} ({count} services, {short(now)})"
    return Verdict(code=ExitCode.DONE, text=f"{serves}; undone as before: {status.get('why', '')}")


def _stuck(name: str, app: Json) -> Verdict | None:
    """The end when nothing will move by itself."""
    status = app.get("status") or {}
    why = status.get("why") or ""
    stalled = condition(app, "Stalled")
    if stalled.get("status") == "True":
        why = stalled.get("message") or why
        if stalled.get("reason") == "Undone":
            return Verdict(code=ExitCode.UNDONE, text=f"App {name} was undone: {why}", app=app)
        fate = "has failed" if status.get("state") == "Failed" else "is stalled"
        return Verdict(code=ExitCode.FAILED, text=f"App {name} {fate}: {why}", app=app)
    words = NOTHING_MOVES.get(str(status.get("state", "")))
    if not words:
        return None
    # An orphaned App's reason begins with that word.
    text = f"App {name} {words}: {why.removeprefix('orphaned: ')}"
    return Verdict(code=ExitCode.FAILED, text=text, app=app)


def _kept_back(app: Json) -> str:
    """Why nothing of the App comes further, as a refusal: what no reason of a service says.

    The scheduler says of a pod only that it lacks a volume; what refused the volume, the App says.
    """
    why, services = str((app.get("status") or {}).get("why") or ""), _statuses(app)
    by_service = why.partition(" ")[0].removesuffix(":") in {one["name"] for one in services}
    return "" if by_service or any(_reason(one) in why for one in services if _reason(one)) else why


def _unseen(app: str, spec: Json) -> ServiceLine:
    note = "not looked at yet"
    return ServiceLine(
        app=app, service=spec["name"], image=spec.get("image", ""), word="waiting", seconds=None, note=note
    )


def _statuses(app: Json) -> list[Json]:
    found: list[Json] = (app.get("status") or {}).get("services") or []
    return found


def now_what(*commands: str) -> str:
    """What to type next."""
    return "What now:  " + "   |   ".join(commands)


def _reason(status: Json) -> str:
    """Why a service is not ready, without the word of its state."""
    reason = str(status.get("reason") or "")
    return reason.removeprefix("pulling ") if status.get("state") == "Pulling" else reason


def _words(state: str) -> str:
    """`CrashLoop` as `crash loop`."""
    return "".join(f" {one.lower()}" if one.isupper() else one for one in state).strip() or "waiting"


def _full(image: str) -> str:
    from iotistic.api.image import parse_image

    try:
        return parse_image(image).full
    except ValueError:
        return image


def _address(port: str, spec: Json, host: str) -> str:
    """`8080->80/tcp` as where to reach it; as a link where HTTP is likely."""
    published, arrow, inside = port.partition("->")
    if not arrow or inside.endswith("/udp"):
        return port
    number = published.rpartition(":")[2]
    container_port = int(inside.partition("/")[0])
    probes = (spec.get(name) or {} for name in ("readinessProbe", "livenessProbe", "startupProbe"))
    http = container_port in WEB_PORTS or any("httpGet" in probe for probe in probes)
    return f"http://{host}:{number}" if http else f"{host}:{number}"
