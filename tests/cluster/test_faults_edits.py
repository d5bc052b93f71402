"""An App is edited while its rollout is under way, at any moment of it: what was said last holds."""

from __future__ import annotations

import pytest

from tests.cluster.faulty import world
from tests.cluster.site import Site, app, failing, serving, sleeping

HASTY = {"progressDeadlineSeconds": 8}
UNREADY = {"httpGet": {"path": "/nowhere", "port": 8080}, "periodSeconds": 1}


def test_an_update_that_is_taken_back_leaves_nothing(site: Site) -> None:
    site.apply(app(serving("one"), sleeping()))
    site.until_state("Ready", release="1")
    site.operator.until_idle()
    before = world(site)
    site.apply(app(serving("two", readinessProbe=UNREADY), sleeping("added")))
    site.until_state("Updating")
    site.until(lambda: site.get("deploy", "shop-added"), "it has begun")
    site.apply(app(serving("one"), sleeping()))
    status = site.until_state("Ready")
    site.operator.until_idle()
    after = world(site)
    assert after.pop("revisions") <= before.pop("revisions") + 1
    assert after == before
    assert "Undone" not in str(status["conditions"])
    site.until_serves("one", "shop-web")


def test_mended_while_it_is_undone(site: Site) -> None:
    site.apply(app(serving("one"), sleeping(stopGracePeriod=15, args=["trap '' TERM; sleep 1000"])))
    site.until_state("Ready", release="1")
    site.apply(app(failing(), sleeping(), update=HASTY))
    site.until_state("Undoing", "Undone")
    site.apply(app(serving("three"), sleeping()))
    site.until_state("Ready", release="3")
    site.until_serves("three", "shop-web")
    assert site.condition("Stalled")[0] != "True"


def test_of_many_edits_the_last_one_holds(site: Site) -> None:
    site.apply(app(serving("text0"), sleeping("s0")))
    site.until_state("Ready", release="1")
    for number in range(1, 9):
        what = failing(code=number) if number % 3 == 0 else serving(f"text{number}")
        site.apply(app(what, sleeping(f"s{number}"), historyLimit=2))
    site.until_state("Ready")
    site.until_serves("text8", "shop-web")
    site.operator.until_idle()
    assert site.names("deployment") == ["shop-s8", "shop-web"]
    assert site.names("appservice") == ["shop-s8", "shop-web"]
    assert len(site.names("controllerrevision")) <= 3


@pytest.mark.parametrize("state", ["Updating", "Undoing"])
def test_deleted_in_the_middle(site: Site, state: str) -> None:
    site.apply(app(serving("one"), sleeping()))
    site.until_state("Ready", release="1")
    what = failing() if state == "Undoing" else serving("two", readinessProbe=UNREADY)
    slow = sleeping(stopGracePeriod=10, args=["trap '' TERM; sleep 1000"])
    site.apply(app(what, slow, update=HASTY if state == "Undoing" else {}))
    site.until_state(state, *(["Undone"] if state == "Undoing" else []))
    site.kube.kubectl("delete", "apps.iotistic.io", "shop", "-n", site.namespace)
    kinds = "appservice,deployment,service,controllerrevision,endpointslice,networkpolicy,pod"
    site.until(lambda: not site.items(kinds), "nothing is left")
    site.operator.until_idle()
    assert not site.items(kinds)
    assert site.operator.running()
