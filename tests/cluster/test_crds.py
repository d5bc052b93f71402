"""What the API server takes and refuses of Apps by itself, before any operator looks."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from iotistic.api.documents import check_documents
from iotistic.api.errors import InvalidResourceError
from iotistic.engines.kubernetes.refusals import PAUSED
from tests.cluster.kube import GROUP_PATH, Answer, Kube

ROOT = Path(__file__).parents[2]
MANIFESTS = yaml.safe_load((Path(__file__).parent / "manifests.yaml").read_text())
WEB = {"name": "web", "image": "web:1"}
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


@pytest.fixture(scope="module")
def place(api_server: Kube) -> Iterator[str]:
    """A namespace for this file's objects; an API server alone has no accounts in it."""
    name = f"crds-{secrets.token_hex(4)}"
    api_server.kubectl("create", "namespace", name)
    yield name
    for kind in ("apps", "appservices"):
        api_server.try_kubectl("delete", kind, "--all", "-n", name, "--wait=false")
    api_server.remove_namespace(name)


def app(spec: Mapping[str, Any], name: str = "shop") -> dict[str, Any]:
    kind = {"apiVersion": "iotistic.io/v1alpha1", "kind": "App"}
    return {**kind, "metadata": {"name": name}, "spec": spec}


def web_app(name: str = "shop", **service: Any) -> dict[str, Any]:
    return app({"services": [WEB | service]}, name)


def in_short(value: Any) -> str:
    return json.dumps(value.get("spec", value))


def create(kube: Kube, place: str, body: Mapping[str, Any], **query: str) -> Answer:
    query = {"fieldValidation": "Strict", **query}
    return kube.request("POST", f"{GROUP_PATH}/namespaces/{place}/{body['kind'].lower()}s", body, **query)


def python_says(body: Mapping[str, Any]) -> str:
    try:
        check_documents([body])
    except InvalidResourceError as error:
        return "\n".join(f"{one.path}: {one.message}. {one.hint}" for one in error.problems)
    return ""


@pytest.mark.parametrize("spec", MANIFESTS["accepted"], ids=in_short)
def test_what_runs_on_docker_is_accepted(api_server: Kube, place: str, spec: Any) -> None:
    body = app(spec)
    answer = create(api_server, place, body, dryRun="All")
    assert (answer.status, answer.message, answer.warnings) == (201, "", "")
    assert python_says(body) == ""


@pytest.mark.parametrize("case", MANIFESTS["refused"], ids=in_short)
def test_what_is_wrong_is_refused_with_its_reason(api_server: Kube, place: str, case: Any) -> None:
    body = app(case["spec"])
    answer = create(api_server, place, body, dryRun="All")
    assert answer.status == 422
    assert case["api"] in answer.message
    assert case.get("python", case["api"]) in python_says(body)


@pytest.mark.parametrize("case", MANIFESTS["told_by_the_operator"], ids=in_short)
def test_what_only_the_operator_can_tell(api_server: Kube, place: str, case: Any) -> None:
    """The API server takes it; the App's status says what is wrong."""
    body = app(case["spec"])
    assert create(api_server, place, body, dryRun="All").status == 201
    assert case["python"] in python_says(body)


@pytest.mark.parametrize("name", ["1shop", "shop.one", "s" * 64])
def test_a_name_begins_with_a_letter_and_is_no_longer_than_a_label(
    api_server: Kube, place: str, name: str
) -> None:
    body = web_app(name)
    answer = create(api_server, place, body, dryRun="All")
    words = "expected a name of lower case letters, digits and '-' that begins with a letter, at most 63"
    assert answer.status == 422
    assert words in answer.message
    assert words in python_says(body)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_accepted(api_server: Kube, place: str, example: Path) -> None:
    printed = api_server.kubectl("apply", "-n", place, "--dry-run=server", "-f", example)
    assert "app.iotistic.io/" in printed


