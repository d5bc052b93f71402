"""What containers write, and what happens to Apps: logs, events, commands inside, usage."""

from __future__ import annotations

import base64
import json
import queue
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from iotctl.cluster.apps import one_app
from iotctl.cluster.server import ForbiddenError, Server
from iotctl.exits import CommandError, ExitCode, NotFoundError
from iotistic.api.quantity import memory_bytes
from iotistic.engines.kubernetes.names import last_lines
from iotistic.engines.kubernetes.values import APP_LABEL, KEPT_AT_ANNOTATION, SERVICE_LABEL

Json = dict[str, Any]
METRICS = "/apis/metrics.k8s.io/v1beta1"
NO_LOG = "unable to retrieve container logs for "
"""So the kubelet answers, in the place of lines, of a container that the node has removed."""
ENDED = re.compile(r"command terminated with exit code \d+\n\Z")
"""kubectl's own word, after what the command wrote."""
NANO, MICRO, MILLI = 1e9, 1e6, 1e3


def lines(server: Server, app: str, service: str, query: Mapping[str, object]) -> Iterator[Json]:
    """Lines of an App's containers, or of one service's, oldest first; with `follow` as they come."""
    if query.get("previous"):
        yield from _previous(server, app, service, query)
        return
    pods = _pods(server, app, service)
    if not query.get("follow"):
        found = [line for pod in pods for line in _read(server, pod, query)]
        found.sort(key=lambda line: line["time"])
        yield from _last(found, query)
        return
    came: queue.SimpleQueue[Json | None] = queue.SimpleQueue()
    for pod in pods:
        threading.Thread(target=_follow, args=(server, pod, query, came), daemon=True).start()
    left = len(pods)
    while left:
        line = came.get()
        if line is None:
            left -= 1
        else:
            yield line


def _previous(server: Server, app: str, service: str, query: Mapping[str, object]) -> Iterator[Json]:
    """What a container wrote that is gone: the one before in the same pod, or one of a release that was
    undone since."""
    pods = _pods(server, app, service)
    kept: dict[str, str] = {}
    at, refused = "", None
    try:
        kept, at = _kept(server, app)
    except ForbiddenError as error:
        refused = error
    shown: list[Json] = []
    for name in sorted({pod["metadata"]["labels"][SERVICE_LABEL] for pod in pods}):
        mine = [pod for pod in pods if pod["metadata"]["labels"][SERVICE_LABEL] == name]
        if name in kept and at >= max(map(_ended_at, mine)):
            shown += _last([_line(mine[0], "", "stdout", text) for text in kept[name].splitlines()], query)
        else:
            shown += [line for pod in mine for line in _read(server, pod, query)]
    if refused is not None and not shown:
        raise refused
    if not shown:
        which = f"{app}/{service}" if service else f"App {app}"
        raise NotFoundError(
            f"No lines of an earlier container of {which} are kept.",
            hint="None was replaced or stopped yet, or it wrote nothing.",
        )
    yield from shown


def _last(found: list[Json], query: Mapping[str, object]) -> list[Json]:
    tail = query.get("tail")
    return found if tail is None else found[len(found) - min(int(str(tail)), len(found)) :]


def _kept(server: Server, app: str) -> tuple[dict[str, str], str]:
    """Last lines by service of the release that was undone last, and when they were read."""
    try:
        secret = server.one("Secret", last_lines(app))
    except NotFoundError:
        return {}, ""
    metadata = secret["metadata"]
    at = (metadata.get("annotations") or {}).get(KEPT_AT_ANNOTATION)
    if at is None or (metadata.get("labels") or {}).get(APP_LABEL) != app:
        return {}, ""
    data = secret.get("data") or {}
    return {name: base64.b64decode(text).decode(errors="replace") for name, text in data.items()}, str(at)


