"""What is rendered and what a real API server makes of it: the same unless somebody has changed it."""

from __future__ import annotations

import copy
import random
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iotistic.api.app import App
from iotistic.api.documents import check_documents, load_documents
from iotistic.engines.kubernetes.comparing import differences, repaired
from iotistic.engines.kubernetes.networking import has_service, names_slice
from iotistic.engines.kubernetes.pulls import pull_pod
from iotistic.engines.kubernetes.values import Object, RenderContext
from tests.cluster.kube import Answer, Kube, until
from tests.faults.seeds import FULL, SEED
from tests.unit.engines_kubernetes.edits import FIXED, Steps, at, leaves, other
from tests.unit.engines_kubernetes.shop import CONTEXT, EVERYTHING, app, app_of, one, rendered

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
PLURALS = {
    "AppService": "appservices",
    "Deployment": "deployments",
    "EndpointSlice": "endpointslices",
    "Job": "jobs",
    "NetworkPolicy": "networkpolicies",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "Pod": "pods",
    "Service": "services",
    "ServiceAccount": "serviceaccounts",
}
UNUSED = CONTEXT.__class__(dns=CONTEXT.dns)


@pytest.fixture
def context(api_server: Kube) -> Iterator[RenderContext]:
    """In a namespace of the test's own; nothing is owned, as there is no App."""
    name = f"comparing-{secrets.token_hex(4)}"
    api_server.kubectl("create", "namespace", name)
    yield replace(UNUSED, namespace=name, release="1")
    api_server.remove_namespace(name)


def path_of(made: Object, *, collection: bool = False) -> str:
    version = made["apiVersion"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    metadata = made["metadata"]
    path = f"{root}/namespaces/{metadata['namespace']}/{PLURALS[made['kind']]}"
    return path if collection else f"{path}/{metadata['name']}"


def apply(kube: Kube, made: Object, **query: str) -> Any:
    """What the API server has after a server-side apply."""
    answer = kube.request(
        "PATCH",
        path_of(made),
        made,
        content="application/apply-patch+yaml",
        fieldManager="iotistic-edge",
        force="true",
        fieldValidation="Strict",
        **query,
    )
    assert answer.status in {200, 201}, f"{path_of(made)}: {answer.message}"
    assert not answer.warnings, f"{path_of(made)}: {answer.warnings}"
    return answer.body


def edit(kube: Kube, made: Object, path: Steps, value: Any, op: str, **query: str) -> Answer:
    """A change of one field by another client."""
    pointer = "/" + "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in path)
    patch = [{"op": op, "path": pointer, "value": value}]
    return kube.request(
        "PATCH",
        path_of(made),
        patch,
        content="application/json-patch+json",
        fieldManager="somebody",
        **query,
    )


def apps_of(example: Path) -> list[App]:
    return check_documents([d.data for d in load_documents(example.read_text(), example.name)])[0]


def slice_of(shop: App, context: RenderContext) -> Object:
    addresses = {
        service.name: f"10.43.7.{index}"
        for index, service in enumerate(shop.spec.services, start=1)
        if has_service(service)
    }
    return names_slice(shop, context, addresses)


@pytest.mark.parametrize(
    "shops",
    [[app(EVERYTHING)], *(apps_of(example) for example in EXAMPLES)],
    ids=["everything", *(example.stem for example in EXAMPLES)],
)
def test_what_was_applied_is_no_difference(
    api_server: Kube, context: RenderContext, shops: list[App]
) -> None:
    for shop in shops:
        for made in (*rendered(shop, context).objects, slice_of(shop, context)):
            live = apply(api_server, made)
            assert differences(made, live) == [], path_of(made)
            assert differences(made, repaired(made, live)) == []


def test_a_pull_pod_is_what_the_api_server_takes(api_server: Kube, context: RenderContext) -> None:
    made = pull_pod(app_of({}), context, "web:1", pull_secrets=["login"], node="n1")
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": context.namespace},
    }
    apply(api_server, account)  # an API server alone makes none
    answer = api_server.request("POST", path_of(made, collection=True), made, fieldValidation="Strict")
    assert answer.status == 201, answer.message
    assert not answer.warnings


def test_each_change_of_one_field_is_seen(api_server: Kube, context: RenderContext) -> None:
    """Fields of all objects are changed by another client, as far as the API server lets it: some by lot,
    in the long form every one."""
    objects = rendered(app(EVERYTHING), context).objects
    live = [apply(api_server, made) for made in objects]
    places = [
        (index, path)
        for index, made in enumerate(objects)
        for path in leaves(made)
        if path not in FIXED and path[:2] != ("metadata", "annotations")
    ]
    drawn = places if FULL else random.Random(SEED).sample(places, 50)
    let, unseen = 0, []
    for index, path in drawn:
        made = objects[index]
        there = _found(live[index], made, path)
        if there is None:
            continue
        answer = edit(api_server, made, there, other(at(live[index], there)), "replace", dryRun="All")
        if answer.status != 200:
            assert answer.status in {400, 403, 422}, answer.message
            continue
        let += 1
        if not differences(made, answer.body):
            unseen.append(f"{path_of(made)}: {path}")
    assert unseen == [], f"seed {SEED}"
    assert let > len(drawn) / 4, f"seed {SEED}"


