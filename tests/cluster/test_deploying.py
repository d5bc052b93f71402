"""An App file becomes running pods, and says so."""

from __future__ import annotations

import time

from tests.cluster.site import Site, app, failing, serving, sleeping


def test_an_app_is_brought_in_and_says_so(site: Site) -> None:
    site.apply(
        app(
            serving(dependsOn={"db": "started"}, volumeMounts=[{"name": "data", "mountPath": "/data"}]),
            sleeping("db"),
            volumes=[{"name": "data", "size": "16Mi"}],
        )
    )
    site.kube.kubectl(
        "wait", "--for=condition=Ready", "apps.iotistic.io/shop", "-n", site.namespace, "--timeout=300s"
    )
    status = site.status()
    assert (status["state"], status["ready"], status["release"]) == ("Ready", "2/2", "1")
    assert site.names("deploy") == ["shop-db", "shop-web"]
    assert site.names("pvc") == ["shop-data"]

    def services() -> list[tuple[str, str, bool]]:
        found = [item.get("status") or {} for item in site.items("appservices")]
        return sorted((s.get("name", ""), s.get("state", ""), s.get("ready", False)) for s in found)

    site.until(lambda: services() == [("db", "Running", True), ("web", "Running", True)], "both are shown")
    owners = site.get("deploy", "shop-web")["metadata"]["ownerReferences"]
    assert [(owner["kind"], owner["name"], owner["controller"]) for owner in owners] == [
        ("App", "shop", True)
    ]
    assert "ownerReferences" not in site.get("pvc", "shop-data")["metadata"]
    assert "finalizers" not in site.get("apps.iotistic.io", "shop")["metadata"]


def test_an_image_that_cannot_be_had_is_told_in_the_kubelets_words(site: Site) -> None:
    site.apply(app(sleeping("web", image="registry.invalid/nothing:1")))

    def told() -> bool:
        why = site.status().get("why", "")
        return why.startswith("web: ") and "registry.invalid" in why

    site.until(told, "why names the image")


def test_a_first_release_that_crashes_says_how(site: Site) -> None:
    site.apply(app(failing(code=3), update={"progressDeadlineSeconds": 20}))
    status = site.until_state("Failed")
    assert "exit 3" in status["why"]
    assert site.condition("Stalled") == ("True", "DeadlineExceeded")
    assert site.condition("Ready")[0] == "False"
    site.apply(app(serving()))
    site.until_state("Ready", release="2")


def test_a_job_that_ends_well_counts_as_ready(site: Site) -> None:
    job = sleeping("job", args=["exit 0"], restartPolicy="Never")
    site.apply(app(job, serving(dependsOn={"job": "completed"})))
    status = site.until_state("Ready")
    assert {one["name"]: one["state"] for one in status["services"]} == {"job": "Completed", "web": "Running"}
    changed = sleeping("job", args=["true; exit 0"], restartPolicy="Never")
    before = site.get("job", "shop-job")["metadata"]["uid"]
    site.apply(app(changed, serving(dependsOn={"job": "completed"})))
    site.until_state("Ready", release="2")
    assert site.get("job", "shop-job")["metadata"]["uid"] != before


def test_a_stopped_service_stays_stopped(site: Site) -> None:
    site.apply(app(serving(), sleeping("db")))
    site.until_state("Ready")
    site.patch("appservice", "shop-db", {"spec": {"runState": "Stopped"}})

    def replicas() -> int:
        return int(site.get("deploy", "shop-db")["spec"]["replicas"])

    site.until(lambda: replicas() == 0, "db is stopped")
    site.apply(app(serving("two"), sleeping("db")))
    site.until_state("Ready", release="2")
    assert replicas() == 0
    site.patch("appservice", "shop-db", {"spec": {"runState": "Running"}})
    site.until(lambda: replicas() == 1, "db is started again")
    site.until_state("Ready")


