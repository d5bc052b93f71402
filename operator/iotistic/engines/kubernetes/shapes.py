"""Which parts of a live object are ours though we say nothing there, and how items of lists are found.

What is not named here and not set by us is left alone: fields that a newer API server fills in, labels of
others, and where a person has placed pods (nodeSelector, tolerations, affinity).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How one part of an object is compared; of a list, it is about each item."""

    key: tuple[str, ...] = ()
    """Fields by which items of a list are found; none: by their place."""
    ours: frozenset[str] = frozenset()
    """Fields that must not be there when we don't set them."""
    all_ours: bool = False
    """A mapping in which no other key may be."""
    strangers: tuple[str, ...] = ()
    """But keys that begin so."""
    shared: bool = False
    """A list in which others may have items."""
    amount: bool = False
    """A quantity: 1000m is 1."""
    hidden: bool = False
    """Never shown: it may be a secret."""
    fields: Mapping[str, Shape] = field(default_factory=dict)


ANYTHING: Final = Shape()
WHOLE: Final = Shape(all_ours=True)
_AMOUNTS = Shape(all_ours=True, fields={name: Shape(amount=True) for name in ("cpu", "memory", "storage")})
_SELECTOR = Shape(
    ours=frozenset({"matchLabels", "matchExpressions"}),
    fields={"matchLabels": WHOLE, "matchExpressions": Shape(ours=frozenset({"values"}))},
)

