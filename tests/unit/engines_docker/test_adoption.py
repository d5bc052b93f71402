"""What is taken over, and whose it is."""

from __future__ import annotations

import json

import pytest

from iotistic.engines.docker.adoption import NAMES, NOT_OWN, Adoption
from iotistic.engines.docker.labels import thing_labels
from iotistic.planning.originals import AdoptedThing, Kind

OURS = thing_labels(app="a", name="data", install="i", record={}, users={})


def volume(app: str = "a", id: str = "Data", **labels: str) -> AdoptedThing:
    return AdoptedThing(kind=Kind.VOLUME, id=id, app=app, name="data", labels=OURS | labels)


@pytest.mark.parametrize(
    ("things", "labels", "own"),
    [
        ([volume()], None, True),
        ([volume()], {}, True),
        ([volume()], OURS, True),
        ([volume()], {"com.docker.compose.project": "other"}, False),
        ([volume(), volume("b")], None, False),
        ([volume(), volume("b", "Other")], None, True),
        ([volume(**{NOT_OWN: "true"})], None, False),
    ],
)
def test_only_data_of_one_app_alone_may_go_with_it(
    things: list[AdoptedThing], labels: dict[str, str] | None, own: bool
) -> None:
    adoption = Adoption("i")
    adoption.know(things, lambda _: None)

    assert adoption.is_own(things[0], labels) is own


def test_names_are_those_from_before_until_they_are_forgotten() -> None:
    names = {NAMES: json.dumps({"web": "App_web_1"})}
    floor = AdoptedThing(kind=Kind.NETWORK, id="7_floor", app="a", name="floor", labels=OURS | names)
    adoption, forgotten = Adoption("i"), list[AdoptedThing]()
    adoption.know([volume(), floor], forgotten.append)

    assert (adoption.volume_name("a", "data"), adoption.volume_name("b", "data")) == ("Data", "b_data")
    assert (adoption.network_name("a", "floor"), adoption.network_name("a", "x")) == ("7_floor", "a_x")
    assert (adoption.container_name("a", "web"), adoption.container_name("a", "new")) == ("App_web_1", "")
    assert adoption.on_engine({"a_floor": 1, "a_x": 2}) == {"7_floor": 1, "a_x": 2}
    assert adoption.networks_of("a", ["7_floor", "a_x", "bridge"]) == ["7_floor", "a_x"]

    adoption.forget(floor)

    assert forgotten == [floor]
    assert adoption.network_name("a", "floor") == "a_floor"
    assert adoption.container_name("a", "web") == ""


def test_containers_that_are_gone_are_forgotten() -> None:
    there, gone = (
        AdoptedThing(kind=Kind.CONTAINER, id=id, app="a", name="data", labels=OURS) for id in ("c1", "c2")
    )
    adoption = Adoption("i")
    adoption.know([there, gone, volume()], lambda _: None)

    adoption.forget_gone({"c1"})

    assert (adoption.ids(Kind.CONTAINER), adoption.ids(Kind.VOLUME)) == (["c1"], ["Data"])
    assert adoption.owner("c1", {}) is not None
    assert adoption.owner("c2", {}) is None
    assert Adoption("other install").owner("c1", {}) is None
