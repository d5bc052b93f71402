"""What helps when the cluster refuses something: the cause by the API server's words, and what to type."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from iotistic.engines.kubernetes.pullwords import pull_help

EDIT = ["iotctl diff -f FILE", "(change its file) iotctl apply -f FILE"]
"""To see what was changed last, and to change it again."""
IN_THE_FILE = "(or with that Secret or ConfigMap in it) iotctl apply -f FILE"
_QUOTA = re.compile(r"exceeded quota: ([^,\s]+)|failed quota: ([^:\s]+)")
_WEBHOOK = re.compile(r'(?:admission|calling) webhook "[^"]+"')
_POLICY = re.compile(r"ValidatingAdmissionPolicy '([^']+)'")
_RIGHT = re.compile(r'User "([^"]+)" cannot (\w+) resource "([^"]+)"')
_TAKEN = re.compile(r"(\w+) ([\w.-]+) is there already")
_MISSING = re.compile(r"\bno (Secret|ConfigMap) ([\w.-]+)(?:: key ([\w.-]+))?")
_CLAIM = re.compile(r'PersistentVolumeClaim "([^"]+)"|persistentvolumeclaims "([^"]+)"')


def advice(message: str, namespace: str, app: str) -> list[str]:
    """What to type after a refusal by the API server.

    Args:
        message: its words.
        app: tried again by hand when what stood in the way is gone.
    """
    image = pull_help(message)
    return [*([image] if image else [*where(message, namespace), *EDIT]), f"iotctl retry {app}"]


def taken(message: str, namespace: str) -> list[str]:
    """What to type where something else has the name of a child."""
    found = _TAKEN.search(message)
    look = [f"kubectl -n {namespace} describe {found[1].lower()} {found[2]}"] if found else []
    return [*look, "(rename or remove that object, or give the App another name)", EDIT[-1]]


def missing(message: str, namespace: str, keys: Mapping[str, Sequence[str]]) -> list[str]:
    """What to type to make each Secret, ConfigMap or key that is not there; empty when nothing is missing.

    Args:
        keys: those that the App names, by what they are in, as `Secret/login`.
    """
    made = [
        _making(kind, name, key, namespace, keys.get(f"{kind}/{name}") or ("KEY",))
        for kind, name, key in _MISSING.findall(message)
    ]
    return [*dict.fromkeys(made), IN_THE_FILE] if made else []


def _making(kind: str, name: str, key: str, namespace: str, keys: Sequence[str]) -> str:
    if key:
        field = "stringData" if kind == "Secret" else "data"
        change = f'{{"{field}":{{"{key}":"VALUE"}}}}'
        return f"kubectl -n {namespace} patch {kind.lower()} {name} --type merge -p '{change}'"
    literals = " ".join(f"--from-literal {one}=VALUE" for one in keys)
    what = "secret generic" if kind == "Secret" else "configmap"
    return f"kubectl -n {namespace} create {what} {name} {literals}"


def where(message: str, namespace: str) -> list[str]:
    """Where to look at what refuses, by the API server's words; empty where the file alone is the cause."""
    here = f"kubectl -n {namespace}"
    if image := pull_help(message):
        return [image]
    if found := _QUOTA.search(message):
        return [f"{here} describe resourcequota {found[1] or found[2]}"]
    if "per Container is" in message or "per Pod is" in message:
        return [f"{here} describe limitrange"]
    if "violates PodSecurity" in message:
        return [f"kubectl describe namespace {namespace}"]
    if found := _POLICY.search(message):
        return [f"kubectl describe validatingadmissionpolicy {found[1]}"]
    if _WEBHOOK.search(message):
        return ["kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations"]
    if found := _RIGHT.search(message):
        return [f"{here} auth can-i {found[2]} {found[3]} --as {found[1]}"]
    if found := _CLAIM.search(message):
        return [f"{here} describe pvc {found[1] or found[2]}"]
    if "nodes are available" in message:
        return ["kubectl describe nodes"]
    return []
