"""The edge to the API server, against a real one."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from iotistic.controllers.cluster.ports import ConflictError, Reason, Ref, RefusedError, UnreachableError
from iotistic.engines.kubernetes.checking import Watched, difference
from iotistic.engines.kubernetes.client import Client
from iotistic.engines.kubernetes.connection import NoConnectionError, load_configuration
from iotistic.engines.kubernetes.contents import ContentsWatch
from iotistic.engines.kubernetes.writes import Write
from tests.cluster.kube import Kube

PATIENCE_SECONDS = 90.0
UNREACHABLE = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: u, user: {token: x}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
"""


@pytest.fixture
def place(api_server: Kube) -> Iterator[str]:
    name = f"client-{secrets.token_hex(4)}"
    api_server.kubectl("create", "namespace", name)
    yield name
    api_server.try_kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
async def client(api_server: Kube) -> AsyncIterator[Client]:
    made = Client(await load_configuration(api_server.kubeconfig))
    yield made
    await made.close()


def config_map(place: str, name: str = "settings", **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": place, "labels": {"iotistic.io/app": "shop"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def secret(place: str, name: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": place}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}


async def until(look: Callable[[], Any], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not look():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {PATIENCE_SECONDS:.0f} s: {what}") from None


async def test_applying_makes_changes_and_then_nothing(client: Client, place: str) -> None:
    made = await client.apply(config_map(place, a="1"), reason=Reason.CHANGED)
    again = await client.apply(config_map(place, a="1"), reason=Reason.CHANGED)
    changed = await client.apply(config_map(place, b="2"), reason=Reason.DRIFT)

    assert made["metadata"]["resourceVersion"] == again["metadata"]["resourceVersion"]
    assert changed["data"] == {"b": "2"}
    assert {one["manager"] for one in changed["metadata"]["managedFields"]} == {"iotistic-edge"}
    assert client.writes.done[Write("apply", "ConfigMap", Reason.CHANGED)] == 2
    assert client.writes.done[Write("apply", "ConfigMap", Reason.DRIFT)] == 1


async def test_applying_takes_a_field_from_whoever_had_it(
    api_server: Kube, client: Client, place: str
) -> None:
    api_server.apply(config_map(place, a="theirs"), namespace=place)

    assert (await client.apply(config_map(place, a="ours"), reason=Reason.DRIFT))["data"] == {"a": "ours"}


async def test_creating_what_is_there_is_a_conflict(client: Client, place: str) -> None:
    await client.create(config_map(place), reason=Reason.REVISION)

    with pytest.raises(ConflictError, match="already exists"):
        await client.create(config_map(place), reason=Reason.REVISION)
    assert client.writes.hindrances() == []


async def test_replacing_what_has_changed_is_a_conflict(client: Client, place: str) -> None:
    old = await client.create(config_map(place), reason=Reason.CHANGED)
    await client.apply(config_map(place, a="1"), reason=Reason.CHANGED)

    with pytest.raises(ConflictError):
        await client.replace({**old, "data": {"a": "2"}}, reason=Reason.CHANGED)


async def test_what_the_api_server_refuses_comes_in_its_words(client: Client, place: str) -> None:
    with pytest.raises(RefusedError, match="Invalid value") as refused:
        await client.apply(config_map(place, **{"no/key": "1"}), reason=Reason.CHANGED)

    assert refused.value.status == 422
    assert refused.value.reason == "Invalid"
    assert client.writes.hindrances() == []


async def test_pod_security_is_about_one_object(api_server: Kube, client: Client, place: str) -> None:
    api_server.kubectl("label", "namespace", place, "pod-security.kubernetes.io/enforce=restricted")
    api_server.try_kubectl("create", "serviceaccount", "default", "-n", place)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": place},
        "spec": {"hostNetwork": True, "containers": [{"name": "c", "image": "i"}]},
    }

    with pytest.raises(RefusedError, match="violates PodSecurity"):
        await client.create(pod, reason=Reason.PULL)
    assert client.writes.hindrances() == []


async def test_only_the_object_that_was_meant_is_deleted(client: Client, place: str) -> None:
    ref = Ref("ConfigMap", place, "settings")
    made = await client.apply(config_map(place), reason=Reason.CHANGED)

    await client.delete(ref, reason=Reason.PRUNE, uid="00000000-0000-0000-0000-000000000000")
    assert await client.get(ref) is not None

    await client.delete(ref, reason=Reason.PRUNE, uid=made["metadata"]["uid"])
    assert await client.get(ref) is None

    await client.delete(ref, reason=Reason.PRUNE)