def _found(live: Any, made: Any, path: Steps) -> Steps | None:
    """The same place in the live object; None where it was normalised away, as an empty text is."""
    try:
        return path if type(at(live, path)) is type(at(made, path)) else None
    except (KeyError, IndexError):
        return None


ADDED: list[tuple[str, Steps, Any]] = [
    ("workload", ("spec", "paused"), True),
    ("workload", ("spec", "minReadySeconds"), 5),
    ("pod", ("hostPID",), True),
    ("pod", ("initContainers",), [{"name": "a", "image": "a"}]),
    ("pod", ("containers", "-"), {"name": "side", "image": "side"}),
    ("pod", ("volumes",), [{"name": "a", "emptyDir": {}}]),
    ("pod", ("imagePullSecrets",), [{"name": "a"}]),
    ("pod", ("securityContext", "runAsUser"), 7),
    ("container", ("env",), [{"name": "A", "value": "b"}]),
    ("container", ("envFrom",), [{"configMapRef": {"name": "a"}}]),
    ("container", ("command",), ["a"]),
    ("container", ("args",), ["a"]),
    ("container", ("workingDir",), "/a"),
    ("container", ("ports",), [{"containerPort": 80}]),
    ("container", ("resources", "limits"), {"memory": "64Mi"}),
    ("container", ("livenessProbe",), {"tcpSocket": {"port": 80}}),
    ("container", ("lifecycle",), {"preStop": {"sleep": {"seconds": 3}}}),
    ("container", ("securityContext", "privileged"), True),
    ("container", ("securityContext", "runAsUser"), 7),
    ("container", ("tty",), True),
]
ROOTS: dict[str, Steps] = {
    "workload": (),
    "pod": ("spec", "template", "spec"),
    "container": ("spec", "template", "spec", "containers", 0),
}


@pytest.mark.parametrize(("root", "path", "value"), ADDED, ids=lambda value: str(value)[:40])
def test_what_somebody_adds_is_seen_and_taken_away(
    api_server: Kube, context: RenderContext, root: str, path: Steps, value: Any
) -> None:
    made = one(rendered(app_of({}), context), "Deployment", "shop-web")
    apply(api_server, made)
    changed = edit(api_server, made, (*ROOTS[root], *path), value, "add")
    assert changed.status == 200, changed.message
    assert differences(made, changed.body)
    _repair(api_server, made)


def test_what_somebody_changes_is_put_back_by_an_apply_alone(
    api_server: Kube, context: RenderContext
) -> None:
    shop = app_of({"env": [{"name": "A", "value": "b"}], "args": ["a"]})
    made = one(rendered(shop, context), "Deployment", "shop-web")
    apply(api_server, made)
    for path, value in [
        (("spec", "replicas"), 3),
        ((*ROOTS["container"], "image"), "web:2"),
        ((*ROOTS["container"], "env", 0, "value"), "c"),
        ((*ROOTS["container"], "args"), ["b", "c"]),
    ]:
        changed = edit(api_server, made, path, value, "replace")
        assert differences(made, changed.body)
        assert differences(made, apply(api_server, made)) == []


def _repair(kube: Kube, made: Object) -> None:
    """As the operator does: apply, replace where that was not enough, and again when somebody wrote first."""

    def repaired_now() -> bool:
        live = apply(kube, made)
        if not differences(made, live):
            return True
        answer = kube.request("PUT", path_of(made), repaired(made, live), fieldManager="iotistic-edge")
        assert answer.status in {200, 409}, answer.message
        return answer.status == 200 and differences(made, answer.body) == []

    until(repaired_now, "what was added is gone")


def test_a_field_that_the_app_drops_goes(api_server: Kube, context: RenderContext) -> None:
    """From each field of a service to none and back, by applies alone."""
    whole = app(EVERYTHING)
    full = whole.spec.services[0].wire()
    rest = {
        "volumes": [volume.wire() for volume in whole.spec.volumes],
        "networks": [network.wire() for network in whole.spec.networks],
    }
    for field in ("", *full):
        if field in {"name", "image", "ports"}:
            continue
        service = {name: value for name, value in full.items() if name != field}
        for made in rendered(app_of(service, **rest), context).objects:
            if made["kind"] in {"Deployment", "Service", "NetworkPolicy"}:
                live = apply(api_server, made)
                assert differences(made, live) == [], f"without {field}: {path_of(made)}"
    for service in ({"name": "web"}, full):
        for made in rendered(app_of(copy.deepcopy(service), **rest), context).objects:
            if made["kind"] == "Deployment":
                assert differences(made, apply(api_server, made)) == []
