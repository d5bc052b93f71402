"""Secrets and ConfigMaps: what is in them is part of a release."""

from __future__ import annotations

from typing import Any

from tests.cluster.site import Site, app, failing, serving

ENV = [{"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "words", "key": "word"}}}]


def secret(word: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "words"}, "stringData": {"word": word}}


def config(line: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "lines"}, "data": {"line": line}}


def reading(**spec: Any) -> dict[str, Any]:
    mount = [{"name": "files", "mountPath": "/files"}]
    volumes = [{"name": "files", "configMap": {"name": "lines"}}]
    return app(serving("one", env=ENV, volumeMounts=mount), volumes=volumes, **spec)


def words(site: Site) -> str:
    return site.inside("shop-web", "echo $WORD; cat /files/line").replace("\n", " ")


def test_what_is_missing_is_named_and_waited_for(site: Site) -> None:
    site.apply(reading())
    status = site.until_state("Stalled")
    assert site.condition("Stalled") == ("True", "MissingReference")
    assert "Secret words" in status["why"]
    assert "ConfigMap lines" in status["why"]
    site.apply(secret("first"), config("uno"))
    site.until_state("Ready")
    site.until(lambda: words(site) == "first uno", "the pod has them")


def test_changed_contents_are_a_new_release(site: Site) -> None:
    site.apply(secret("first"), config("uno"), reading())
    site.until_state("Ready", release="1")
    site.apply(secret("second"))
    site.until_state("Ready", release="2")
    site.until(lambda: words(site) == "second uno", "the pod has them")
    copies = [one for one in site.items("secret") if "iotistic.io/copy-of" in one["metadata"]["annotations"]]
    assert all(one["immutable"] for one in copies)


def test_an_undo_brings_old_contents_back(site: Site) -> None:
    site.apply(secret("first"), config("uno"), reading())
    site.until_state("Ready", release="1")
    site.apply(secret("second"))
    site.until_state("Ready", release="2")
    site.apply(config("due"), app(failing(env=ENV), update={"progressDeadlineSeconds": 30}))
    site.until_state("Undone", release="2")
    site.until(lambda: words(site) == "second uno", "the pod has them")
    site.apply(secret("third"), app(failing(env=ENV), update={"progressDeadlineSeconds": 30}))
    site.until(lambda: site.status().get("state") in {"Updating", "Undoing"}, "another contents, another try")
    site.until_state("Undone", release="2")
    site.until(lambda: words(site) == "second uno", "the pod has them")


def test_a_copy_that_is_refused_is_told_in_the_servers_words(site: Site) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "few"},
        "spec": {"hard": {"count/secrets": "1"}},
    }
    site.apply(secret("first"), config("uno"), quota)
    site.until(
        lambda: (
            ((site.get("quota", "few").get("status") or {}).get("used") or {}).get("count/secrets") == "1"
        ),
        "the quota counts",
    )
    site.apply(reading())
    status = site.until_state("Stalled")
    assert site.condition("Stalled") == ("True", "Refused")
    assert "exceeded quota: few" in status["why"]
    site.kube.kubectl("delete", "quota", "few", "-n", site.namespace)
    site.until_state("Ready")
