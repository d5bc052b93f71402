"""What can't be had on Kubernetes is told with all other mistakes of a file, each with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from iotctl.cluster.agent import ClusterAgent
from iotctl.cluster.kubeconfig import Connection
from iotctl.exits import ProblemsError
from iotctl.files import read_documents
from iotistic.api.documents import check_documents
from iotistic.api.service import Service
from iotistic.engines.kubernetes.refusals import refused

NOWHERE = Connection(context="here", source="none", server="http://127.0.0.1:9")
SEVERAL = """\
apiVersion: iotistic.io/v1alpha1
kind: App
metadata: {name: shop}
spec:
  services:
    - name: web
      image: web:1
      imgae: x
      devices: [/dev/ttyS0]
      dependsOn: {dbb: started}
    - name: db
      image: Bad Image
      logging: {driver: syslog}
  networks:
    - {name: back, driver: macvlan}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {port: 80}
"""
NO_DEVICE = (
    "Kubernetes gives a container no single device; set securityContext.privileged: true, which gives it "
    "all of them, or drop the device"
)


def problems(folder: Path, text: str) -> list[str]:
    file = folder / "shop.yaml"
    file.write_text(text)
    try:
        read_documents([str(file)], ClusterAgent(NOWHERE))
    except ProblemsError as error:
        return [problem.text().removeprefix(f"{file}:") for problem in error.problems]
    return []


def test_all_kinds_of_mistakes_are_told_at_once_by_line(tmp_path: Path) -> None:
    assert problems(tmp_path, SEVERAL) == [
        "8  App shop  spec.services[0].imgae: unknown field; did you mean image?",
        f"9  App shop  spec.services[0].devices: {NO_DEVICE}",
        '10  App shop  spec.services[0].dependsOn.dbb: no service "dbb" in this App (services: db, web); '
        "did you mean db?",
        "12  App shop  spec.services[1].image: repository 'Bad Image' must be lower case",
        "13  App shop  spec.services[1].logging.driver: the kubelet keeps the output of containers; there is "
        "no other log driver; leave it out, or write json-file",
        "15  App shop  spec.networks[0].driver: pods are in the cluster's network; there is no other; leave "
        "it out; a service that needs the host's has networkMode: host",
        "20  ConfigMap web  data.port: expected text, got 80; put it in quotes",
    ]


@pytest.mark.parametrize(
    "text", ["kind: App", "kind: App\nspec: [1]", "kind: App\nspec: {services: {a: b}}", "3"]
)
def test_what_is_no_app_at_all_is_only_told_as_that(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text)
    assert not [one for one in problems(tmp_path, text) if "Kubernetes" in one]


def test_what_can_be_had_is_no_mistake(tmp_path: Path) -> None:
    example = Path(__file__).parents[3] / "examples" / "hello.yaml"
    assert problems(tmp_path, example.read_text()) == []


REFUSED: dict[str, Any] = {
    "devices": ["/dev/ttyS0"],
    "hostname": "till",
    "networkMode": "host",
    "extraHosts": ["gate:host-gateway"],
    "labels": {"not a key": "x"},
    "logging": {"driver": "syslog", "options": {"a": "b"}},
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"add": ["SYS_ADMIN"]}},
}


def test_each_refusal_says_what_to_do() -> None:
    network = {"name": "back", "driver": "macvlan", "driverOpts": {"a": "b"}, "labels": {"a": "b"}}
    volume = {"name": "data", "driver": "nfs", "driverOpts": {"a": "b"}}
    spec = {
        "services": [{"name": "web", "image": "web:1"} | REFUSED],
        "networks": [network],
        "volumes": [volume],
    }
    document = {
        "apiVersion": "iotistic.io/v1alpha1",
        "kind": "App",
        "metadata": {"name": "shop"},
        "spec": spec,
    }
    found = refused(check_documents([yaml.safe_load(yaml.safe_dump(document))])[0][0])
    assert len(found) >= len(REFUSED) + 4
    assert [one.path for one in found if not one.hint] == []
    assert set(REFUSED) <= {field.alias or name for name, field in Service.model_fields.items()}
