"""Children that somebody else changes or removes are mended; what belongs to others is left alone."""

from __future__ import annotations

from typing import Any

from tests.cluster.site import Site, app, serving


def test_removed_children_come_back(site: Site) -> None:
    site.apply(app(serving()))
    site.until_state("Ready")
    for kind, name in (
        ("deploy", "shop-web"),
        ("svc", "shop-web"),
        ("appservice", "shop-web"),
        ("svc", "shop-names"),
    ):
        uid = site.get(kind, name)["metadata"]["uid"]
        site.kube.kubectl("delete", kind, name, "-n", site.namespace)

        def back(kind: str = kind, name: str = name, uid: str = uid) -> bool:
            found = site.get(kind, name)
            return found is not None and found["metadata"]["uid"] != uid

        site.until(back, f"{kind} {name} is back")
    assert site.until_state("Ready")["release"] == "1"


def test_changed_children_are_mended(site: Site) -> None:
    site.apply(app(serving()))
    site.until_state("Ready")
    container = site.get("deploy", "shop-web")["spec"]["template"]["spec"]["containers"][0]["name"]
    added = {"name": container, "env": [{"name": "ADDED", "value": "1"}]}
    site.kube.kubectl(
        "patch",
        "deploy",
        "shop-web",
        "-n",
        site.namespace,
        "-p",
        f'{{"spec":{{"template":{{"spec":{{"containers":[{str(added).replace(chr(39), chr(34))}]}}}}}}}}',
    )

    def clean() -> bool:
        found = site.get("deploy", "shop-web")["spec"]["template"]["spec"]["containers"][0]
        return not found.get("env")

    site.until(clean, "the variable is gone")
    site.patch("deploy", "shop-web", {"spec": {"replicas": 3}})
    site.until(lambda: site.get("deploy", "shop-web")["spec"]["replicas"] == 1, "one replica again")
    site.until_state("Ready")


def test_what_may_not_be_beside_what_is_wanted_is_mended(site: Site) -> None:
    """The API server refuses to apply ours beside it."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "login"},
        "stringData": {"pw": "one"},
    }
    reference = {"name": "PW", "valueFrom": {"secretKeyRef": {"name": "login", "key": "pw"}}}
    site.apply(secret, app(serving(env=[reference])))
    site.until_state("Ready")

    def spec() -> Any:
        return site.get("deploy", "shop-web")["spec"]

    def variables() -> Any:
        return spec()["template"]["spec"]["containers"][0]["env"]

    wanted = variables()
    assert "valueFrom" in wanted[0]
    site.kube.kubectl("set", "env", "deploy/shop-web", "PW=hunter2", "-n", site.namespace)
    site.until(lambda: variables() == wanted, "the variable is of the Secret again")
    assert spec()["strategy"] == {"type": "Recreate"}
    site.patch("deploy", "shop-web", {"spec": {"strategy": {"type": "RollingUpdate"}}})
    site.until(lambda: spec()["strategy"] == {"type": "Recreate"}, "the strategy is ours again")
    site.until_state("Ready")
    assert not site.operator.lines("child_refused")
    assert "hunter2" not in site.operator.log.read_text()


def test_what_others_add_around_is_left_alone(site: Site) -> None:
    site.apply(app(serving()))
    site.until_state("Ready")
    site.patch(
        "deploy", "shop-web", {"metadata": {"labels": {"team": "red"}, "annotations": {"note": "hello"}}}
    )
    site.patch("deploy", "shop-web", {"spec": {"replicas": 2}})
    site.until(lambda: site.get("deploy", "shop-web")["spec"]["replicas"] == 1, "one replica again")
    metadata = site.get("deploy", "shop-web")["metadata"]
    assert (metadata["labels"]["team"], metadata["annotations"]["note"]) == ("red", "hello")
