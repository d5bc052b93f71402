"""An App as the API server has it: what can be read, and in which words it is told when not."""

from __future__ import annotations

from typing import Any

import pytest

from iotistic.controllers.cluster.reading import ContradictionError, UnreadableError, read, read_spec
from tests.unit.controllers_cluster.world import app


def found(*services: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "shop", "namespace": "edge"}, "spec": {"services": list(services)}}


A = {"name": "a", "image": "a:1", "ports": [{"containerPort": 80, "hostPort": 18777}]}


def test_what_does_not_go_together_can_be_read_and_is_told_by_name() -> None:
    with pytest.raises(ContradictionError) as told:
        read(found(A, A | {"name": "b"}))
    assert str(told.value) == "spec.services[b].ports[0].hostPort: host port 18777 is taken by service a"
    assert [service.name for service in told.value.app.spec.services] == ["a", "b"]


def test_another_shape_can_not_be_read() -> None:
    with pytest.raises(UnreadableError) as told:
        read(found({"name": "a"}))
    assert str(told.value).startswith("spec.services[a].image: ")
    with pytest.raises(UnreadableError) as told:
        read(found({"image": "a:1"}))
    assert str(told.value).startswith("spec.services[0].name: ")


def test_of_an_old_release_that_is_wrong_today_nothing_is_read() -> None:
    assert read_spec(app(), found(A, A | {"name": "b"})["spec"]) is None
    assert read_spec(app(), found({"name": "a"})["spec"]) is None
