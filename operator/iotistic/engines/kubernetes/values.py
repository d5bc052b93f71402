"""What the pure half of Kubernetes takes and gives. No client, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from iotistic.api.appservice import RunState

Object = dict[str, Any]
"""A Kubernetes object as plain JSON values."""

OPERATOR = "iotistic-edge"
"""Field manager, and who manages the children by their labels."""
APP_LABEL = "iotistic.io/app"
SERVICE_LABEL = "iotistic.io/service"
VOLUME_LABEL = "iotistic.io/volume"
"""On a PersistentVolumeClaim: the name of the volume inside the App."""
PULL_LABEL = "iotistic.io/pull"
"""On a pod that only fetches an image; it has no `iotistic.io/service`."""
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""kubectl keeps the whole document in it once more."""
IMAGE_ANNOTATION = "iotistic.io/image"
"""On such a pod: the image that it was made for. The cluster may have put another name into the pod."""
NAMED_LABEL = "iotistic.io/named"
"""On pods that are found by their own hostname, as their service has no declared ports."""
NETWORK_LABELS = "networks.iotistic.io/"
"""Before the name of each network that a pod has joined."""
RELEASE_ANNOTATION = "iotistic.io/release"
"""On workloads: the release that changed them last. It alone is never a difference."""
LOCK_ANNOTATION = "iotistic.io/lock"
"""On an AppService or App: a user's lock (a folder of locks is on Docker only)."""
RETRY_ANNOTATION = "iotistic.io/retry"
"""On an App: a new value asks for what failed to be tried again."""
RESTARTED_ANNOTATION = "iotistic.io/restarted-at"
"""On an AppService: a new value asks for a restart; its pods carry it too."""
DIGEST_ANNOTATION = "iotistic.io/release-digest"
"""On a ControllerRevision: which release it is."""
KEPT_AT_ANNOTATION = "iotistic.io/kept-at"
"""On the Secret with the last lines of a release that was undone: when they were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dns:
    """How pods find names: as the operator's own /etc/resolv.conf says."""

    nameservers: tuple[str, ...] = ()
    """Addresses; empty where nobody knows (a preview): then pods ask as Kubernetes lets them."""
    cluster_domain: str = "cluster.local"
    options: tuple[str, ...] = ("ndots:5",)
    """As in resolv.conf: `ndots:5`, `rotate`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderContext:
    """What an App's objects depend on beside the App."""

    namespace: str = "default"
    app_uid: str = ""
    """Of the App, for owner references; empty: there is no App yet (a preview), and nothing is owned."""
    release: str = ""
    release_digest: str = ""
    run_states: Mapping[str, RunState] = field(default_factory=dict)
    """By service; Running where nothing is said."""
    copies: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Name of the immutable copy by kind and name of a Secret or ConfigMap; the name itself where none."""
    dns: Dns = Dns()
    registry_override: str = ""
    """Registry to take all images from instead of theirs: `registry.local:5000`, `registry.local/mirror`."""

    def copy_of(self, kind: str, name: str) -> str:
        """Name of what pods refer to instead of a Secret or ConfigMap of that name."""
        return self.copies.get((kind, name), name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What an App is on the cluster."""

    objects: tuple[Object, ...]
    """All, in the order in which they are applied, workloads last."""
    workloads: Mapping[str, Object]
    """The Deployment or Job of each service; the same objects as above."""

    @property
    def base(self) -> tuple[Object, ...]:
        """All but the workloads."""
        last = {id(workload) for workload in self.workloads.values()}
        return tuple(one for one in self.objects if id(one) not in last)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodAddress:
    """Where a pod is reached."""

    address: str
    ready: bool = True


class PullPhase(StrEnum):
    """How far a pull pod is."""

    PULLING = "pulling"
    DONE = "done"
    FAILED = "failed"
    """It can't be had now; the kubelet goes on trying unless the pod has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullState:
    """What a pull pod has come to."""

    phase: PullPhase
    message: str = ""
    """Why not, in the registry's or the scheduler's words."""
    image_id: str = ""
    """What was fetched, with its digest, where the kubelet says so."""
    ended: bool = False
    """The pod will do nothing more: it may be removed, and after a failure made again."""
