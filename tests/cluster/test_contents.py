"""Secrets and ConfigMaps: what is in them is part of a release."""

from __future__ import annotations

import base64
import time
from typing import Any

from iotistic.engines.kubernetes.names import copy
from iotistic.planning.release import digest_contents
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
    copies = [
        one
        for one in site.items("secret")
        if "iotistic.io/copy-of" in (one["metadata"].get("annotations") or {})
    ]
    assert all(one["immutable"] for one in copies)


def test_contents_that_change_together_arrive_together(site: Site) -> None:
    site.apply(secret("0"), config("0"), reading())
    site.until_state("Ready")
    for number in range(1, 6):
        site.apply(secret(str(number)), config(str(number)))
        time.sleep(number % 3 / 10)
    site.until(lambda: words(site) == "5 5", "the pod has both")
    site.until_state("Ready")
    site.operator.until_idle()
    assert words(site) == "5 5"


def test_digests_of_contents_have_a_key_of_their_own(site: Site) -> None:
    """Whoever may look at an App, but not into Secrets, must not be able to try passwords."""
    site.apply(secret("first"), config("uno"), reading())
    site.until_state("Ready")
    key = base64.b64decode(site.get("secret", "shop-digest-key")["data"]["key"])
    assert len(key) == 32
    copies = [one for one in site.names("secret") if one not in {"shop-digest-key", "words"}]
    expected = digest_contents(key, "Secret", "words", {"word": b"first"})
    assert copies == [copy("shop", expected)]
    site.operator.restart()
    site.operator.until_idle()
    assert not site.operator.writes(), "it is read again, not made anew"


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
    site.apply(secret("first"), config("uno"))
    site.quota("few", "count/secrets", "1", used="1")
    site.apply(reading())
    status = site.until_state("Stalled")
    assert site.condition("Stalled") == ("True", "Refused")
    assert "exceeded quota: few" in status["why"]
    site.kube.kubectl("delete", "quota", "few", "-n", site.namespace)
    site.until_state("Ready")
