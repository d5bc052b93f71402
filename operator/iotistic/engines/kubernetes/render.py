"""An App as objects of a cluster. Pure: nothing is looked up, nothing is applied."""

from __future__ import annotations

from iotistic.api.app import App
from iotistic.api.appservice import RunState
from iotistic.api.base import API_VERSION
from iotistic.api.service import RestartPolicy, Service
from iotistic.engines.kubernetes import names
from iotistic.engines.kubernetes.networking import services
from iotistic.engines.kubernetes.pods import template
from iotistic.engines.kubernetes.policies import policies
from iotistic.engines.kubernetes.storage import claims
from iotistic.engines.kubernetes.strategies import deployment_strategy, is_job
from iotistic.engines.kubernetes.values import RELEASE_ANNOTATION, Object, RenderContext, Rendered

FOREVER = 2**31 - 1
"""Most failures that a Job can be allowed: OnFailure starts again and again, as on Docker."""


def render(app: App, context: RenderContext) -> Rendered:
    """All objects of an App, but the EndpointSlice behind its names (`networking.names_slice`).

    Args:
        app: as written; `refusals.refused` has found nothing in it.
        context: namespace, owner, run states, copies of Secrets and ConfigMaps, DNS.
    """
    workloads = {service.name: _workload(app, service, context) for service in app.spec.services}
    objects = (
        _account(app, context),
        *claims(app, context),
        *services(app, context),
        *policies(app, context),
        *(_app_service(app, service, context) for service in app.spec.services),
        *workloads.values(),
    )
    return Rendered(objects=objects, workloads=workloads)


def _account(app: App, context: RenderContext) -> Object:
    """An account of the App's own without any right; no token of it is mounted anywhere."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": names.metadata(app, context, names.account(app.name)),
        "automountServiceAccountToken": False,
    }


def _app_service(app: App, service: Service, context: RenderContext) -> Object:
    """Its `runState` is people's: it is never said here."""
    return {
        "apiVersion": API_VERSION,
        "kind": "AppService",
        "metadata": names.metadata(app, context, names.child(app.name, service.name), service.name),
        "spec": {"app": app.name, "service": service.name},
    }


def _workload(app: App, service: Service, context: RenderContext) -> Object:
    metadata = names.metadata(app, context, names.child(app.name, service.name), service.name)
    if context.release:
        metadata["annotations"] = {RELEASE_ANNOTATION: context.release}
    stopped = context.run_states.get(service.name, RunState.RUNNING) is not RunState.RUNNING
    pods = template(app, service, context)
    if is_job(service):
        once = service.restart_policy is RestartPolicy.NEVER
        spec = {"suspend": stopped, "backoffLimit": 0 if once else FOREVER, "template": pods}
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}
    spec = {
        "replicas": 0 if stopped else 1,
        "revisionHistoryLimit": 0,
        "selector": {"matchLabels": names.selector(app.name, service.name)},
        "strategy": deployment_strategy(app, service),
        "template": pods,
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
