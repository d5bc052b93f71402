"""What the cluster makes of an object whenever it is written is no reason to write it again."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from iotistic.controllers.cluster.children import ref_of
from iotistic.controllers.cluster.overruling import overruled_by, to_write
from iotistic.engines.kubernetes.comparing import differences

WANTED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "shop-web", "namespace": "edge", "annotations": {"iotistic.io/release": "1"}},
    "spec": {
        "replicas": 1,
        "template": {"spec": {"containers": [{"name": "web", "image": "web:1", "args": ["--a"]}]}},
    },
}
CONTAINER = ("spec", "template", "spec", "containers", 0)


def put(made: dict[str, Any], value: Any, *path: str | int) -> dict[str, Any]:
    changed: Any = copy.deepcopy(made)
    parent = changed
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return dict(changed)


ONCE = put(WANTED, ["--a", "--more"], *CONTAINER, "args")
"""What a webhook has made of it."""
LIVE = put(put(ONCE, "77", "metadata", "resourceVersion"), {"replicas": 1}, "status")


@pytest.mark.parametrize(
    ("wanted", "live", "write"),
    [
        (WANTED, LIVE, False),
        (WANTED, put(LIVE, "78", "metadata", "resourceVersion"), False),
        (WANTED, put(LIVE, {"replicas": 0}, "status"), False),
        (put(WANTED, "2", "metadata", "annotations", "iotistic.io/release"), LIVE, False),
        (put(WANTED, ["--b"], *CONTAINER, "args"), LIVE, True),
        (put(WANTED, "web:2", *CONTAINER, "image"), LIVE, True),
        (put(WANTED, {"a": "b"}, "metadata", "labels"), LIVE, True),
        (WANTED, put(LIVE, 3, "spec", "replicas"), True),
        (WANTED, put(LIVE, ["--a", "--else"], *CONTAINER, "args"), True),
        (WANTED, WANTED, False),
    ],
)
def test_it_is_written_when_something_else_changes(
    wanted: dict[str, Any], live: dict[str, Any], write: bool
) -> None:
    """Its lines alone would not tell: of arguments they say no more than that they differ."""
    left = differences(WANTED, ONCE)
    assert left == ["spec.template.spec.containers[web].args: differs"]
    overruled = {ref_of(WANTED): overruled_by(WANTED, ONCE, left)}
    assert to_write(wanted, live, overruled) == (differences(wanted, live) if write else [])
    assert bool(to_write(wanted, live, overruled)) is write


def test_another_object_is_written() -> None:
    other = put(WANTED, "shop-db", "metadata", "name")
    overruled = {ref_of(other): overruled_by(WANTED, ONCE, differences(WANTED, ONCE))}
    assert to_write(WANTED, LIVE, overruled) == differences(WANTED, LIVE) != []