def _ended_at(pod: Json) -> str:
    """When the container before the present one ended; empty when there was none."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or [{}]
    return str(((statuses[0].get("lastState") or {}).get("terminated") or {}).get("finishedAt") or "")


def _follow(
    server: Server, pod: Json, query: Mapping[str, object], came: queue.SimpleQueue[Json | None]
) -> None:
    try:
        for line in _read(server, pod, query):
            came.put(line)
    except CommandError as error:
        came.put(_line(pod, "", "error", error.message))
    finally:
        came.put(None)


def _pods(server: Server, app: str, service: str) -> list[Json]:
    name = str(one_app(server, app)["metadata"]["name"])
    labels = f"{APP_LABEL}={name}" + (f",{SERVICE_LABEL}={service}" if service else "")
    found = [pod for pod in server.items("Pod", labels) if SERVICE_LABEL in pod["metadata"].get("labels", {})]
    if not found:
        where = f"{name}/{service}" if service else f"App {name}"
        raise NotFoundError(f"{where} has no container to read from.", hint=f"iotctl explain app {name}")
    return sorted(found, key=lambda pod: str(pod["metadata"].get("creationTimestamp")))


def _read(server: Server, pod: Json, query: Mapping[str, object]) -> Iterator[Json]:
    asked = {"timestamps": "true", "container": str(pod["spec"]["containers"][0]["name"])}
    if query.get("tail") is not None:
        asked["tailLines"] = str(query["tail"])
    if query.get("previous"):
        asked["previous"] = "true"
    follow = bool(query.get("follow"))
    if follow:
        asked["follow"] = "true"
    path = server.path("Pod", f"{pod['metadata']['name']}/log")
    try:
        for text in server.lines(path, asked, patient=follow):
            if text.startswith(NO_LOG):
                continue
            time, _, rest = text.partition(" ")
            yield _line(pod, time, "stdout", rest)
    except CommandError as error:
        # A container that has not begun, or never ended before, has no such log: that is no fault.
        if error.code is not ExitCode.BAD_INPUT:
            raise


def _line(pod: Json, time: str, stream: str, text: str) -> Json:
    return {"time": time, "service": pod["metadata"]["labels"][SERVICE_LABEL], "stream": stream, "text": text}


def events(server: Server, app: Any) -> Json:
    """Events of Apps that the cluster still keeps, oldest first."""
    found = server.items("Event", fields="involvedObject.kind=App")
    if app:
        name = str(one_app(server, str(app))["metadata"]["name"])
        found = [event for event in found if event["involvedObject"].get("name") == name]
    found.sort(key=_moment)
    return {"items": [_event(event) for event in found]}


def follow_events(server: Server, app: object) -> Iterator[Json | None]:
    """Events of Apps as they come; None first, and whenever an App has changed."""
    yield None
    version = str(server.ask("GET", server.path("Event"), {"limit": "1"})["metadata"]["resourceVersion"])
    query = {
        "watch": "true",
        "resourceVersion": version,
        "fieldSelector": "involvedObject.kind=App",
        "allowWatchBookmarks": "true",
    }
    for line in server.lines(server.path("Event"), query, patient=True):
        change = json.loads(line)
        if change.get("type") not in {"ADDED", "MODIFIED"}:
            yield None
            continue
        event = _event(change["object"])
        if not app or event["app"] == app:
            yield event


def _moment(event: Json) -> str:
    return str(
        event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp")
        or ""
    )


def _event(event: Json) -> Json:
    """As the Device API tells one. Its number is the version of the object: later ones are greater."""
    return {
        "seq": int(event["metadata"].get("resourceVersion") or 0),
        "time": _moment(event),
        "type": event.get("type") or "Normal",
        "reason": event.get("reason") or "",
        "app": event["involvedObject"].get("name") or "",
        "service": "",
        "message": event.get("message") or "",
        "data": {},
    }


def run_inside(server: Server, app: str, service: str, body: Json) -> Json:
    """Run a command in a service's container. kubectl does it: that needs a connection of its own kind."""
    program = shutil.which("kubectl") or shutil.which("k3s")
    if not program:
        raise CommandError(
            "Running a command in a pod needs kubectl, and it is not on this machine.",
            hint="Install kubectl, or use k3s kubectl on the node.",
        )
    running = [
        pod for pod in _pods(server, app, service) if (pod.get("status") or {}).get("phase") == "Running"
    ]
    if not running:
        raise CommandError(f"{app}/{service} has no running container.", hint=f"iotctl explain app {app}")
    words = [program, *(["kubectl"] if program.endswith("k3s") else []), *_who(server)]
    words += ["exec", str(running[-1]["metadata"]["name"]), "--", *body["command"]]
    try:
        done = subprocess.run(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=body["timeoutSeconds"],
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        seconds = body["timeoutSeconds"]
        raise CommandError(
            f"The command in {app}/{service} did not end within {seconds:g} s.", code=ExitCode.TIMED_OUT
        ) from error
    output = ENDED.sub("", done.stdout)
    return {"app": app, "service": service, "exitCode": done.returncode, "output": output}


def _who(server: Server) -> list[str]:
    """The same cluster for kubectl; in a pod it finds that by itself."""
    where = server.connection
    chosen = (
        [] if where.context == "in-cluster" else ["--kubeconfig", where.source, "--context", where.context]
    )
    return [*chosen, "--namespace", where.namespace]


def usage(server: Server, app: Any) -> Json:
    """CPU and memory by the metrics server, which k3s has."""
    namespace = server.connection.namespace
    try:
        answer = server.ask("GET", f"{METRICS}/namespaces/{namespace}/pods", {"labelSelector": SERVICE_LABEL})
    except NotFoundError as error:
        raise CommandError(
            "This cluster has no metrics server, so nobody knows what containers use.",
            hint="k3s has one unless it was started with --disable metrics-server.",
        ) from error
    rows = [_usage(pod) for pod in answer.get("items") or []]
    return {"items": [row for row in rows if not app or row["app"] == app]}


def _usage(pod: Json) -> Json:
    labels = pod["metadata"]["labels"]
    used = [container["usage"] for container in pod.get("containers") or []]
    return {
        "app": labels.get(APP_LABEL, ""),
        "service": labels.get(SERVICE_LABEL, ""),
        "cpuPercent": 100 * sum(_cores(str(one.get("cpu", "0"))) for one in used),
        "memoryBytes": sum(memory_bytes(str(one.get("memory", "0"))) for one in used),
        "memoryLimitBytes": 0,
    }


def _cores(text: str) -> float:
    for unit, parts in (("n", NANO), ("u", MICRO), ("m", MILLI)):
        if text.endswith(unit):
            return float(text[:-1]) / parts
    return float(text)
