"""An App as it may run now: of one release, with the contents of its day and today's run states. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from iotistic.api.app import App
from iotistic.api.appservice import RunState
from iotistic.controllers.cluster.children import service_of
from iotistic.controllers.cluster.ports import Key, Object
from iotistic.controllers.cluster.revisions import Revision
from iotistic.engines.kubernetes import names
from iotistic.engines.kubernetes.render import render
from iotistic.engines.kubernetes.values import RESTARTED_ANNOTATION, Dns, RenderContext, Rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOptions:
    """What is the same for all Apps."""

    dns: Dns = field(default_factory=Dns)
    registry_override: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """What may run, and what that is on the cluster."""

    app: App
    digest: str
    release: str
    context: RenderContext
    rendered: Rendered


def run_states(app_services: Iterable[Object]) -> dict[str, RunState]:
    """Run states by service, from the App's AppServices; what can't be read is Running."""
    states = {}
    for found in app_services:
        said = (found.get("spec") or {}).get("runState")
        service = (found.get("spec") or {}).get("service") or service_of(found)
        if service and said in {"Stopped", "Paused"}:
            states[str(service)] = RunState(said)
    return states


def effective(
    wanted: App,
    revision: Revision,
    app_services: Sequence[Object],
    *,
    key: Key,
    uid: str,
    wanted_digest: str,
    options: ClusterOptions,
) -> Effective | None:
    """An App at a release; None when today's model can't read that release.

    What becomes of its volumes when it goes is always as wanted now.
    """
    app = wanted if revision.digest == wanted_digest else revision.app(wanted)
    if app is None:
        return None
    if app is not wanted:
        policy = {"deletion_policy": wanted.spec.deletion_policy}
        app = app.model_copy(update={"spec": app.spec.model_copy(update=policy)})
    context = RenderContext(
        namespace=key.namespace,
        app_uid=uid,
        release=revision.release,
        release_digest=revision.digest,
        # Nothing can be paused here, so the App is stalled, and what runs runs on.
        run_states={name: one for name, one in run_states(app_services).items() if one is RunState.STOPPED},
        copies=revision.copies,
        dns=options.dns,
        registry_override=options.registry_override,
    )
    rendered = _with_restarts(render(app, context), app.name, app_services)
    return Effective(
        app=app, digest=revision.digest, release=revision.release, context=context, rendered=rendered
    )


def _with_restarts(rendered: Rendered, app: str, app_services: Sequence[Object]) -> Rendered:
    """The same with the moments at which somebody asked for new containers, in their pods' annotations."""
    asked = {
        found["metadata"]["name"]: (found["metadata"].get("annotations") or {}).get(RESTARTED_ANNOTATION)
        for found in app_services
    }
    workloads: dict[str, dict[str, Any]] = {}
    for service, workload in rendered.workloads.items():
        moment = asked.get(names.child(app, service))
        workloads[service] = _annotated(workload, moment) if moment else workload
    changed = {id(rendered.workloads[service]): new for service, new in workloads.items()}
    objects = tuple(changed.get(id(one), one) for one in rendered.objects)
    return replace(rendered, objects=objects, workloads=workloads)


def _annotated(workload: Mapping[str, Any], moment: str) -> dict[str, Any]:
    spec = workload["spec"]
    metadata = spec["template"].get("metadata") or {}
    annotations = {**(metadata.get("annotations") or {}), RESTARTED_ANNOTATION: moment}
    template = {**spec["template"], "metadata": {**metadata, "annotations": annotations}}
    return {**workload, "spec": {**spec, "template": template}}
