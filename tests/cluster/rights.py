"""What the operator may do, as the chart gives it, and a way in that has just these rights."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.kube import Kube

TEMPLATE = Path(__file__).parents[2] / "charts" / "iotistic-edge" / "templates" / "_rights.tpl"
NAME = "operator"
Rules = Sequence[dict[str, Any]]
RIGHTS: Rules = yaml.safe_load(re.sub(r"\{\{.*?\}\}", "", TEMPLATE.read_text(), flags=re.DOTALL))


def reading_only(rules: Rules) -> Rules:
    """The same without a right to change anything."""
    less = [{**rule, "verbs": [v for v in rule["verbs"] if v in {"get", "list", "watch"}]} for rule in rules]
    return [rule for rule in less if rule["verbs"]]


def grant(kube: Kube, namespace: str, rules: Rules) -> None:
    """Give the account these rights and no others."""
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": NAME},
        "rules": list(rules),
    }
    kube.apply(role, namespace=namespace)


def kubeconfig_of(kube: Kube, namespace: str, directory: Path, rules: Rules) -> str:
    """Path of a kubeconfig whose account has these rights in the namespace."""
    kube.kubectl("create", "serviceaccount", NAME, "-n", namespace)
    grant(kube, namespace, rules)
    kube.kubectl(
        "create", "rolebinding", NAME, "--role", NAME, f"--serviceaccount={namespace}:{NAME}", "-n", namespace
    )
    token = kube.kubectl("create", "token", NAME, "-n", namespace, "--duration=1h").strip()
    known = copy.deepcopy(yaml.safe_load(Path(kube.kubeconfig).read_text()))
    known["users"][0]["user"] = {"token": token}
    path = directory / "kubeconfig-of-operator"
    path.write_text(yaml.safe_dump(known))
    return str(path)