def test_kubectl_refuses_unknown_fields(api_server: Kube, place: str) -> None:
    text = yaml.safe_dump(web_app(restart="always"))
    ran = api_server.try_kubectl("apply", "-n", place, "-f", "-", stdin=text)
    assert ran.returncode == 1
    assert 'unknown field "spec.services[0].restart"' in ran.stderr


def test_other_clients_are_warned_of_unknown_fields_and_lose_them(api_server: Kube, place: str) -> None:
    body = web_app(restart="always")
    answer = create(api_server, place, body, dryRun="All", fieldValidation="Warn")
    assert answer.status == 201
    assert 'unknown field \\"spec.services[0].restart\\"' in answer.warnings
    assert "restart" not in answer.body["spec"]["services"][0]


def test_a_network_without_settings_stays(api_server: Kube, place: str) -> None:
    """A null inside a mapping with keys of one's own says something; elsewhere it is as absent."""
    service = {**WEB, "networks": {"back": None}, "hostname": None}
    body = app({"services": [service], "networks": [{"name": "back"}]})
    made = create(api_server, place, body, dryRun="All").body["spec"]["services"][0]
    assert made == {**WEB, "networks": {"back": None}}


def test_a_network_that_kubectl_drops_is_told_of(api_server: Kube, place: str) -> None:
    text = yaml.safe_dump(
        app({"services": [{**WEB, "networks": {"back": None}}], "networks": [{"name": "back"}]})
    )
    ran = api_server.try_kubectl("apply", "-n", place, "--dry-run=server", "-f", "-", stdin=text)
    assert ran.returncode == 1
    assert "write  networks: {back: {}}" in ran.stderr


def test_defaults_are_not_written_into_the_object(api_server: Kube, place: str) -> None:
    """But for the protocol, by which ports are told apart."""
    body = web_app(ports=[{"containerPort": 80}])
    made = create(api_server, place, body, dryRun="All").body
    assert made["spec"] == {"services": [WEB | {"ports": [{"containerPort": 80, "protocol": "TCP"}]}]}


def test_a_fresh_app_is_waited_for_until_somebody_says_ready(api_server: Kube, place: str) -> None:
    made = create(api_server, place, web_app("fresh")).body
    assert made["status"] == {"observedGeneration": -1}
    wait = ("wait", "--for=condition=Ready", "app/fresh", "-n", place)
    ran = api_server.try_kubectl(*wait, "--timeout=2s")
    assert ran.returncode == 1
    assert "timed out waiting" in ran.stderr
    say_ready(api_server, place, "fresh", generation=1)
    assert "condition met" in api_server.kubectl(*wait, "--timeout=60s")
    path = f"{GROUP_PATH}/namespaces/{place}/apps/fresh"
    answer = api_server.request(
        "PATCH",
        path,
        {"spec": {"suspend": True}},
        content="application/merge-patch+json",
        fieldValidation="Strict",
    )
    assert answer.body["metadata"]["generation"] == 2
    ran = api_server.try_kubectl(*wait, "--timeout=2s")
    assert ran.returncode == 1, "the status speaks of an older generation"
    say_ready(api_server, place, "fresh", generation=2)
    assert "condition met" in api_server.kubectl(*wait, "--timeout=60s")


def say_ready(kube: Kube, place: str, name: str, generation: int) -> None:
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Ready",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "observedGeneration": generation,
    }
    service = {"name": "web", "state": "Running", "ready": True, "restarts": 0, "ports": ["80->80/tcp"]}
    status = {
        "observedGeneration": generation,
        "release": "1",
        "state": "Ready",
        "ready": "1/1",
        "why": "All services are ready.",
        "services": [service],
        "conditions": [condition],
        "rollout": "{}",
    }
    body = {
        "apiVersion": "iotistic.io/v1alpha1",
        "kind": "App",
        "metadata": {"name": name},
        "status": status,
    }
    answer = kube.request(
        "PATCH",
        f"{GROUP_PATH}/namespaces/{place}/apps/{name}/status",
        body,
        content="application/apply-patch+yaml",
        fieldManager="iotistic-edge-status",
        force="true",
        fieldValidation="Strict",
    )
    assert answer.status == 200, answer.message
    assert answer.body["metadata"]["generation"] == generation