_QUESTION = Shape(
    ours=frozenset({"host", "httpHeaders"}),
    fields={"path": Shape(hidden=True), "httpHeaders": Shape(hidden=True)},
)
_PROBE = Shape(
    ours=frozenset(
        {"initialDelaySeconds", "terminationGracePeriodSeconds", "httpGet", "tcpSocket", "exec", "grpc"}
    ),
    fields={"httpGet": _QUESTION, "tcpSocket": _QUESTION, "exec": Shape(hidden=True)},
)
_REFERENCE = Shape(ours=frozenset({"optional"}))
_ENV = Shape(
    key=("name",),
    ours=frozenset({"value", "valueFrom"}),
    fields={
        "value": Shape(hidden=True),
        "valueFrom": Shape(
            ours=frozenset({"secretKeyRef", "configMapKeyRef", "fieldRef", "resourceFieldRef", "fileKeyRef"}),
            fields={"secretKeyRef": _REFERENCE, "configMapKeyRef": _REFERENCE},
        ),
    },
)
_ENV_FROM = Shape(
    ours=frozenset({"prefix", "secretRef", "configMapRef"}),
    fields={"secretRef": _REFERENCE, "configMapRef": _REFERENCE},
)
_SECURITY = Shape(
    ours=frozenset(
        {
            "runAsUser", "runAsGroup", "runAsNonRoot", "readOnlyRootFilesystem", "privileged",
            "allowPrivilegeEscalation", "capabilities", "seccompProfile", "seLinuxOptions",
            "appArmorProfile",
        }
    ),
    fields={
        "capabilities": Shape(ours=frozenset({"add", "drop"})),
        "seccompProfile": Shape(ours=frozenset({"localhostProfile"})),
    },
)  # fmt: skip
_CONTAINER = Shape(
    key=("name",),
    ours=frozenset(
        {
            "command", "args", "workingDir", "env", "envFrom", "ports", "resources", "volumeMounts",
            "volumeDevices", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle",
            "securityContext", "stdin", "stdinOnce", "tty",
        }
    ),
    fields={
        "command": Shape(hidden=True),
        "args": Shape(hidden=True),
        "env": _ENV,
        "envFrom": _ENV_FROM,
        "ports": Shape(key=("containerPort", "protocol"), ours=frozenset({"name", "hostPort", "hostIP"})),
        "resources": Shape(
            ours=frozenset({"limits", "requests", "claims"}),
            fields={"limits": _AMOUNTS, "requests": _AMOUNTS},
        ),
        "volumeMounts": Shape(
            key=("mountPath",),
            ours=frozenset({"readOnly", "subPath", "subPathExpr", "mountPropagation"}),
        ),
        "livenessProbe": _PROBE,
        "readinessProbe": _PROBE,
        "startupProbe": _PROBE,
        "lifecycle": Shape(
            ours=frozenset({"preStop", "postStart"}),
            fields={"preStop": Shape(ours=frozenset({"exec", "httpGet", "tcpSocket", "sleep"}))},
        ),
        "securityContext": _SECURITY,
    },
)  # fmt: skip
_FILES = Shape(ours=frozenset({"items", "optional"}), fields={"items": Shape(ours=frozenset({"mode"}))})
_VOLUME = Shape(
    key=("name",),
    ours=frozenset(
        {
            "persistentVolumeClaim", "secret", "configMap", "hostPath", "emptyDir", "projected", "csi",
            "nfs", "ephemeral", "image", "downwardAPI",
        }
    ),
    fields={
        "persistentVolumeClaim": Shape(ours=frozenset({"readOnly"})),
        "secret": _FILES,
        "configMap": _FILES,
        "emptyDir": Shape(ours=frozenset({"sizeLimit", "medium"}), fields={"sizeLimit": Shape(amount=True)}),
    },
)  # fmt: skip
_POD = Shape(
    ours=frozenset(
        {
            "hostname", "subdomain", "hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace",
            "hostAliases", "imagePullSecrets", "volumes", "initContainers", "securityContext", "dnsConfig",
            "activeDeadlineSeconds", "setHostnameAsFQDN", "hostnameOverride",
        }
    ),
    fields={
        "containers": _CONTAINER,
        "volumes": _VOLUME,
        "imagePullSecrets": Shape(key=("name",)),
        "hostAliases": Shape(key=("ip",)),
        "dnsConfig": Shape(ours=frozenset({"nameservers", "searches", "options"})),
        "securityContext": Shape(
            ours=frozenset(
                {"sysctls", "runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup", "supplementalGroups"}
                | {"seccompProfile", "seLinuxOptions", "appArmorProfile"}
            ),
            fields={"sysctls": Shape(key=("name",))},
        ),
    },
)  # fmt: skip
_TEMPLATE = Shape(
    fields={
        "metadata": Shape(
            ours=frozenset({"labels", "annotations"}),
            fields={
                "labels": Shape(
                    all_ours=True, strangers=("batch.kubernetes.io/", "controller-uid", "job-name")
                ),
                "annotations": Shape(all_ours=True, strangers=("kubectl.kubernetes.io/",), hidden=True),
            },
        ),
        "spec": _POD,
    }
)
_METADATA = Shape(
    fields={"ownerReferences": Shape(key=("uid",), shared=True), "labels": ANYTHING, "annotations": ANYTHING}
)
_RULE = Shape(
    ours=frozenset({"from", "to", "ports"}),
    fields={
        side: Shape(
            ours=frozenset({"podSelector", "namespaceSelector", "ipBlock"}),
            fields={
                "podSelector": _SELECTOR,
                "namespaceSelector": _SELECTOR,
                "ipBlock": Shape(ours=frozenset({"except"})),
            },
        )
        for side in ("from", "to")
    }
    | {"ports": Shape(ours=frozenset({"endPort"}))},
)
_SPECS: dict[str, Shape] = {
    "Deployment": Shape(
        ours=frozenset({"paused", "minReadySeconds"}),
        fields={
            "template": _TEMPLATE,
            "selector": _SELECTOR,
            "strategy": Shape(ours=frozenset({"rollingUpdate"})),
        },
    ),
    "Job": Shape(ours=frozenset({"activeDeadlineSeconds"}), fields={"template": _TEMPLATE}),
    "Service": Shape(
        ours=frozenset(
            {"ports", "externalIPs", "externalName", "loadBalancerIP", "loadBalancerSourceRanges"}
        ),
        fields={"selector": WHOLE, "ports": Shape(key=("port", "protocol"))},
    ),
    "NetworkPolicy": Shape(
        ours=frozenset({"ingress", "egress"}),
        fields={"podSelector": _SELECTOR, "ingress": _RULE, "egress": _RULE},
    ),
    "PersistentVolumeClaim": Shape(
        fields={"resources": Shape(fields={"requests": Shape(fields={"storage": Shape(amount=True)})})}
    ),
}
_ROOTS: dict[str, Mapping[str, Shape]] = {
    "Secret": {name: Shape(all_ours=True, hidden=True) for name in ("data", "stringData")},
    "ConfigMap": {name: Shape(all_ours=True, hidden=True) for name in ("data", "binaryData")},
    "EndpointSlice": {
        "endpoints": Shape(
            ours=frozenset({"hostname", "targetRef"}),
            fields={"conditions": Shape(ours=frozenset({"ready"}))},
        )
    },
}


def shape_of(kind: str) -> Shape:
    """How objects of a kind are compared."""
    fields = {"metadata": _METADATA, "spec": _SPECS.get(kind, ANYTHING)} | dict(_ROOTS.get(kind, {}))
    return Shape(fields=fields, ours=frozenset(_ROOTS.get(kind, {})))
