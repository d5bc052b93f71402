"""Conformance cases, read and judged.

A case is one round: Apps, what is observed, options, and exactly the steps that the planner must return;
or it is a pair of service specs that are the same or are not. Format: docs/planning.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from iotistic.api.base import Model
from iotistic.planning.rounds import next_steps
from iotistic.planning.short_form import (
    CaseError,
    at,
    read_apps,
    read_observed,
    read_options,
    validated,
    written_service,
)
from iotistic.planning.values import Action, Options, Step

__all__ = ["CaseError", "failures", "read_apps", "read_observed", "read_options"]

_MAKES_ANEW = frozenset({Action.KILL, Action.REMOVE, Action.HANDOVER})


def failures(case: Mapping[str, Any]) -> list[str]:
    """How the planner's answer differs from what a case expects; empty when it does not.

    Raises: CaseError naming the case's id, the place and what is wrong there.
    """
    name = case.get("id", "without id") if isinstance(case, Mapping) else "that is no mapping"
    try:
        read = validated(_Case, case)
        if read.same is not None:
            return _judge_pair(read)
        return _judge_round(read)
    except CaseError as error:
        raise CaseError(f"case {name}: {error}") from None


class _Expect(Model):
    steps: list[str]
    stalled: list[str] = []


class _Case(Model, extra="ignore"):
    apps: list[Any] | None = None
    observed: dict[str, Any] | None = None
    options: dict[str, Any] | None = None
    expect: _Expect | None = None
    a: dict[str, Any] | None = None
    b: dict[str, Any] | None = None
    same: bool | None = None


def _judge_round(case: _Case) -> list[str]:
    if case.expect is None:
        raise CaseError("expect: nothing is expected; a pair of specs has a, b and same instead")
    apps = read_apps(case.apps or [])
    found = next_steps(read_observed(case.observed or {}, apps), apps, read_options(case.options or {}))
    wanted = Counter(case.expect.steps)
    got = Counter(step.text for step in found.steps)
    stalled = sorted(stall.app for stall in found.stalled)
    failed = [f"missing {text}" for text in sorted((wanted - got).elements())]
    failed += [f"unexpected {text}" for text in sorted((got - wanted).elements())]
    if stalled != sorted(case.expect.stalled):
        failed.append(f"stalled {_listed(stalled)} instead of {_listed(sorted(case.expect.stalled))}")
    return failed


def _judge_pair(case: _Case) -> list[str]:
    """A container of either spec is made anew for the other, or it is not."""
    if case.a is None or case.b is None:
        raise CaseError("same: needs two specs, a and b")
    failed = []
    for spec, key in ((case.a, "a"), (case.b, "b")):
        at(key, written_service, spec)
    for words, was, wanted in (("a -> b", case.a, case.b), ("b -> a", case.b, case.a)):
        steps = _update_of_running(was, wanted)
        anew = [step for step in steps if step.action in _MAKES_ANEW]
        if case.same and anew:
            failed.append(f"{words}: made anew for {anew[0].cause}")
        if not case.same and not anew:
            failed.append(f"{words}: not made anew")
    return failed


def _update_of_running(was: Mapping[str, Any], wanted: Mapping[str, Any]) -> Sequence[Step]:
    """The round in which everything but the container is as wanted."""
    specs = [written_service(was), written_service(wanted)]
    networks = sorted({name for spec in specs for name in spec.networks} - {"default"})
    volumes = sorted({mount.name for spec in specs for mount in spec.volume_mounts})
    app: dict[str, Any] = {
        "name": "shop",
        "services": [{**wanted, "name": "web"}],
        "networks": [{"name": name} for name in networks],
        "volumes": [{"name": name} for name in volumes],
    }
    targets = read_apps([app])
    world = {
        "containers": [{"app": "shop", "service": "web", "spec": was}],
        "images": sorted({spec.image for spec in specs}),
        "networks": [{"app": "shop", "name": name} for name in targets[0].networks],
        "volumes": [{"app": "shop", "name": name} for name in volumes],
        "locks": {"held": ["shop"]},
    }
    return next_steps(read_observed(world, targets), targets, Options()).steps


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