def test_tables_have_the_columns_that_people_look_for(api_server: Kube, place: str) -> None:
    create(api_server, place, web_app("table"))
    say_ready(api_server, place, "table", generation=1)
    lines = api_server.kubectl("get", "apps", "table", "-n", place).splitlines()
    assert lines[0].split() == ["NAME", "READY", "RELEASE", "STATE", "WHY", "AGE"]
    assert lines[1].split()[:8] == ["table", "1/1", "1", "Ready", "All", "services", "are", "ready."]
    names = api_server.kubectl("get", "iotistic", "-n", place, "-o", "name").split()
    assert "app.iotistic.io/table" in names


def service_object(name: str, **spec: str) -> dict[str, Any]:
    return {
        "apiVersion": "iotistic.io/v1alpha1",
        "kind": "AppService",
        "metadata": {"name": name},
        "spec": {"app": "shop", "service": "web", **spec},
    }


def test_a_run_state_is_set_and_kept_through_the_operators_apply(api_server: Kube, place: str) -> None:
    path = f"{GROUP_PATH}/namespaces/{place}/appservices/shop-web"
    apply = {"content": "application/apply-patch+yaml", "fieldManager": "iotistic-edge", "force": "true"}
    made = api_server.request("PATCH", path, service_object("shop-web"), **apply)
    assert made.status == 201, made.message
    assert "runState" not in made.body["spec"]
    api_server.kubectl(
        "patch",
        "appservice",
        "shop-web",
        "-n",
        place,
        "--type=merge",
        "-p",
        '{"spec": {"runState": "Stopped"}}',
    )
    again = api_server.request("PATCH", path, service_object("shop-web"), **apply)
    assert again.body["spec"]["runState"] == "Stopped"
    lines = api_server.kubectl("get", "appservices", "shop-web", "-n", place).splitlines()
    assert lines[0].split() == ["NAME", "APP", "IMAGE", "STATE", "READY", "RESTARTS", "WHY", "AGE"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"runState": "Paused"}, PAUSED),
        ({"runState": "Sleeping"}, 'supported values: "Running", "Stopped", "Paused"'),
    ],
)
def test_run_states_that_cant_be_are_refused(
    api_server: Kube, place: str, spec: dict[str, str], message: str
) -> None:
    answer = create(api_server, place, service_object("shop-db", **spec), dryRun="All")
    assert answer.status == 422
    assert message in answer.message


def test_an_appservice_stays_that_of_its_service(api_server: Kube, place: str) -> None:
    create(api_server, place, service_object("shop-fixed"))
    ran = api_server.try_kubectl(
        "patch", "appservice", "shop-fixed", "-n", place, "--type=merge", "-p", '{"spec": {"service": "db"}}'
    )
    assert ran.returncode == 1
    assert "app and service can't be changed" in ran.stderr


def test_fields_are_explained(api_server: Kube) -> None:
    explained = api_server.kubectl("explain", "app.spec.services", "--api-version=iotistic.io/v1alpha1")
    assert "The services; names are unique." in explained
    assert "Name inside the App; other services reach it by this name." in explained
    assert "-required-" in explained
    deep = api_server.kubectl("explain", "apps.spec.services.readinessProbe.periodSeconds")
    assert "Time between two questions. Default: 10." in deep


@pytest.mark.parametrize("plural", ["apps", "appservices"])
def test_every_field_is_described(plural: str) -> None:
    definition = yaml.safe_load((ROOT / "crds" / f"{plural}.yaml").read_text())
    (version,) = definition["spec"]["versions"]
    bare = list(undescribed(version["schema"]["openAPIV3Schema"], plural))
    assert bare == [f"{plural}.metadata"]


def undescribed(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        if not field.get("description"):
            yield f"{path}.{name}"
        yield from undescribed(field, f"{path}.{name}")
    for inner in ("items", "additionalProperties"):
        if isinstance(schema.get(inner), Mapping):
            yield from undescribed(schema[inner], f"{path}.{inner}")
