"""Why an App on a cluster is not as it should be, from what its operator wrote; the words are an agent's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from iotctl.cluster import refusals
from iotctl.cluster.specs import keys_named
from iotctl.flat import condition
from iotistic.rollout.wording import culprit

Json = dict[str, Any]
AGAIN = refusals.EDIT[-1]
FATES = {
    "Undone": "was undone and is quarantined",
    "Undoing": "is being undone",
    "Failed": "failed and stays",
}
NOT_READY = {"Unhealthy", "Exited", "Restarting", "Starting"}
WORST_FIRST = ("CrashLoop", "Failed", "Unhealthy", "Exited", "Restarting", "Pulling", "Starting")


class Told(NamedTuple):
    """One cause."""

    sentence: str
    """Without its end."""
    commands: Sequence[str]
    """What to type; a line in brackets is not to be typed."""
    since: str = ""
    """RFC 3339; empty where it is not known when that began."""


class Locked(NamedTuple):
    """A lock that somebody has set."""

    text: str
    since: str = ""
    """RFC 3339; empty where the lock does not say when it was set."""


def explain(
    app: Json, failure: Json, *, waits: Mapping[str, str] | None = None, lock: Locked | None = None
) -> Json:
    """As the Device API tells it: one sentence, since when, what to type.

    Args:
        app: as the API server has it.
        failure: of the release that failed, by the rollout's record; empty when none did.
        waits: since when the rollout waits, by the word for why, by that record.
        lock: in force now, whether or not anything waits for it.
    """
    name, status = str(app["metadata"]["name"]), app.get("status") or {}
    if int(status.get("observedGeneration", -1)) < int(app["metadata"].get("generation") or 0):
        sentence = f"no operator has looked at {name} since its spec changed"
        since = "" if status.get("observedGeneration") else str(app["metadata"]["creationTimestamp"])
        return _told(name, "Unseen", Told(sentence, ["iotctl diagnostics"], since), lock)
    found = _cause(app, name, status, failure, waits or {}) or Told(_serves(app, name, status), [])
    return _told(name, str(status.get("state") or ""), found, lock)


def _told(name: str, state: str, found: Told, lock: Locked | None) -> Json:
    sentence, commands, since = found
    if lock is not None and f"{name} is locked" not in sentence:
        sentence = f"{sentence}; {lock.text}"
        commands = [*commands, f"iotctl unlock {name}"]
        if lock.since and not since:
            since, sentence = lock.since, f"{sentence}, since {lock.since}"
    said = sentence.rstrip(".") + "."
    return {"app": name, "state": state, "sentence": said, "since": since, "commands": list(commands)}


def _cause(app: Json, name: str, status: Json, failure: Json, waits: Mapping[str, str]) -> Told | None:
    """From what stops everything to what only one service has; None of an App that is well."""
    state, why = str(status.get("state") or ""), str(status.get("why") or "")
    services: list[Json] = status.get("services") or []
    if state == "Held":
        edit = ["(set spec.suspend to false in its file) iotctl apply -f FILE"]
        return Told(f"{name} is {why}", edit, waits.get("Suspended", ""))
    if why.startswith(f"{name} is locked"):
        return Told(f"{name} waits: {why}", [f"iotctl unlock {name}"], waits.get("Locked", ""))
    if state == "Stalled":
        return Told(f"{name} is left alone: {why}", _stalled(app, name, why), _since(app, "Stalled"))
    stopped = [str(one["name"]) for one in services if one.get("runState") == "Stopped"]
    if stopped and all(one.get("ready") for one in services):
        return _by_hand(name, stopped, everything=len(stopped) == len(services), why=why)
    if failure and state in FATES:
        return _failed_release(app, name, status, failure)
    waiting = [one for one in services if not one.get("ready")]
    worst = min(waiting, key=_rank, default=None)
    if state == "Degraded" and why and (worst is None or not why.startswith(f"{worst['name']}: ")):
        advice = refusals.advice(why, _namespace(app), name)
        return Told(f"{name} can't go on: {why}", advice, _since(app, "Ready"))
    if worst is not None:
        return Told(*_of_service(name, worst, _namespace(app)), _since(app, "Ready"))
    if state in {"", "Ready"} and not why:
        return None
    look = refusals.where(why, _namespace(app))
    return Told(f"{name}: {why or state.lower()}", look or _wait(name), _since(app, "Ready"))


def _since(app: Json, type: str) -> str:
    """Since when a condition is as it is."""
    return str(condition(app, type).get("lastTransitionTime") or "")


def _stalled(app: Json, name: str, why: str) -> Sequence[str]:
    """What clears the reason for which an App is left alone."""
    namespace, keys = _namespace(app), keys_named(app.get("spec") or {})
    match condition(app, "Stalled").get("reason"):
        case "NameTaken":
            return refusals.taken(why, namespace)
        case "MissingReference":
            return refusals.missing(why, namespace, keys)
        case "Refused":
            return refusals.advice(why, namespace, name)
        case "Waiting":
            return _wait(name)
        case _:
            return [*refusals.missing(why, namespace, keys), *refusals.EDIT]


def _namespace(app: Json) -> str:
    return str(app["metadata"].get("namespace") or "default")


def _by_hand(name: str, stopped: Sequence[str], *, everything: bool, why: str) -> Told:
    if everything:
        unsaid = "stopped by hand before" not in why  # a release that is stopped while it comes in
        more = "" if unsaid else f"; {why}"
        return Told(f"{name} was stopped by hand{more}", [f"iotctl apps start {name}"])
    which = ", ".join(f"{name}/{service}" for service in stopped)
    commands = [f"iotctl services start {name}-{service}" for service in stopped]
    return Told(f"{which} was stopped by hand", commands)


def _failed_release(app: Json, name: str, status: Json, failure: Json) -> Told:
    services = status.get("services") or ()
    worst = next((one["name"] for one in services if not one.get("ready")), "")
    gone = culprit(str(failure["message"]), [one["name"] for one in services])
    look = refusals.where(str(failure["message"]), _namespace(app))
    logs = [f"iotctl services logs {name}-{worst}"] if worst else []
    if gone and not worst and not look and status["state"] == "Undone":
        logs = [f"iotctl services logs {name}-{gone} --previous"]
    return Told(
        f"{_serves(app, name, status)}; release {failure['release']} {FATES[status['state']]} since "
        f"{failure['since']} ({failure['message']})",
        [*look, *logs, *refusals.EDIT, f"iotctl retry {name}"],
        str(failure["since"]),
    )


def _of_service(app: str, service: Json, namespace: str) -> tuple[str, Sequence[str]]:
    where, logs = f"{app}/{service['name']}", f"iotctl services logs {app}-{service['name']}"
    state = str(service.get("state") or "Waiting")
    reason, retry = str(service.get("reason") or state.lower()), f"iotctl retry {app}"
    if state == "CrashLoop":
        return f"{where} is in a crash loop: {reason}", [f"{logs} --previous", AGAIN, retry]
    look = refusals.where(reason, namespace)
    if state == "Failed" and (look or service.get("exitCode") is None):
        return f"{where} can't be made: {reason}", refusals.advice(reason, namespace, app)
    if state == "Failed" or state in NOT_READY:
        return f"{where} is not ready: {reason}", [logs]
    return f"{where}: {reason}", [*look, *_wait(app)]


def _rank(service: Json) -> int:
    state = str(service.get("state"))
    return WORST_FIRST.index(state) if state in WORST_FIRST else len(WORST_FIRST)


def _serves(app: Json, name: str, status: Json) -> str:
    ready, _, all_of_them = str(status.get("ready") or "0/0").partition("/")
    release = status.get("release")
    if ready == "0":
        return f"nothing of {name} serves (release {release}, 0 of {all_of_them} ready)"
    if condition(app, "Available").get("status") == "False":
        return f"{name} is not available (release {release}, {ready} of {all_of_them} ready)"
    return f"{name} serves release {release} ({ready} of {all_of_them} ready)"


def _wait(name: str) -> list[str]:
    return [f"iotctl wait app/{name}"]
