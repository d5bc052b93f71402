"""Why an App on a cluster is not as it should be: each cause with its sentence and what clears it."""

from __future__ import annotations

from typing import Any

import pytest

from iotctl.cluster.explaining import Locked, explain

Json = dict[str, Any]
DIFF, EDIT = "iotctl diff -f FILE", "(change its file) iotctl apply -f FILE"
RETRY, WAIT, LOGS = "iotctl retry shop", "iotctl wait app/shop", "iotctl services logs shop-web"
QUOTA = "its pod is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2"
RANGE = "its pod is forbidden: maximum memory usage per Container is 64Mi, but limit is 1Gi"
SECURITY = 'its pod is forbidden: violates PodSecurity "restricted:latest": privileged'
HOOK = 'failed calling webhook "down.example.com": dial tcp 127.0.0.1:1: connect: connection refused'
WEBHOOK = 'admission webhook "images.example.com" denied the request: no signature'
POLICY = "ValidatingAdmissionPolicy 'no-latest' with binding 'all' denied request: tag"
RIGHT = (
    'deployments.apps is forbidden: User "system:serviceaccount:ops:edge" cannot create resource "jobs" in'
)
CLAIM = 'PersistentVolumeClaim "shop-data" is invalid: spec: Forbidden: spec is immutable after creation'
NOTHING: Json = {}
FAILURE = {"release": "2", "since": "10:00", "message": "web never became ready"}


NAMING: Json = {
    "services": [
        {
            "env": [
                {"name": "A", "value": "1"},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}},
                {"name": "C", "valueFrom": {"secretKeyRef": {"name": "login", "key": "user"}}},
            ],
            "envFrom": [{"secretRef": {"name": "all"}}],
        },
        {"env": [{"name": "B", "valueFrom": {"secretKeyRef": {"name": "login", "key": "user"}}}]},
    ],
    "volumes": [
        {"name": "data"},
        {"name": "conf", "configMap": {"name": "web.conf", "items": [{"key": "httpd.conf", "path": "h"}]}},
    ],
}


def web(state: str = "Running", reason: str = "", *, ready: bool = False, **fields: Any) -> Json:
    return {"name": "web", "state": state, "reason": reason, "ready": ready, **fields}


def shop(
    *services: Json,
    state: str = "Updating",
    why: str = "",
    stalled: str = "",
    observed: int = 1,
    spec: Json | None = None,
    **known: str,
) -> Json:
    ready = sum(bool(one["ready"]) for one in services)
    conditions = [{"type": type, "status": status} for type, status in known.items()]
    conditions += [{"type": "Stalled", "status": "True", "reason": stalled}] if stalled else []
    for one in conditions:
        one["lastTransitionTime"] = f"{one['type']} time"
    status: Json = {"state": state, "why": why, "release": "1", "conditions": conditions}
    status |= {"observedGeneration": observed, "services": [*services], "ready": f"{ready}/{len(services)}"}
    meta = {"name": "shop", "namespace": "till", "generation": 1, "creationTimestamp": "09:00"}
    return {"metadata": meta, "status": status, "spec": spec or {}}


def refused(reason: str, **fields: Any) -> Json:
    return shop(web("Failed", reason, **fields), state="Degraded", why=f"web: {reason}")


