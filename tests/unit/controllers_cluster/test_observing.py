"""What Kubernetes says of a service, in the words that both engines share."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from iotistic.controllers.cluster.observing import Observation, Seen, container_of, observe
from iotistic.engines.kubernetes.runtimewords import runtime_words
from iotistic.rollout.status import AppFacts, ServiceFacts, app_status, service_status
from tests.unit.controllers_cluster.world import EARLIER, NOW, deployment, job, pod, running, service, waiting

PROBE = {"httpGet": {"path": "/health", "port": 8080}}
CRASHED = {"exitCode": 1, "reason": "Error", "finishedAt": EARLIER}
ENDED = {"exitCode": 0, "reason": "Completed", "finishedAt": EARLIER}
AT_ONCE = ENDED | {"startedAt": "2026-06-01T10:59:51Z"}
BACK_OFF = waiting("CrashLoopBackOff", "back-off 10s restarting failed container")


def seen(
    workload: dict[str, Any] | None,
    *pods: dict[str, Any],
    unchanged: bool = True,
    run_state: str = "Running",
    **fields: Any,
) -> Observation:
    made = service(**fields)
    facts = ServiceFacts(
        name="web", image="web:1", run_state=run_state, restart=made.restart_policy.value, release="1"
    )
    found = Seen(workload=workload, pods=pods, unchanged=unchanged and workload is not None)
    return observe(made, found, facts, now=datetime.fromisoformat(NOW))


def words(observation: Observation) -> tuple[str, bool, str]:
    status = service_status(observation.facts)
    return status.state, status.ready, status.reason


@pytest.mark.parametrize(
    ("pods", "fields", "expected"),
    [
        ((), {}, ("Waiting", False, "not made yet")),
        ((pod(running(), ready=True),), {}, ("Running", True, "")),
        ((pod(running(), ready=True),), {"readinessProbe": PROBE}, ("Running", True, "")),
        (
            (pod(running()),),
            {"readinessProbe": PROBE},
            ("Unhealthy", False, "its probe fails: GET :8080/health"),
        ),
        (
            (pod(running(NOW)),),
            {"readinessProbe": PROBE},
            ("Starting", False, "its probes have not answered yet"),
        ),
        ((pod(waiting("ContainerCreating"), phase="Pending"),), {}, ("Created", False, "not started yet")),
        ((pod(BACK_OFF, last=CRASHED, restarts=4),), {}, ("CrashLoop", False, "exit 1")),
        (
            (pod(BACK_OFF, last={"exitCode": 137, "reason": "OOMKilled"}, restarts=4),),
            {},
            ("CrashLoop", False, "exit 137 (OOMKilled)"),
        ),
        (
            (pod(running(NOW), last=CRASHED, restarts=4, ready=True),),
            {},
            ("Restarting", False, "exit 1"),
        ),
        (
            (pod(running(NOW), last=ENDED, restarts=4, ready=True),),
            {},
            ("Restarting", False, "exit 0"),
        ),
        ((pod(BACK_OFF, last=ENDED, restarts=4),), {}, ("CrashLoop", False, "exit 0")),
        ((pod(running(), last=ENDED, restarts=4, ready=True),), {}, ("Running", True, "")),
        (
            (pod(BACK_OFF, last={"exitCode": 128, "reason": "StartError", "message": "no such file: nope"}),),
            {},
            ("CrashLoop", False, "StartError: no such file: nope"),
        ),
        ((pod({"terminated": CRASHED}),), {}, ("Exited", False, "exit 1")),
        ((pod({"terminated": AT_ONCE}),), {}, ("Exited", False, "exit 0")),
        ((pod({"terminated": AT_ONCE}, restarts=1),), {}, ("CrashLoop", False, "exit 0")),
        (
            (pod({"terminated": AT_ONCE | {"startedAt": "2026-06-01T10:59:50Z"}}, restarts=1),),
            {},
            ("Exited", False, "exit 0"),
        ),
        ((pod({"terminated": ENDED}, restarts=1),), {}, ("Exited", False, "exit 0")),
        (
            (pod(waiting("ErrImagePull", "failed to pull web:1: not found")),),
            {},
            ("Failed", False, "failed to pull web:1: not found"),
        ),
        (
            (
                pod(
                    waiting(
                        "ImagePullBackOff",
                        'Back-off pulling image "web:1": ErrImagePull: failed to pull web:1: not found',
                    )
                ),
            ),
            {},
            ("Failed", False, "failed to pull web:1: not found"),
        ),
        (
            (pod(waiting("CreateContainerConfigError", 'secret "login" not found')),),
            {},
            ("Failed", False, 'CreateContainerConfigError: secret "login" not found'),
        ),
        (
            (
                pod(
                    phase="Pending",
                    conditions=[
                        {
                            "type": "PodScheduled",
                            "status": "False",
                            "reason": "Unschedulable",
                            "message": "0/1 nodes are available: 1 Insufficient memory.",
                        }
                    ],
                ),
            ),
            {},
            ("Failed", False, "can't be placed: 0/1 nodes are available: 1 Insufficient memory."),
        ),
        (
            (pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory."),),
            {},
            ("Failed", False, "The node was low on resource: memory."),
        ),
    ],
)
def test_pods_of_the_present_release(
    pods: tuple[dict[str, Any], ...], fields: dict[str, Any], expected: tuple[str, bool, str]
) -> None:
    one_ready = bool(pods) and expected[1]
    status = {
        "observedGeneration": 2,
        "replicas": 1,
        "updatedReplicas": 1,
        "readyReplicas": 1 if one_ready else 0,
    }
    assert words(seen(deployment(status=status), *pods, **fields)) == expected


def test_nothing_is_ready_before_the_deployments_status_speaks_of_its_spec() -> None:
    stale = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}
    observation = seen(deployment(status=stale), pod(running(), ready=True))
    assert not observation.facts.unchanged
    assert not service_status(observation.facts).ready


def test_an_update_is_ready_when_the_old_pod_is_gone() -> None:
    two = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "readyReplicas": 2}
    old, new = pod(running(), ready=True, name="old"), pod(running(), ready=True, name="new", created=NOW)
    assert words(seen(deployment(status=two), old, new)) == ("Starting", False, "an old pod is going")
    one = {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}
    going = pod(running(), ready=True, name="old", going=True)
    assert words(seen(deployment(status=one), going, new)) == ("Running", True, "")


def test_pods_that_are_refused_are_told_in_the_servers_words() -> None:
    refused = {
        "observedGeneration": 2,
        "conditions": [
            {
                "type": "ReplicaFailure",
                "status": "True",
                "message": 'pods "shop-web-7d-x2" is forbidden: exceeded quota: small, used: pods=1',
            }
        ],
    }
    state, ready, reason = words(seen(deployment(status=refused)))
    assert (state, ready) == ("Failed", False)
    assert reason == "its pod is forbidden: exceeded quota: small, used: pods=1"


def test_a_changed_service_is_updating() -> None:
    assert words(seen(deployment(), pod(running(), ready=True), unchanged=False))[:2] == ("Updating", False)


def test_stopped_is_ready_when_no_pod_is_left() -> None:
    off = deployment(replicas=0, status={"observedGeneration": 2})
    assert words(seen(off, run_state="Stopped")) == ("Stopped", True, "")
    left = pod(running(), ready=True, going=True)
    assert words(seen(off, left, run_state="Stopped")) == ("Stopping", False, "")
    on = deployment()
    assert words(seen(on, pod(running(), ready=True), run_state="Stopped")) == ("Stopping", False, "")


def test_a_container_that_was_started_again_is_looked_at_again() -> None:
    observation = seen(deployment(), pod(running(NOW), last=CRASHED, restarts=1, ready=True))
    assert observation.settled_in == 10.0


@pytest.mark.parametrize(
    ("restart", "last", "expected"),
    [
        ("OnFailure", CRASHED, ("Restarting", False, "exit 1")),
        ("OnFailure", ENDED, ("Running", True, "")),
        ("Never", ENDED, ("Running", True, "")),
    ],
)
def test_what_may_end_is_steady_after_an_end_with_0(
    restart: str, last: dict[str, Any], expected: tuple[str, bool, str]
) -> None:
    again = pod(running(NOW), last=last, restarts=1, ready=True)
    assert words(seen(job(), again, restartPolicy=restart)) == expected
    for restarts in (0, 1):
        ended = pod({"terminated": AT_ONCE}, restarts=restarts)
        assert words(seen(job(), ended, restartPolicy=restart))[0] == "Completed"


def beside(made: dict[str, Any], name: str) -> dict[str, Any]:
    """The pod with another container that an admission webhook has put into it; it runs."""
    proxy = {
        "name": name,
        "image": "docker.io/library/proxy:1",
        "imageID": "docker.io/library/proxy@sha256:def",
        "containerID": "containerd://c2",
        "restartCount": 0,
        "state": running(),
        "started": True,
    }
    status = made["status"]
    statuses = sorted([*status["containerStatuses"], proxy], key=lambda one: one["name"])
    containers = [{"name": name, "image": "proxy:1"}, *made["spec"]["containers"]]
    return made | {
        "spec": made["spec"] | {"containers": containers},
        "status": status | {"containerStatuses": statuses},
    }


@pytest.mark.parametrize("name", ["linkerd-proxy", "zzz"])
def test_a_service_is_judged_by_its_own_container(name: str) -> None:
    one = {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1}
    crashed = beside(pod(BACK_OFF, last=CRASHED, restarts=4), name)
    observation = seen(deployment(status=one), crashed)
    assert words(observation) == ("CrashLoop", False, "exit 1")
    assert (observation.facts.restarts, observation.facts.container_image) == (4, "web:1")
    nameless = pod(running())
    nameless["status"]["containerStatuses"][0]["image"] = "sha256:abc"
    assert seen(deployment(), beside(nameless, name)).facts.container_image == "web:1"
    slow: dict[str, Any] = {"readinessProbe": PROBE, "startupProbe": PROBE | {"failureThreshold": 60}}
    assert words(seen(deployment(status=one), beside(pod(running(NOW)), name), **slow))[0] == "Starting"


def test_lines_are_read_of_a_services_own_container() -> None:
    injected = beside(pod(running()), "linkerd-proxy")
    for name, expected in (("web", "web"), ("unknown", "linkerd-proxy")):
        assert (container_of(injected, name) or {})["name"] == expected
    assert container_of(pod(), "web") is None


OLD = pod(running(), ready=True, name="old")


@pytest.mark.parametrize(
    ("pods", "unchanged", "available"),
    [
        ((OLD,), False, True),
        ((OLD, pod(BACK_OFF, last=CRASHED, restarts=4, created=NOW)), True, True),
        ((OLD, pod(waiting("ErrImagePull", "not found"), created=NOW)), True, True),
        ((OLD, pod(phase="Pending", created=NOW)), True, True),
        ((pod(BACK_OFF, last=CRASHED, restarts=4),), False, False),
        # It is ready in the kubelet's words whenever it has just been started again.
        ((pod(running(NOW), ready=True, last=CRASHED, restarts=4),), False, False),
        ((pod(running(NOW), ready=True, last=CRASHED, restarts=4),), True, False),
        ((pod(running(), ready=True, going=True), pod(phase="Pending", created=NOW)), True, False),
        ((pod(phase="Pending"),), False, False),
        ((), False, False),
    ],
)
def test_an_app_is_available_while_an_old_pod_serves(
    pods: tuple[dict[str, Any], ...], unchanged: bool, available: bool
) -> None:
    two = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "readyReplicas": 1}
    facts = seen(deployment(status=two), *pods, unchanged=unchanged).facts
    waits = replace(facts, waits_for="waits for image web:2")
    refused = replace(facts, failure="quota", failure_reason="Refused")
    for one in (facts, waits, refused):
        app = AppFacts(name="shop", generation=1, release="1", services=[one])
        conditions = {found.type: found.status for found in app_status(app, now=NOW).conditions}
        assert (conditions["Available"], conditions["Ready"]) == (str(available), "False")


@pytest.mark.parametrize(
    ("condition", "pods", "expected"),
    [
        ({"type": "Complete", "status": "True"}, (), ("Completed", True, "")),
        (
            {"type": "Complete", "status": "True"},
            (pod({"terminated": {"exitCode": 0, "reason": "Completed"}}, phase="Succeeded"),),
            ("Completed", True, ""),
        ),
        (
            {"type": "Failed", "status": "True", "message": "Job has reached the specified backoff limit"},
            (pod({"terminated": {"exitCode": 3, "reason": "Error"}}, phase="Failed"),),
            ("Failed", False, "exit 3"),
        ),
        (
            {"type": "Failed", "status": "True", "message": "Job has reached the specified backoff limit"},
            (),
            ("Failed", False, "Job has reached the specified backoff limit"),
        ),
        ({"type": "Other", "status": "True"}, (pod(running(), ready=True),), ("Running", True, "")),
    ],
)
def test_jobs(
    condition: dict[str, Any], pods: tuple[dict[str, Any], ...], expected: tuple[str, bool, str]
) -> None:
    assert words(seen(job(condition), *pods, restartPolicy="Never")) == expected


def test_a_fetch_that_takes_long_is_told_so() -> None:
    def fetching(since: str) -> Observation:
        sandbox = {"type": "PodReadyToStartContainers", "status": "True", "lastTransitionTime": since}
        status = {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1}
        return seen(deployment(status=status), pod(waiting("ContainerCreating"), conditions=[sandbox]))

    assert words(fetching(NOW)) == ("Pulling", False, "pulling web:1 ...")
    assert (fetching(NOW).slow, fetching(NOW).settled_in) == (False, 30.0)
    assert fetching(EARLIER).slow


def test_what_a_container_is_made_of() -> None:
    facts = seen(
        deployment(),
        pod(running(), ready=True, restarts=2),
        ports=[{"containerPort": 80, "hostPort": 8080}, {"containerPort": 81}],
    ).facts
    assert (facts.container_id, facts.image_digest, facts.restarts) == ("c1", "sha256:abc", 2)
    assert (facts.ports, facts.since, facts.container_image) == (("8080->80/tcp",), EARLIER, "web:1")


RUNC = "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
START = f"{RUNC}runc create failed: unable to start container process: "


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            f'{START}exec: "nosuchprogram": executable file not found in $PATH: unknown',
            'no program "nosuchprogram" in the image',
        ),
        (
            f'{START}exec: "/run": stat /run: no such file or directory: unknown',
            'no program "/run" in the image',
        ),
        (
            f'{START}exec: "/etc": permission denied: unknown',
            'the program "/etc" may not be run: permission denied',
        ),
        (f"{START}error during container init: it is tired: unknown", "StartError: it is tired"),
        ("no such file: nope", "StartError: no such file: nope"),
        ("x" * 400, f"StartError: {'x' * 160} ..."),
        ("", "StartError"),
    ],
)
def test_of_a_container_that_can_not_start_the_cause_is_left(said: str, told: str) -> None:
    assert runtime_words("StartError", said) == told
    crashed = pod(BACK_OFF, last={"exitCode": 128, "reason": "StartError", "message": said})
    assert words(seen(deployment(), crashed)) == ("CrashLoop", False, told)
