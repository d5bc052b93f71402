"""The kinds that the operator deals with, and where the API server keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

GROUP = "iotistic.io"
VERSION = "v1alpha1"


@dataclass(frozen=True, slots=True)
class Place:
    """Where objects of a kind are kept."""

    group: str
    """Empty for the core group."""
    version: str
    plural: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", part: str = "") -> str:
        """Path of an object, of its part (`status`, `log`), or of all in a namespace, or of all there are."""
        root = f"/apis/{self.group}" if self.group else "/api"
        inside = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
        one = f"/{quote(name, safe='')}" if name else ""
        return f"{root}/{self.version}{inside}/{self.plural}{one}" + (f"/{part}" if part else "")


PLACES = {
    "App": Place(GROUP, VERSION, "apps"),
    "AppService": Place(GROUP, VERSION, "appservices"),
    "Deployment": Place("apps", "v1", "deployments"),
    "ControllerRevision": Place("apps", "v1", "controllerrevisions"),
    "Job": Place("batch", "v1", "jobs"),
    "Pod": Place("", "v1", "pods"),
    "Service": Place("", "v1", "services"),
    "ServiceAccount": Place("", "v1", "serviceaccounts"),
    "PersistentVolumeClaim": Place("", "v1", "persistentvolumeclaims"),
    "ConfigMap": Place("", "v1", "configmaps"),
    "Secret": Place("", "v1", "secrets"),
    "EndpointSlice": Place("discovery.k8s.io", "v1", "endpointslices"),
    "NetworkPolicy": Place("networking.k8s.io", "v1", "networkpolicies"),
}
"""All that is watched, by kind."""
UNWATCHED = {
    "Event": Place("", "v1", "events"),
    "Node": Place("", "v1", "nodes"),
    "Namespace": Place("", "v1", "namespaces"),
    "ReplicaSet": Place("apps", "v1", "replicasets"),
}
"""What is only read or written at times."""
OWN = ("App", "AppService")
"""Kinds that are watched whole; of the others, only objects that carry an App's label."""
CONTENTS = ("Secret", "ConfigMap")
"""Kinds that an App may refer to: of those without an App's label, only that they changed is followed."""


def place_of(kind: str) -> Place:
    """Raises: KeyError for a kind that the operator has nothing to do with."""
    return PLACES.get(kind) or UNWATCHED[kind]
