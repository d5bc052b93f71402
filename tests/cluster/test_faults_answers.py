"""Answers of the API server that are no yes: each is met in its own way, and the end is the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.faulty import site_behind, world
from tests.cluster.gateway import Gateway, Instead
from tests.cluster.kube import Kube
from tests.cluster.site import Site, app, serving, sleeping

DEPLOYMENT = ("PATCH", "/deployments/shop-web")
STATUS = ("PATCH", "/apps/shop/status")
REVISION = ("PATCH", "/controllerrevisions/")
LOST = 0
HOOK = 'Internal error occurred: failed calling webhook "down.example.com": connection refused'
PASSING = [
    ("conflicts", [Instead(*DEPLOYMENT, 409), Instead(*STATUS, 409), Instead(*REVISION, 409)]),
    ("too many requests", [Instead(*DEPLOYMENT, 429), Instead(*STATUS, 429)]),
    ("errors of the server", [Instead(*DEPLOYMENT, 500, left=2), Instead(*STATUS, 503)]),
    ("a webhook that is down", [Instead(*DEPLOYMENT, 500, HOOK), Instead(*STATUS, 500, HOOK, left=2)]),
    ("lost answers", [Instead(*DEPLOYMENT, LOST), Instead(*STATUS, LOST), Instead(*REVISION, LOST)]),
    ("a status that is refused once", [Instead(*STATUS, 422)]),
]


@pytest.fixture
def place(cluster: Kube, tmp_path: Path) -> Iterator[tuple[Site, Gateway]]:
    """An operator whose API server can be made to answer badly."""
    with site_behind(cluster, tmp_path) as made:
        yield made


def test_what_passes_is_tried_again(place: tuple[Site, Gateway]) -> None:
    site, gateway = place
    site.apply(app(serving("text1"), sleeping(), historyLimit=1))
    site.until_state("Ready", release="1")
    site.apply(app(serving("text2"), sleeping(), historyLimit=1))
    site.until_state("Ready", release="2")
    site.operator.until_idle()
    as_usual = world(site)
    for number, (what, answers) in enumerate(PASSING, start=3):
        gateway.instead(*answers)
        site.apply(app(serving(f"text{number}"), sleeping(), historyLimit=1))
        site.until_state("Ready", release=str(number))
        site.operator.until_idle()
        assert gateway.given(), f"{what}: all were met"
        assert world(site) == as_usual, what
        site.until_serves(f"text{number}", "shop-web")
    site.operator.until_ready()
    assert site.operator.reasons("/healthz") == []


def test_a_refused_child_is_told_in_the_words_of_the_api_server(place: tuple[Site, Gateway]) -> None:
    site, gateway = place
    site.apply(app(serving("one"), sleeping()))
    site.until_state("Ready", release="1")
    words = 'Deployment "shop-web" is invalid: spec: a rule of the house'
    # A patch that is refused may only collide with what somebody has set: the whole is offered then.
    ways = ("PATCH", "PUT")
    gateway.instead(*(Instead(way, DEPLOYMENT[1], 422, words, left=10_000) for way in ways))
    site.apply(app(serving("two"), sleeping(env=[{"name": "NEW", "value": "1"}])))
    site.until(lambda: "a rule of the house" in site.status().get("why", ""), "why has its words")
    site.until_serves("one", "shop-web")
    assert site.operator.reasons("/readyz") == []  # it concerns this object and nothing else
    gateway.instead()
    site.until_state("Ready", release="2")
    site.until_serves("two", "shop-web")


def test_one_app_that_is_refused_holds_up_no_other(place: tuple[Site, Gateway]) -> None:
    site, gateway = place
    gateway.instead(Instead("PATCH", "/deployments/bad-idle", 422, "no", left=10_000))
    site.apply(app(sleeping(), name="bad"), app(sleeping(), name="fine"))
    site.until_state("Ready", name="fine")
    site.until(lambda: site.status("bad").get("why"), "the other tells why")


def test_somebody_who_writes_all_the_time_changes_nothing(place: tuple[Site, Gateway]) -> None:
    site, _ = place
    site.apply(app(serving("one"), sleeping()))
    site.until_state("Ready", release="1")
    path = f"/apis/apps/v1/namespaces/{site.namespace}/deployments/shop-web"
    status = f"/apis/iotistic.io/v1alpha1/namespaces/{site.namespace}/apps/shop"
    ended = threading.Event()

    def write() -> None:
        merge, number = "application/merge-patch+json", 0
        while not ended.wait(0.1):
            number += 1
            other = {"metadata": {"annotations": {"somebody.example.com/number": str(number)}}}
            change = {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 60 + number}}}}
            site.kube.request("PATCH", path, other | (change if number % 20 == 0 else {}), content=merge)
            site.kube.request("PATCH", status, other, content=merge)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        site.apply(app(serving("two"), sleeping()))
        site.until(lambda: site.status().get("release") == "2", "the update came in")
    finally:
        ended.set()
        writer.join()
    site.until_state("Ready", release="2")
    site.operator.until_idle()
    site.until_serves("two", "shop-web")
    spec = site.get("deploy", "shop-web")["spec"]["template"]["spec"]
    assert spec["terminationGracePeriodSeconds"] < 60
    annotations = site.get("deploy", "shop-web")["metadata"]["annotations"]
    assert "somebody.example.com/number" in annotations  # what is not ours stays
