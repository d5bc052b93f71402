"""An App's services compared with the release that may run: what differs, what would be interrupted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from iotistic.api.appservice import RunState
from iotistic.controllers.cluster.effective import ClusterOptions, Effective, effective, run_states
from iotistic.controllers.cluster.looking import Look, dropped, host_ports, in_the_way, look, unmet
from iotistic.controllers.cluster.memory import Refusal
from iotistic.controllers.cluster.ports import Key, Ref
from iotistic.controllers.cluster.revisions import next_revision
from iotistic.rollout.status import ServiceFacts, service_status
from tests.unit.controllers_cluster.world import EARLIER, NOW, UID, app, metadata, pod, running, service

KEY = Key("edge", "shop")
READY = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}


def may_run(
    *services: dict[str, Any], app_services: tuple[dict[str, Any], ...] = (), **spec: Any
) -> Effective:
    wanted = app(*services, **spec)
    revision = next_revision([], wanted, "d1", {})
    found = effective(
        wanted, revision, app_services, key=KEY, uid=UID, wanted_digest="d1", options=ClusterOptions()
    )
    assert found is not None
    return found


def living(of: Effective, service: str = "web", *, replicas: int = 1) -> dict[str, Any]:
    """A Deployment as the API server has it after an apply."""
    wanted = of.rendered.workloads[service]
    return {
        **wanted,
        "metadata": {**wanted["metadata"], "uid": "u", "generation": 1},
        "spec": {**wanted["spec"], "replicas": replicas},
        "status": READY,
    }


def seen(of: Effective, *children: dict[str, Any], lock: str = "", **refusals: str) -> Look:
    refused = {
        Ref(kind, "edge", "shop-web"): Refusal(message=message, digest="", tries=1, retry_at=0.0)
        for kind, message in refusals.items()
    }
    return look(of, children, refused, {}, now=datetime.fromisoformat(NOW), lock=lock)


ONE = {"name": "web", "image": "web:1"}
TWO = {"name": "web", "image": "web:2"}


def test_what_is_as_wanted() -> None:
    found = seen(may_run(ONE), living(may_run(ONE)), pod(running(), ready=True))
    assert (found.differing, found.interrupting, found.pulls) == ({}, frozenset(), {})
    assert found.services[0].unchanged


def test_another_image_comes_before_what_serves_is_interrupted() -> None:
    found = seen(may_run(TWO), living(may_run(ONE)), pod(running(), ready=True))
    assert found.interrupting == {"web"}
    assert list(found.pulls) == ["web:2"]


@pytest.mark.parametrize("strategy", ["KillThenDownload", "DeleteThenDownload", "HandOver"])
def test_other_strategies_fetch_nothing_first(strategy: str) -> None:
    wanted = TWO | {"update": {"strategy": strategy}}
    found = seen(may_run(wanted), living(may_run(ONE)), pod(running(), ready=True))
    assert (found.interrupting, found.pulls) == ({"web"}, {})


def test_where_nothing_serves_nothing_has_to_come_first() -> None:
    found = seen(may_run(TWO), living(may_run(ONE)), pod(running(), ready=False))
    assert (found.interrupting, found.pulls) == ({"web"}, {})


def test_what_is_missing_interrupts_nobody() -> None:
    assert seen(may_run(ONE)).interrupting == frozenset()


STOPPED = {
    "kind": "AppService",
    "metadata": metadata("shop-web", service="web"),
    "spec": {"app": "shop", "service": "web", "runState": "Stopped"},
}


def test_a_start_interrupts_nobody_and_a_stop_does() -> None:
    off = living(may_run(ONE), replicas=0)
    assert seen(may_run(ONE), off).interrupting == frozenset()
    stopped = may_run(ONE, app_services=(STOPPED,))
    assert seen(stopped, living(may_run(ONE)), pod(running(), ready=True)).interrupting == {"web"}


def words(look: Look) -> tuple[str, bool, str, str]:
    status = service_status(look.services[0])
    return status.state, status.ready, status.run_state, status.reason


def test_what_a_lock_keeps_from_stopping_runs_on_and_says_so() -> None:
    serving, locked = (living(may_run(ONE)), pod(running(), ready=True)), "shop is locked: baking"
    stopped = may_run(ONE, app_services=(STOPPED,))
    assert words(seen(stopped, *serving)) == ("Stopping", False, "Stopped", "")
    assert words(seen(stopped, *serving, lock=locked)) == ("Running", True, "Stopped", locked)
    changed = may_run(TWO, app_services=(STOPPED,))
    assert words(seen(changed, *serving, lock=locked))[:2] == ("Updating", False)
    gone = living(stopped, replicas=0)
    assert words(seen(stopped, gone, lock=locked)) == ("Stopped", True, "Stopped", "")


def test_a_dropped_service_is_interrupted() -> None:
    both = may_run(ONE, {"name": "old", "image": "old:1"})
    found = seen(may_run(ONE), living(both), living(both, "old"), pod(running(), ready=True))
    assert found.interrupting == {"old"}


OWNER = {"kind": "App", "name": "shop", "controller": True}


@pytest.mark.parametrize(
    ("owners", "expected"),
    [
        ([OWNER | {"uid": UID}], ["shop-old"]),
        ([OWNER | {"uid": "of a former App of this name"}], ["shop-old"]),
        ([], ["shop-old"]),  # it was left over when its App was deleted without its children
        ([{"kind": "CronJob", "name": "x", "uid": "x", "controller": True}], []),
    ],
)
def test_only_what_an_app_of_this_name_owns_is_dropped(
    owners: list[dict[str, Any]], expected: list[str]
) -> None:
    found = living(may_run(ONE, {"name": "old", "image": "old:1"}), "old")
    found["metadata"]["ownerReferences"] = owners
    assert [one["metadata"]["name"] for one in dropped(may_run(ONE), [found])] == expected
    found["metadata"]["name"] = "made-by-hand"
    assert [one["metadata"]["name"] for one in dropped(may_run(ONE), [found])] == (
        ["made-by-hand"] if owners and expected else []
    )


def test_ports_of_the_host() -> None:
    bound = ONE | {"ports": [{"containerPort": 80, "hostPort": 8080}, {"containerPort": 53}]}
    assert host_ports(may_run(bound).rendered.workloads["web"]) == {(8080, "TCP")}
    on_host = ONE | {"networkMode": "host", "ports": [{"containerPort": 53, "protocol": "UDP"}]}
    assert host_ports(may_run(on_host).rendered.workloads["web"]) == {(53, "UDP")}
    assert host_ports(may_run(ONE).rendered.workloads["web"]) == set()


def old_pod(owner: str = "ReplicaSet", **fields: Any) -> dict[str, Any]:
    found = pod(running(), **fields)
    found["metadata"]["ownerReferences"][0]["kind"] = owner
    return found


LONG_AGO = old_pod("Job")
LONG_AGO["metadata"]["deletionTimestamp"] = EARLIER


@pytest.mark.parametrize(
    ("pods", "kind", "beside", "expected"),
    [
        ([], "Job", False, False),
        ([old_pod("Job", going=True)], "Job", False, True),
        ([old_pod("Job")], "Job", False, True),
        ([old_pod("Job", phase="Succeeded")], "Job", False, False),
        ([old_pod()], "Job", False, True),
        ([LONG_AGO], "Job", False, False),
        ([LONG_AGO, old_pod("Job", going=True)], "Job", False, True),
        ([old_pod("Job")], "Deployment", False, True),
        ([old_pod("Job")], "Deployment", True, True),
        ([old_pod()], "Deployment", False, False),
        ([old_pod(going=True)], "Deployment", False, True),
        ([old_pod(going=True)], "Deployment", True, False),
    ],
)
def test_old_pods_in_the_way(pods: list[dict[str, Any]], kind: str, beside: bool, expected: bool) -> None:
    now = datetime.fromisoformat(NOW)
    assert in_the_way(pods, {"kind": kind}, beside=beside, now=now) is expected


def test_refusals_are_told_where_they_belong() -> None:
    found = seen(may_run(ONE), Deployment="no such thing", Service="port taken")
    assert found.services[0].failure == "no such thing"
    assert found.refused == "port taken"


def test_a_refused_removal_stands_in_the_way_unless_it_is_housekeeping() -> None:
    def refusal(message: str, **fields: bool) -> Refusal:
        return Refusal(message=message, digest="", tries=1, retry_at=0.0, removal=True, **fields)

    refusals = {
        Ref("Deployment", "edge", "shop-old"): refusal("may not go"),
        Ref("ControllerRevision", "edge", "shop-1"): refusal("has to stay", stands=False),
    }
    found = look(may_run(ONE), [], refusals, {}, now=datetime.fromisoformat(NOW))
    assert (found.refused, found.left) == ("may not go", "has to stay")
    assert found.services[0].failure == ""


def test_run_states_are_what_somebody_asked_for() -> None:
    said = [
        {"metadata": metadata("a"), "spec": {"service": "a", "runState": "Stopped"}},
        {"metadata": metadata("b"), "spec": {"service": "b"}},
        {"metadata": metadata("c"), "spec": {"service": "c", "runState": "Dancing"}},
    ]
    assert run_states(said) == {"a": RunState.STOPPED}


def test_a_restart_changes_the_pod_template_only() -> None:
    asked = {
        "metadata": metadata("shop-web", service="web", annotations={"iotistic.io/restarted-at": "now"}),
        "spec": {"service": "web"},
    }
    plain, again = may_run(ONE), may_run(ONE, app_services=(asked,))
    annotations = again.rendered.workloads["web"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["iotistic.io/restarted-at"] == "now"
    assert again.rendered.workloads["web"] in again.rendered.objects
    assert len(again.rendered.objects) == len(plain.rendered.objects)
    assert seen(again, living(plain), pod(running(), ready=True)).interrupting == {"web"}


@pytest.mark.parametrize(
    ("condition", "facts", "expected"),
    [
        ("started", None, "waits for db (started)"),
        ("started", {"container_status": "running"}, ""),
        ("started", {"container_status": "running", "unchanged": False}, "waits for db (started)"),
        ("started", {"container_status": "created"}, "waits for db (started)"),
        ("started", {"container_status": "exited", "restart": "Never"}, ""),
        ("healthy", {"container_status": "running"}, "waits for db (healthy)"),
        ("healthy", {"container_status": "running", "health": "healthy"}, ""),
        ("healthy", {"container_status": "running", "health": "starting"}, "waits for db (healthy)"),
        ("completed", {"container_status": "exited", "exit_code": 0}, ""),
        ("completed", {"container_status": "exited", "exit_code": 1}, "waits for db (completed)"),
        ("completed", {"container_status": "running"}, "waits for db (completed)"),
    ],
)
def test_dependencies(condition: str, facts: dict[str, Any] | None, expected: str) -> None:
    known = {} if facts is None else {"db": ServiceFacts(**{"name": "db", "unchanged": True} | facts)}
    assert unmet(service(dependsOn={"db": condition}), known) == expected
