"""Whose a change of a Deployment is."""

from __future__ import annotations

from typing import Any

from iotistic.engines.kubernetes.rivals import REMEMBERED_SECONDS, Rivals


class Scene:
    """A process that looks, and a clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.rivals = Rivals("us", lambda: self.now)
        self.rivals.saw(deployment(1))

    def later(self, seconds: float = 10.0) -> str:
        self.now += seconds
        return self.rivals.problem()


def deployment(generation: int, *, by: str = "us", name: str = "shop-web") -> dict[str, Any]:
    """As it is after a change that somebody made."""
    marks = [{"manager": "us", "time": "2026-06-01T12:00:00Z"}]
    marks += [
        {"manager": by, "time": f"2026-06-01T12:00:{generation:02}Z"},
        {"manager": "controller", "time": "2026-06-01T13:00:00Z", "subresource": "status"},
    ]
    metadata = {"namespace": "edge", "name": name, "uid": f"uid of {name}", "generation": generation}
    return {"kind": "Deployment", "metadata": metadata | {"managedFields": marks}}


def test_changes_under_our_name_that_are_not_ours_are_told_and_forgotten() -> None:
    scene = Scene()
    for generation in (2, 3):
        scene.rivals.saw(deployment(generation))
    assert scene.later() == "", "an answer or two may have been lost"
    scene.rivals.saw(deployment(4))
    assert scene.later(1) == "", "its answer may be on its way"
    assert "edge/shop-web" in scene.later()
    assert scene.later(REMEMBERED_SECONDS) == ""


def test_our_own_changes_are_none_whichever_comes_first() -> None:
    scene = Scene()
    for generation in range(2, 10, 2):
        scene.rivals.saw(deployment(generation))
        scene.rivals.wrote(deployment(generation))
        scene.rivals.wrote(deployment(generation + 1))
        scene.rivals.saw(deployment(generation + 1))
    assert scene.later() == ""


def test_what_people_change_is_no_operators() -> None:
    scene = Scene()
    for generation in range(2, 10):
        scene.rivals.saw(deployment(generation, by="kubectl-edit"))
    assert scene.later() == ""


def test_answers_that_were_lost_for_many_are_no_rival() -> None:
    scene = Scene()
    for number in range(9):
        for generation in (1, 2):
            scene.rivals.saw(deployment(generation, name=f"app{number}"))
    assert scene.later() == ""
