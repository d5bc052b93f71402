"""Which release an apply on a cluster makes: as the operator numbers it, or nothing where that is open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iotctl.cluster.numbering import release_of
from iotistic.api.app import App
from iotistic.controllers.cluster.revisions import next_revision
from iotistic.planning.release import release_digest

Json = dict[str, Any]
LOGIN = {"env": [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}}]}


def spec(image: str = "web:1", service: Json | None = None, **more: Any) -> Json:
    return {"services": [{"name": "web", "image": image} | (service or {})], **more}


def app(spec: Json, *, seen: bool = True) -> Json:
    return {
        "kind": "App",
        "metadata": {"name": "shop", "generation": 3},
        "spec": spec,
        "status": {"observedGeneration": 3 if seen else 2},
    }


@pytest.mark.parametrize(
    ("before", "after", "number", "release"),
    [
        (spec(), spec(), "4", "4"),
        (spec(), spec("web:2"), "4", "5"),
        (spec(), spec(update={"strategy": "KillThenDownload"}), "4", "4"),
        (spec(), spec(suspend=True), "4", "4"),
        (spec(), spec(service={"restartPolicy": "Always"}), "4", "4"),
        (spec(), spec("web:2", release="blue"), "4", "blue"),
        (spec(release="blue"), spec("web:2"), "blue", "1"),
        (spec(release="7"), spec(), "7", "8"),
    ],
)
def test_it_is_numbered_as_the_operator_does(before: Json, after: Json, number: str, release: str) -> None:
    assert release_of(app(before), app(after), (number, before), set()) == release
    was, wanted = (App.model_validate({"metadata": {"name": "shop"}, "spec": one}) for one in (before, after))
    known = replace(next_revision([], was, release_digest(was, {}), {}), release=number)
    assert next_revision([known], wanted, release_digest(wanted, {}), {}).release == release


def test_a_new_app_begins_with_the_first() -> None:
    assert release_of(None, app(spec()), ("", {}), set()) == "1"


def test_a_secret_that_changed_with_it_makes_a_release_where_it_is_used() -> None:
    used = spec(service=LOGIN)
    assert release_of(app(used), app(used), ("4", used), {"Secret/login"}) == "5"
    assert release_of(app(used), app(used), ("4", used), {"Secret/other", "ConfigMap/login"}) == "4"


def test_nothing_is_said_where_only_the_operator_can_tell() -> None:
    assert release_of(app(spec(), seen=False), app(spec()), ("4", spec()), set()) == ""
    assert release_of(app(spec()), app(spec()), ("", {}), set()) == ""
    assert release_of(app(spec()), app(spec()), ("4", {"services": 1}), set()) == ""
