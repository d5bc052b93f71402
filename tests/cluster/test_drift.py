"""Children that somebody else changes or removes are mended; what belongs to others is left alone."""

from __future__ import annotations

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
