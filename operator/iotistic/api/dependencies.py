"""What dependsOn may say: services that are there, conditions that can come true, no circles."""

from __future__ import annotations

from collections.abc import Iterator

from iotistic.api.places import Place, names_of, quoted_list
from iotistic.api.wording import Finding, closest

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
MOST_CIRCLES = 10
"""Circles that are told at once; who has more mends these first."""


def check_dependencies(services: list[Place]) -> Iterator[Finding]:
    """Everything that is wrong with the dependencies of an App's services."""
    by_name = {service["name"].text: service for service in services if service["name"].text}
    for service in services:
        for name, wanted in service["dependsOn"].members():
            if name == service["name"].text:
                yield wanted.wrong("depends on itself")
            elif name not in by_name:
                yield _unknown(wanted, name, names_of(services))
            else:
                yield from _never(wanted, name, by_name[name])
    yield from _circles(by_name)


def _unknown(wanted: Place, name: str, known: list[str]) -> Finding:
    near = closest(name, known)
    message = f'no service "{name}" in this App (services: {quoted_list(known)})'
    return wanted.wrong(message, f"did you mean {near}?" if near else "")


def _never(wanted: Place, name: str, dependency: Place) -> Iterator[Finding]:
    """A condition that can't come true."""
    if wanted.text == "healthy" and not any(dependency[probe].given for probe in PROBES):
        yield wanted.wrong(
            f'"healthy" never comes: service "{name}" has no probe',
            f"give {name} a readinessProbe, or write started",
        )
    if wanted.text == "completed" and dependency["restartPolicy"].value in (None, "Always"):
        yield wanted.wrong(
            f'"completed" never comes: service "{name}" is always started again',
            f"give {name} restartPolicy: OnFailure or Never",
        )


def _circles(services: dict[str, Place]) -> Iterator[Finding]:
    waits = {
        name: [other for other, _ in service["dependsOn"].members() if other in services and other != name]
        for name, service in services.items()
    }
    for _ in range(MOST_CIRCLES):
        waits = _without_ends(waits)
        if not waits:
            return
        circle = _circle(waits)
        first = circle[0]
        path = " -> ".join([*circle, first])
        yield services[first]["dependsOn"][circle[1]].wrong(f"depends on itself in a circle: {path}")
        waits = {name: others for name, others in waits.items() if name not in circle}


def _without_ends(waits: dict[str, list[str]]) -> dict[str, list[str]]:
    """Only services that wait, directly or through others, for a circle."""
    left = {name: sum(other in waits for other in others) for name, others in waits.items()}
    users: dict[str, list[str]] = {}
    for name, others in waits.items():
        for other in others:
            users.setdefault(other, []).append(name)
    ends = [name for name, count in left.items() if not count]
    while ends:
        end = ends.pop()
        del left[end]
        for user in users.get(end, ()):
            left[user] -= 1
            if not left[user]:
                ends.append(user)
    return {name: [other for other in waits[name] if other in left] for name in left}


def _circle(waits: dict[str, list[str]]) -> list[str]:
    name = min(waits)
    path: dict[str, None] = {}
    while name not in path:
        path[name] = None
        name = waits[name][0]
    names = list(path)
    return names[names.index(name) :]