def test_a_restart_on_request_makes_a_new_pod(site: Site) -> None:
    site.apply(app(serving()))
    site.until_state("Ready")
    before = site.names("pod")
    site.annotate("appservice", "shop-web", restarted_at="2026-06-01T12:00:00Z")
    site.until(lambda: site.names("pod") and not set(site.names("pod")) & set(before), "another pod runs")
    assert site.until_state("Ready")["release"] == "1"


def refused_pods(site: Site) -> bool:
    """Whether the cluster has said no to a pod."""
    found = [one for deploy in site.items("deploy") for one in deploy["status"].get("conditions") or ()]
    return any(one["type"] == "ReplicaFailure" and one["status"] == "True" for one in found)


def test_a_quota_that_refuses_pods_is_told_in_its_words(site: Site) -> None:
    site.quota("small", "pods", "0")
    site.apply(app(serving()))
    site.until(lambda: refused_pods(site), "the pod is refused")
    began = time.monotonic()
    site.until(lambda: "exceeded quota: small" in site.status().get("why", ""), "why says so")
    assert time.monotonic() - began < 15
    site.kube.kubectl("delete", "quota", "small", "-n", site.namespace)
    site.until_state("Ready")


def test_what_was_refused_and_is_wanted_no_more_is_in_nobodys_way(site: Site) -> None:
    site.apply(app(serving("one")))
    site.until_state("Ready")
    site.quota("none", "persistentvolumeclaims", "0")
    mount = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    kept = app(serving("one", **mount), volumes=[{"name": "data", "size": "16Mi"}])
    site.apply(kept)
    site.until(lambda: "exceeded quota: none" in site.status().get("why", ""), "why says so")
    site.apply(kept | {"spec": kept["spec"] | {"suspend": True}})
    site.until_state("Held")
    time.sleep(11)  # it would be asked for again after 10 s
    turns = site.operator.metric("iotistic_reconciles_total")
    time.sleep(3)
    assert site.operator.metric("iotistic_reconciles_total") - turns < 4
    site.apply(app(serving("one")))
    assert "quota" not in site.until_state("Ready").get("why", "")


def test_what_kubernetes_cannot_do_is_refused_with_its_reason(site: Site) -> None:
    site.apply(app(serving(logging={"driver": "syslog"})))
    status = site.until_state("Stalled")
    assert "logging" in status["why"]
    assert site.condition("Stalled") == ("True", "NotOnKubernetes")
    assert site.items("deploy") == []


def test_all_that_stands_against_an_app_is_told_at_once(site: Site) -> None:
    """Whoever has kubectl only mends a file once, and not once for each rule."""
    env = [{"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "words", "key": "word"}}}]
    circle = [
        sleeping(name, dependsOn={other: "started"}) for name, other in (("a", "b"), ("b", "c"), ("c", "a"))
    ]
    site.apply(app(serving(logging={"driver": "syslog"}, env=env), *circle))
    why = site.until_state("Stalled")["why"]
    assert site.condition("Stalled") == ("True", "Invalid")
    assert "depend" in why
    assert "spec.services[web].logging.driver: " in why
    assert f"there is no Secret words in namespace {site.namespace}" in why
    site.apply(app(serving(env=env)))
    site.until(lambda: site.condition("Stalled") == ("True", "MissingReference"), "only that is left")
    assert site.status()["why"] == f"there is no Secret words in namespace {site.namespace}"


def test_an_app_that_contradicts_itself_is_left_alone_and_others_go_on(site: Site) -> None:
    site.apply(app(serving()))
    site.until_state("Ready")
    uid = site.get("deploy", "shop-web")["metadata"]["uid"]
    circle = [
        sleeping(name, dependsOn={other: "started"}) for name, other in (("a", "b"), ("b", "c"), ("c", "a"))
    ]
    site.apply(app(*circle), app(serving("other"), name="other"))
    site.until_state("Ready", name="other")
    status = site.until_state("Stalled")
    assert site.condition("Stalled") == ("True", "Invalid")
    assert "depends" in status["why"] or "circle" in status["why"]
    assert site.condition("Available")[0] == "True"
    assert site.get("deploy", "shop-web")["metadata"]["uid"] == uid
    site.apply(app(serving()))
    site.until_state("Ready")
