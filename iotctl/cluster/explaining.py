"""Why an App on a cluster is not as it should be, from what its operator wrote; the words are an agent's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from iotctl.cluster import refusals
from iotctl.flat import condition
from iotistic.rollout.wording import culprit

Json = dict[str, Any]
Told = tuple[str, Sequence[str]]
"""A sentence without its end, and what to type; a line in brackets is not to be typed."""
AGAIN = refusals.EDIT[-1]
FATES = {
    "Undone": "was undone and is quarantined",
    "Undoing": "is being undone",
    "Failed": "failed and stays",
}
NOT_READY = {"Unhealthy", "Exited", "Restarting", "Starting"}
WORST_FIRST = ("CrashLoop", "Failed", "Unhealthy", "Exited", "Restarting", "Pulling", "Starting")


def explain(app: Json, failure: Json) -> Json:
    """As the Device API tells it: one sentence, since when, what to type.

    Args:
        app: as the API server has it.
        failure: of the release that failed, by the rollout's record; empty when none did.
    """
    name, status = str(app["metadata"]["name"]), app.get("status") or {}
    if int(status.get("observedGeneration", -1)) < int(app["metadata"].get("generation") or 0):
        sentence = f"no operator has looked at {name} since its spec changed"
        since = str(app["metadata"]["creationTimestamp"])
        return _told(name, "Unseen", (sentence, ["iotctl diagnostics"]), since)
    found = _cause(app, name, status, failure)
    state = str(status.get("state") or "")
    if found is None:
        return _told(name, state, (_serves(name, status), []), "")
    since = str(failure.get("since") or condition(app, "Ready").get("lastTransitionTime") or "")
    return _told(name, state, found, since)


def _told(name: str, state: str, found: Told, since: str) -> Json:
    sentence, commands = found
    said = sentence.rstrip(".") + "."
    return {"app": name, "state": state, "sentence": said, "since": since, "commands": list(commands)}


def _cause(app: Json, name: str, status: Json, failure: Json) -> Told | None:
    """From what stops everything to what only one service has; None of an App that is well."""
    state, why = str(status.get("state") or ""), str(status.get("why") or "")
    services: list[Json] = status.get("services") or []
    if state == "Held":
        return f"{name} is {why}", ["(set spec.suspend to false in its file) iotctl apply -f FILE"]
    if why.startswith(f"{name} is locked"):
        return f"{name} waits: {why}", [f"iotctl unlock {name}"]
    if state == "Stalled":
        return f"{name} is left alone: {why}", _stalled(app, name, why)
    stopped = [str(one["name"]) for one in services if one.get("runState") == "Stopped"]
    if stopped and all(one.get("ready") for one in services):
        return _by_hand(name, stopped, everything=len(stopped) == len(services), why=why)
    if failure and state in FATES:
        return _failed_release(name, status, failure, _namespace(app))
    waiting = [one for one in services if not one.get("ready")]
    worst = min(waiting, key=_rank, default=None)
    if state == "Degraded" and why and (worst is None or not why.startswith(f"{worst['name']}: ")):
        return f"{name} can't go on: {why}", refusals.advice(why, _namespace(app), name)
    if worst is not None:
        return _of_service(name, worst, _namespace(app))
    return None if state in {"", "Ready"} and not why else (f"{name}: {why or state.lower()}", _wait(name))


def _stalled(app: Json, name: str, why: str) -> Sequence[str]:
    """What clears the reason for which an App is left alone."""
    namespace = _namespace(app)
    match condition(app, "Stalled").get("reason"):
        case "NameTaken":
            return refusals.taken(why, namespace)
        case "MissingReference":
            return refusals.missing(why, namespace)
        case "Refused":
            return refusals.advice(why, namespace, name)
        case "Waiting":
            return _wait(name)
        case _:
            return [*refusals.missing(why, namespace), *refusals.EDIT]


def _namespace(app: Json) -> str:
    return str(app["metadata"].get("namespace") or "default")


def _by_hand(name: str, stopped: Sequence[str], *, everything: bool, why: str) -> Told:
    if everything:
        unsaid = "stopped by hand before" not in why  # a release that is stopped while it comes in
        more = "" if unsaid else f"; {why}"
        return f"{name} was stopped by hand{more}", [f"iotctl apps start {name}"]
    which = ", ".join(f"{name}/{service}" for service in stopped)
    return f"{which} was stopped by hand", [f"iotctl services start {name}-{service}" for service in stopped]


def _failed_release(name: str, status: Json, failure: Json, namespace: str) -> Told:
    services = status.get("services") or ()
    worst = next((one["name"] for one in services if not one.get("ready")), "")
    gone = culprit(str(failure["message"]), [one["name"] for one in services])
    look = refusals.where(str(failure["message"]), namespace)
    logs = [f"iotctl services logs {name}-{worst}"] if worst else []
    if gone and not worst and not look and status["state"] == "Undone":
        logs = [f"iotctl services logs {name}-{gone} --previous"]
    return (
        f"{_serves(name, status)}; release {failure['release']} {FATES[status['state']]} since "
        f"{failure['since']} ({failure['message']})",
        [*look, *logs, *refusals.EDIT, f"iotctl retry {name}"],
    )


def _of_service(app: str, service: Json, namespace: str) -> Told:
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


def _serves(name: str, status: Json) -> str:
    ready, _, all_of_them = str(status.get("ready") or "0/0").partition("/")
    release = status.get("release")
    if ready == "0":
        return f"nothing of {name} serves (release {release}, 0 of {all_of_them} ready)"
    return f"{name} serves release {release} ({ready} of {all_of_them} ready)"


def _wait(name: str) -> list[str]:
    return [f"iotctl wait app/{name}"]