async def test_a_status_is_written_by_itself(client: Client, api_server: Kube, place: str) -> None:
    app = {"metadata": {"name": "shop"}, "spec": {"services": [{"name": "web", "image": "web:1"}]}}
    head = {"apiVersion": "iotistic.io/v1alpha1", "kind": "App"}
    api_server.apply({**head, **app}, namespace=place)
    status = {"observedGeneration": 1, "state": "Deploying"}

    written = await client.apply_status(
        {**head, "metadata": {"name": "shop", "namespace": place}, "spec": {}, "status": status}
    )

    assert written["status"]["observedGeneration"] == 1
    assert written["spec"]["services"][0]["image"] == "web:1"


async def test_an_event_is_told_of_its_object(client: Client, api_server: Kube, place: str) -> None:
    made = await client.apply(config_map(place), reason=Reason.CHANGED)

    await client.event(made, reason="Undone", message="x" * 5000, warning=True)

    (event,) = api_server.items("events", place)
    assert event["involvedObject"]["name"] == "settings"
    assert (event["type"], event["reason"]) == ("Warning", "Undone")


async def test_an_event_that_is_refused_disturbs_nobody(client: Client) -> None:
    metadata = {"name": "shop", "namespace": "no-such-namespace", "uid": "u"}
    about = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}

    await client.event(about, reason="Undone", message="x", warning=True)


async def test_logs_that_are_not_to_be_had_are_empty(client: Client, place: str) -> None:
    assert await client.logs(place, "nobody", "c", previous=True, lines=5) == ""


async def test_an_api_server_that_is_not_there_is_unreachable(tmp_path: Any) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(UNREACHABLE)
    client = Client(await load_configuration(str(path)))

    with pytest.raises(UnreachableError, match="can't be reached"):
        await client.apply(config_map("x"), reason=Reason.CHANGED)
    assert [one.split(":")[0] for one in client.writes.hindrances()] == ["apply ConfigMap"]
    await client.close()


async def test_a_kubeconfig_that_is_not_there_is_told(tmp_path: Any) -> None:
    with pytest.raises(NoConnectionError, match="no kubeconfig"):
        await load_configuration(str(tmp_path / "none"))


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
async def test_contents_that_change_are_told_and_copies_are_not(
    client: Client, api_server: Kube, place: str, kind: str
) -> None:
    told: list[str] = []
    watch = ContentsWatch(client, kind, place, lambda _kind, _namespace, name: told.append(name))
    make = secret if kind == "Secret" else config_map
    first = make(place, "login", password="a")
    first["metadata"].pop("labels", None)
    api_server.apply(first, namespace=place)
    task = asyncio.create_task(watch.run())
    await until(lambda: (place, "login") in watch.known(), "listed")
    await asyncio.sleep(0)
    # In a namespace of a cluster a controller makes a ConfigMap kube-root-ca.crt, some moments later.
    assert "login" not in told

    field = "stringData" if kind == "Secret" else "data"
    while "login" not in told:  # the watch begins some moments after the listing
        await asyncio.to_thread(
            api_server.apply, {**first, field: {"password": secrets.token_hex(4)}}, namespace=place
        )
    labelled = make(place, "copy", a="1")
    labelled["metadata"]["labels"] = {"iotistic.io/app": "shop"}
    await asyncio.to_thread(api_server.apply, labelled, namespace=place)
    await asyncio.to_thread(api_server.kubectl, "delete", kind.lower(), "login", "-n", place)
    await until(lambda: (place, "login") not in watch.known(), "deletion told")

    assert set(told) - {"kube-root-ca.crt"} == {"login"}
    task.cancel()


async def test_a_listing_shows_what_a_watch_has_not_told(client: Client, place: str) -> None:
    made = await client.apply(config_map(place), reason=Reason.CHANGED)
    version = int(made["metadata"]["resourceVersion"])
    delivered = {(place, "gone"): 1}
    watched = Watched(
        kind="ConfigMap",
        namespace=place,
        query=[("labelSelector", "iotistic.io/app")],
        versions=lambda: delivered,
        version=lambda name: delivered.get(name, -1),
        delivered=lambda: 0,
        missing=lambda name, version: None,
    )

    found = await difference(client, watched)

    assert found.late == {(place, "settings"): version}
    assert list(found.gone) == [(place, "gone")]
    delivered = {(place, "settings"): version}
    assert not await difference(client, watched)
