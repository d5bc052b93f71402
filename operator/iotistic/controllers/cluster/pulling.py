"""Fetches images before anything that serves is stopped: one pod for each, which ends when it is there."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from iotistic.api.service import Service
from iotistic.controllers.cluster.applying import Applier
from iotistic.controllers.cluster.children import owned_by, ref_of
from iotistic.controllers.cluster.effective import Effective
from iotistic.controllers.cluster.looking import pods_of
from iotistic.controllers.cluster.memory import Memory
from iotistic.controllers.cluster.observing import SLOW_SECONDS
from iotistic.controllers.cluster.ports import ConflictError, Object, Reason, Ref
from iotistic.engines.kubernetes.pulls import pull_pod, pulled
from iotistic.engines.kubernetes.pullwords import pull_words
from iotistic.engines.kubernetes.values import IMAGE_ANNOTATION, PULL_LABEL, PullPhase


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulls:
    """How far the images are that have to come first."""

    missing: tuple[str, ...] = ()
    """Images, as written, that are not there yet."""
    failures: Mapping[str, str] | None = None
    """By image, why it can't be had now."""
    slow: bool = False
    """A fetch takes long, and goes on."""
    look_in: float | None = None
    """Look again after so long."""


def pulls(
    needed: Mapping[str, Service],
    children: Sequence[Object],
    memory: Memory,
    *,
    now: datetime,
    registry_names: Mapping[str, str],
) -> Pulls:
    """How far they are.

    Args:
        needed: images as written, with a service that needs each.
        children: of the App.
        memory: what was pulled is noted there.
        now: wall clock.
        registry_names: name under which each is asked for, by the name as written.
    """
    pods = _pods(children)
    missing, failures, slow, waits = [], {}, False, []
    for image, service in needed.items():
        asked = registry_names.get(image, image)
        pod = pods.get(asked)
        state = pulled(pod) if pod is not None else None
        if state is not None and state.phase is PullPhase.DONE:
            memory.pulled.add(image)
        if image in memory.pulled:
            continue
        missing.append(image)
        if state is None or pod is None:
            continue
        if state.phase is PullPhase.FAILED:
            logins = [secret.name for secret in service.image_pull_secrets]
            failures[image] = pull_words(state.message, logins)
        else:
            age = _age(pod, now)
            slow = slow or age >= SLOW_SECONDS
            waits.append(max(1.0, SLOW_SECONDS - age))
    return Pulls(missing=tuple(missing), failures=failures, slow=slow, look_in=min(waits, default=None))


async def fetch(
    needed: Mapping[str, Service],
    missing: Sequence[str],
    now_may_run: Effective,
    children: Sequence[Object],
    *,
    applier: Applier,
    memory: Memory,
    registry_names: Mapping[str, str],
) -> None:
    """Make the pods that are missing, and remove those that nothing needs any more."""
    wanted = {registry_names.get(image, image) for image in missing}
    for image, pod in _pods(children).items():
        state = pulled(pod)
        again = state.ended and state.phase is PullPhase.FAILED
        if owned_by(pod, memory.uid) and (image not in wanted or again):
            await applier.delete(pod, Reason.PULL, "the image was fetched or is needed no longer")
    there = _pods(children)
    asked: set[Ref] = set()
    for image in missing:
        if registry_names.get(image, image) in there:
            continue
        service = needed[image]
        pod = pull_pod(
            now_may_run.app,
            now_may_run.context,
            image,
            pull_secrets=[secret.name for secret in service.image_pull_secrets],
            node=_node(children, service.name),
        )
        asked.add(ref_of(pod))
        with contextlib.suppress(ConflictError):
            await applier.make(pod, Reason.PULL)
    applier.forget_pods(but=asked)


def _pods(children: Sequence[Object]) -> dict[str, Object]:
    """Pull pods by the image that they ask for."""
    return {
        str((child["metadata"].get("annotations") or {}).get(IMAGE_ANNOTATION) or ""): child
        for child in children
        if child["kind"] == "Pod" and PULL_LABEL in (child["metadata"].get("labels") or {})
    }


def _node(children: Sequence[Object], service: str) -> str:
    """The node where a service runs now."""
    nodes = [str((pod.get("spec") or {}).get("nodeName") or "") for pod in pods_of(children, service)]
    return next((node for node in nodes if node), "")


def _age(pod: Object, now: datetime) -> float:
    try:
        return (now - datetime.fromisoformat(pod["metadata"]["creationTimestamp"])).total_seconds()
    except (ValueError, KeyError, TypeError):
        return 0.0
