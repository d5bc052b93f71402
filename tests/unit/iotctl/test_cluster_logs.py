"""Logs on a cluster where there is no line to show, and a namespace that is empty, hidden or not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest

from iotctl.cluster.apps import nothing_in
from iotctl.cluster.kubeconfig import Connection
from iotctl.cluster.logs import lines
from iotctl.cluster.server import ForbiddenError, Server
from iotctl.exits import NotFoundError

Json = dict[str, Any]
GONE = "unable to retrieve container logs for containerd://0123abcd"


class OneNode:
    """An API server with App shop, of which service web has one pod."""

    connection = Connection(server="https://one", context="one", namespace="till", source="kubeconfig")

    def __init__(self, written: list[str], answer: Exception | None = None) -> None:
        self.written = written
        self.answer = answer
        self.asked: list[str] = []

    def one(self, kind: str, name: str) -> Json:
        if kind == "Secret":
            raise NotFoundError("no such Secret")
        return {"metadata": {"name": name}, "spec": {}}

    def items(self, kind: str, labels: str = "") -> list[Json]:
        meta = {"name": "shop-web-1", "labels": {"iotistic.io/service": "web"}}
        return [{"metadata": meta, "spec": {"containers": [{"name": "web"}]}}]

    def path(self, kind: str, name: str) -> str:
        return name

    def lines(self, path: str, query: Mapping[str, str], *, patient: bool) -> Iterator[str]:
        yield from self.written

    def ask(self, method: str, path: str) -> Json:
        self.asked.append(f"{method} {path}")
        if self.answer:
            raise self.answer
        return {}


def read(written: list[str], **query: object) -> list[str]:
    server = cast("Server", OneNode(written))
    return [line["text"] for line in lines(server, "shop", "web", query)]


@pytest.mark.parametrize("query", [{}, {"follow": True}, {"tail": 5}])
def test_what_the_kubelet_says_in_the_place_of_a_log_is_no_line(query: dict[str, object]) -> None:
    assert read([GONE], **query) == []
    assert read([f"2026-01-01T00:00:00Z {GONE}"], **query) == [GONE]


@pytest.mark.parametrize("written", [[], [GONE]])
def test_that_no_earlier_container_is_kept_is_an_error(written: list[str]) -> None:
    with pytest.raises(NotFoundError, match="No lines of an earlier container of shop/web are kept"):
        read(written, previous=True)
    assert read(["2026-01-01T00:00:00Z dying"], previous=True) == ["dying"]


def test_where_nothing_is_the_namespace_is_looked_for_once() -> None:
    there = OneNode([])
    assert nothing_in(cast("Server", there)) == []
    assert there.asked == ["GET /api/v1/namespaces/till"]
    assert nothing_in(cast("Server", OneNode([], ForbiddenError("no")))) == []
    with pytest.raises(NotFoundError):
        nothing_in(cast("Server", OneNode([], NotFoundError("no"))))
