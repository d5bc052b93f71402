"""Names and labels of an App's objects on the cluster."""

from __future__ import annotations

import hashlib

from iotistic.api.app import App
from iotistic.api.base import API_VERSION
from iotistic.engines.kubernetes.values import APP_LABEL, OPERATOR, SERVICE_LABEL, Object, RenderContext

LONGEST = 63
"""Of a Service's name, which is a DNS label; the others keep to it too."""


def child(app: str, part: str) -> str:
    """`<app>-<part>` of an AppService, workload, NetworkPolicy; one that is too long ends in a digest."""
    name = f"{app}-{part}"
    return name if len(name) <= LONGEST else _digested(app, part)


def service_object(app: str, service: str) -> str:
    """Name of a service's Service; one called `names` must not have that of `<app>-names`."""
    return _digested(app, service, "Service") if service == "names" else child(app, service)


def claim(app: str, volume: str) -> str:
    """Name of a volume's PersistentVolumeClaim."""
    return child(app, volume)


def names_object(app: str) -> str:
    """Name of the Service behind the names inside an App, and of its EndpointSlice."""
    return child(app, "names")


def account(app: str) -> str:
    """Name of an App's ServiceAccount; each namespace has one called `default` already."""
    return _digested(app, "account") if app == "default" else app


def copy(app: str, digest: str) -> str:
    """Name of the immutable copy of a Secret or ConfigMap with these contents."""
    return child(app, digest[:16])


def digest_key(app: str) -> str:
    """Name of the Secret with the key that contents are digested with."""
    return child(app, "digest-key")


def last_lines(app: str) -> str:
    """Name of the Secret with the last lines of the release that was undone last."""
    return child(app, "last-lines")


def labels(app: str, service: str = "") -> dict[str, str]:
    """Labels of every child; those of one service name it too."""
    own = {
        APP_LABEL: app,
        "app.kubernetes.io/name": service or app,
        "app.kubernetes.io/instance": app,
        "app.kubernetes.io/part-of": app,
        "app.kubernetes.io/managed-by": OPERATOR,
    }
    return own | ({SERVICE_LABEL: service} if service else {})


def selector(app: str, service: str) -> dict[str, str]:
    """What finds the pods of a service; it can't be changed once a Deployment has it."""
    return {APP_LABEL: app, SERVICE_LABEL: service}


def metadata(app: App, context: RenderContext, name: str, service: str = "", *, owned: bool = True) -> Object:
    """Metadata of a child: name, labels, owner."""
    made: Object = {"name": name, "namespace": context.namespace, "labels": labels(app.name, service)}
    references = owners(app.name, context.app_uid) if owned else []
    return made | ({"ownerReferences": references} if references else {})


def owners(app: str, uid: str) -> list[Object]:
    """The owner references of a child; none without a uid.

    A child never blocks the deletion of its App.
    """
    if not uid:
        return []
    return [
        {
            "apiVersion": API_VERSION,
            "kind": "App",
            "name": app,
            "uid": uid,
            "controller": True,
            "blockOwnerDeletion": False,
        }
    ]


def _digested(app: str, part: str, what: str = "") -> str:
    digest = hashlib.sha256(f"{app}/{part}/{what}".encode()).hexdigest()[:8]
    return f"{f'{app}-{part}'[: LONGEST - 9].rstrip('-')}-{digest}"