CAUSES: dict[str, tuple[Json, str, list[str]]] = {
    "it is well": (
        shop(web(ready=True), state="Ready"),
        "shop serves release 1 (1 of 1 ready).",
        [],
    ),
    "nobody has looked": (
        shop(observed=0),
        "no operator has looked at shop since its spec changed.",
        ["iotctl diagnostics"],
    ),
    "suspended": (
        shop(web(), state="Held", why="suspended: spec.suspend is true"),
        "shop is suspended: spec.suspend is true.",
        ["(set spec.suspend to false in its file) iotctl apply -f FILE"],
    ),
    "locked": (
        shop(web("Updating"), why="shop is locked by till: sale"),
        "shop waits: shop is locked by till: sale.",
        ["iotctl unlock shop"],
    ),
    "all stopped by hand": (
        shop(web("Stopped", ready=True, runState="Stopped"), state="Stopped"),
        "shop was stopped by hand.",
        ["iotctl apps start shop"],
    ),
    "one stopped by hand": (
        shop(web("Stopped", ready=True, runState="Stopped"), web(ready=True) | {"name": "db"}, state="Ready"),
        "shop/web was stopped by hand.",
        ["iotctl services start shop-web"],
    ),
    "it says what contradicts itself": (
        shop(state="Stalled", why="spec: two services want port 80", stalled="Invalid"),
        "shop is left alone: spec: two services want port 80.",
        [DIFF, EDIT],
    ),
    "it can't be had here": (
        shop(state="Stalled", why="spec.services[web].devices: no", stalled="NotOnKubernetes"),
        "shop is left alone: spec.services[web].devices: no.",
        [DIFF, EDIT],
    ),
    "it can't be had here, and something is missing": (
        shop(
            state="Stalled",
            why="spec.services[web].devices: no; there is no Secret login in namespace till",
            stalled="NotOnKubernetes",
        ),
        "shop is left alone: spec.services[web].devices: no; there is no Secret login in namespace till.",
        [
            "kubectl -n till create secret generic login --from-literal KEY=VALUE",
            "(or with that Secret or ConfigMap in it) iotctl apply -f FILE",
            DIFF,
            EDIT,
        ],
    ),
    "a name is taken": (
        shop(state="Stalled", why="Service web is there already and is not of this App", stalled="NameTaken"),
        "shop is left alone: Service web is there already and is not of this App.",
        [
            "kubectl -n till describe service web",
            "(rename or remove that object, or give the App another name)",
            EDIT,
        ],
    ),
    "a Secret, a ConfigMap and a key are missing": (
        shop(
            state="Stalled",
            why="there is no Secret login, no ConfigMap web.conf, no Secret keys: key token",
            stalled="MissingReference",
        ),
        "shop is left alone: there is no Secret login, no ConfigMap web.conf, no Secret keys: key token.",
        [
            "kubectl -n till create secret generic login --from-literal KEY=VALUE",
            "kubectl -n till create configmap web.conf --from-literal KEY=VALUE",
            """kubectl -n till patch secret keys --type merge -p '{"stringData":{"token":"VALUE"}}'""",
            "(or with that Secret or ConfigMap in it) iotctl apply -f FILE",
        ],
    ),
    "a Secret and a ConfigMap of which the App names keys are missing": (
        shop(
            state="Stalled",
            why="there is no Secret login, no ConfigMap web.conf in namespace till",
            stalled="MissingReference",
            spec=NAMING,
        ),
        "shop is left alone: there is no Secret login, no ConfigMap web.conf in namespace till.",
        [
            "kubectl -n till create secret generic login "
            "--from-literal password=VALUE --from-literal user=VALUE",
            "kubectl -n till create configmap web.conf --from-literal httpd.conf=VALUE",
            "(or with that Secret or ConfigMap in it) iotctl apply -f FILE",
        ],
    ),
    "an object of before goes": (
        shop(state="Stalled", why="Service web of before is being removed", stalled="Waiting"),
        "shop is left alone: Service web of before is being removed.",
        [WAIT],
    ),
    "the release can't be recorded": (
        shop(state="Stalled", why=f"the release can't be recorded: {WEBHOOK}", stalled="Refused"),
        f"shop is left alone: the release can't be recorded: {WEBHOOK}.",
        ["kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations", DIFF, EDIT, RETRY],
    ),
    "a webhook is down": (
        refused(HOOK),
        f"shop/web can't be made: {HOOK}.",
        ["kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations", DIFF, EDIT, RETRY],
    ),
    "a quota is used up": (
        refused(QUOTA),
        f"shop/web can't be made: {QUOTA}.",
        ["kubectl -n till describe resourcequota small", DIFF, EDIT, RETRY],
    ),
    "a quota is used up, and it once ended": (
        refused(QUOTA, exitCode=137),
        f"shop/web can't be made: {QUOTA}.",
        ["kubectl -n till describe resourcequota small", DIFF, EDIT, RETRY],
    ),
    "more than a container may have": (
        refused(RANGE),
        f"shop/web can't be made: {RANGE}.",
        ["kubectl -n till describe limitrange", DIFF, EDIT, RETRY],
    ),
    "pod security": (
        refused(SECURITY),
        f"shop/web can't be made: {SECURITY}.",
        ["kubectl describe namespace till", DIFF, EDIT, RETRY],
    ),
    "an admission policy": (
        refused(POLICY),
        f"shop/web can't be made: {POLICY}.",
        ["kubectl describe validatingadmissionpolicy no-latest", DIFF, EDIT, RETRY],
    ),
    "a right that the operator lacks": (
        refused(RIGHT),
        f"shop/web can't be made: {RIGHT}.",
        ["kubectl -n till auth can-i create jobs --as system:serviceaccount:ops:edge", DIFF, EDIT, RETRY],
    ),
    "a field that makes no sense to the API server": (
        refused("Deployment.apps shop-web is invalid: spec.x"),
        "shop/web can't be made: Deployment.apps shop-web is invalid: spec.x.",
        [DIFF, EDIT, RETRY],
    ),
    "a change of a volume, while all services run": (
        shop(web(ready=True), state="Degraded", why=CLAIM),
        f"shop can't go on: {CLAIM}.",
        ["kubectl -n till describe pvc shop-data", DIFF, EDIT, RETRY],
    ),
    "a change of a volume, while a service waits": (
        shop(web("Waiting", "not made yet"), state="Degraded", why=CLAIM),
        f"shop can't go on: {CLAIM}.",
        ["kubectl -n till describe pvc shop-data", DIFF, EDIT, RETRY],
    ),
    "no room on any node": (
        shop(web("Waiting", "0/1 nodes are available: 1 Insufficient memory"), why="web: 0/1 nodes"),
        "shop/web: 0/1 nodes are available: 1 Insufficient memory.",
        ["kubectl describe nodes", WAIT],
    ),
    "a crash loop": (
        shop(web("CrashLoop", "exit 3, next try in 10 s"), state="Degraded", why="web: crash loop, exit 3"),
        "shop/web is in a crash loop: exit 3, next try in 10 s.",
        [f"{LOGS} --previous", EDIT, RETRY],
    ),
    "a probe that fails": (
        shop(web("Unhealthy", "GET :80/ -> 500"), state="Degraded", why="web: GET :80/ -> 500"),
        "shop/web is not ready: GET :80/ -> 500.",
        [LOGS],
    ),
    "it goes on by itself": (
        shop(web("Pulling", "pulling web:2"), why="web: pulling web:2"),
        "shop/web: pulling web:2.",
        [WAIT],
    ),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_cause_is_told_with_what_clears_it(cause: str) -> None:
    app, sentence, commands = CAUSES[cause]
    told = explain(app, NOTHING)
    assert (told["sentence"], told["commands"]) == (sentence, commands)


@pytest.mark.parametrize(
    ("state", "fate"),
    [
        ("Undone", "was undone and is quarantined"),
        ("Undoing", "is being undone"),
        ("Failed", "failed and stays"),
    ],
)
def test_a_release_that_failed_is_told_with_its_fate(state: str, fate: str) -> None:
    told = explain(shop(web("Starting"), web(ready=True) | {"name": "db"}, state=state), FAILURE)
    serves = "shop serves release 1 (1 of 2 ready)"
    assert told["sentence"] == f"{serves}; release 2 {fate} since 10:00 (web never became ready)."
    assert told["commands"] == [LOGS, DIFF, EDIT, RETRY]
    assert told["since"] == "10:00"


def test_of_a_release_that_was_undone_the_last_lines_are_named() -> None:
    told = explain(shop(web(ready=True), state="Undone"), FAILURE)
    assert told["commands"] == [f"{LOGS} --previous", DIFF, EDIT, RETRY]


def test_a_release_that_failed_for_a_quota_says_where_to_look() -> None:
    told = explain(
        shop(web(ready=True), state="Undone"), FAILURE | {"message": f"web is not ready ({QUOTA})"}
    )
    assert told["commands"] == ["kubectl -n till describe resourcequota small", DIFF, EDIT, RETRY]


def test_a_release_that_failed_and_stays_does_not_serve() -> None:
    crash = shop(web("CrashLoop"), web(ready=True) | {"name": "db"}, state="Failed", Available="False")
    told = explain(crash, FAILURE | {"release": "1"})["sentence"]
    assert told.startswith(
        "shop is not available (release 1, 1 of 2 ready); release 1 failed and stays since"
    )


BY_HAND = web("Stopped", ready=True, runState="Stopped")
WAITS = {"Locked": "12:00"}


@pytest.mark.parametrize(
    ("app", "since"),
    [
        (shop(BY_HAND, state="Stopped", Ready="True"), ""),
        (shop(BY_HAND, web(ready=True) | {"name": "db"}, state="Ready", Ready="True"), ""),
        (shop(web("Updating"), why="shop is locked by till: sale", Ready="False"), "12:00"),
        (shop(web(), state="Held", why="suspended: spec.suspend is true", Ready="False"), ""),
        (shop(state="Stalled", why="no", stalled="Invalid", Ready="False"), "Stalled time"),
        (shop(web("Unhealthy"), state="Degraded", Ready="False"), "Ready time"),
        (shop(web(ready=True), state="Ready", Ready="True"), ""),
        (shop(observed=0) | {"status": {}}, "09:00"),
    ],
)
def test_since_is_the_moment_of_that_cause_or_none(app: Json, since: str) -> None:
    assert explain(app, NOTHING, waits=WAITS)["since"] == since


LOCK = Locked("shop is locked by till: sale", "11:00")


def test_a_lock_that_nothing_waits_for_is_told() -> None:
    well = shop(web(ready=True), state="Ready")
    told = explain(well, NOTHING, lock=LOCK)
    assert told["sentence"] == f"shop serves release 1 (1 of 1 ready); {LOCK.text}, since 11:00."
    assert (told["since"], told["commands"]) == ("11:00", ["iotctl unlock shop"])
    told = explain(well, NOTHING, lock=LOCK._replace(since=""))
    assert (told["sentence"].endswith(f"; {LOCK.text}."), told["since"]) == (True, "")


def test_a_lock_that_something_waits_for_is_told_once() -> None:
    told = explain(shop(web("Updating"), why=LOCK.text), NOTHING, lock=LOCK)
    assert (told["sentence"], told["since"]) == (f"shop waits: {LOCK.text}.", "")


def test_a_lock_is_told_beside_another_cause_with_that_ones_moment() -> None:
    told = explain(shop(web("Unhealthy", "no"), state="Degraded", Ready="False"), NOTHING, lock=LOCK)
    assert (told["sentence"], told["since"]) == (f"shop/web is not ready: no; {LOCK.text}.", "Ready time")
    assert told["commands"] == [LOGS, "iotctl unlock shop"]
