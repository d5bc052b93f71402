"""Pods that fetch an image before it is needed, and do nothing else.

Such a pod may run under restricted pod security and under a quota that wants amounts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from iotistic.api.app import App
from iotistic.engines.kubernetes import names
from iotistic.engines.kubernetes.pods import image_text
from iotistic.engines.kubernetes.values import (
    IMAGE_ANNOTATION,
    PULL_LABEL,
    Object,
    PullPhase,
    PullState,
    RenderContext,
)

COMMAND = "/.iotistic.io/only-fetched"
"""No image has this: starting the container fails, which happens only once the image is there."""
NOBODY = 65534
NOT_HAD = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}
    | {"ImageInspectError", "SignatureValidationFailed"}
)
"""Reasons of a waiting container whose image can't be had."""
_STARTING = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
"""Reasons of one whose image is there: the kubelet comes to these after the fetch."""


def pull_pod(
    app: App, context: RenderContext, image: str, *, pull_secrets: Sequence[str] = (), node: str = ""
) -> Object:
    """A pod that ends as soon as the image is on the node.

    Its command can't exist: it ends without anything of the image having run.

    Args:
        app: whose image it is.
        context: namespace and owner; its `registry_override` is heeded.
        image: as written in the App.
        pull_secrets: names of its logins.
        node: the node to fetch to; empty: the scheduler chooses.

    Returns: the pod; its name is the same for the same image, logins and node.
    """
    text = image_text(image, context.registry_override)
    key = hashlib.sha256("\n".join([text, node, *sorted(pull_secrets)]).encode()).hexdigest()[:12]
    metadata = names.metadata(app, context, names.child(app.name, f"pull-{key}"))
    metadata["labels"][PULL_LABEL] = key
    metadata["annotations"] = {IMAGE_ANNOTATION: text}
    spec: Object = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "containers": [
            {
                "name": "pull",
                "image": text,
                "imagePullPolicy": "IfNotPresent",
                "command": [COMMAND],
                "resources": {
                    "requests": {"cpu": "1m", "memory": "1Mi"},
                    "limits": {"cpu": "100m", "memory": "32Mi"},
                },
                "securityContext": {
                    "runAsUser": NOBODY,
                    "runAsGroup": NOBODY,
                    "runAsNonRoot": True,
                    "readOnlyRootFilesystem": True,
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
            }
        ],
    }
    if pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in pull_secrets]
    if node:
        spec["affinity"] = _on(node)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def pulled(pod: Mapping[str, Any]) -> PullState:
    """What a pull pod has come to."""
    status = pod.get("status") or {}
    container: Mapping[str, Any] = next(iter(status.get("containerStatuses") or ()), {})
    image_id = str(container.get("imageID") or "")
    state = container.get("state") or {}
    waiting = state.get("waiting") or {}
    if state.get("terminated") or state.get("running") or waiting.get("reason") in _STARTING:
        ended = bool(state.get("terminated"))
        return PullState(phase=PullPhase.DONE, image_id=image_id, ended=ended)
    if waiting.get("reason") in NOT_HAD:
        message = str(waiting.get("message") or waiting["reason"])
        return PullState(phase=PullPhase.FAILED, message=message)
    if status.get("phase") == "Failed":
        message = str(status.get("message") or status.get("reason") or "the pod has failed")
        return PullState(phase=PullPhase.FAILED, message=message, ended=True)
    return _unstarted(status)


def _unstarted(status: Mapping[str, Any]) -> PullState:
    """Fetching, or waiting for a node that has room."""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            message = str(condition.get("message") or condition.get("reason") or "no node takes it")
            return PullState(phase=PullPhase.FAILED, message=message)
    return PullState(phase=PullPhase.PULLING)


def _on(node: str) -> Object:
    """On this node, yet placed by the scheduler, which heeds taints and room."""
    here = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    required = {"nodeSelectorTerms": [here]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
