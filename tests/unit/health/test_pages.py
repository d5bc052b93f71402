"""The pages for kubelet and Prometheus."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from iotistic.engines.kubernetes.writes import Write, Writes
from iotistic.health.figures import Figures, Snapshot
from iotistic.health.server import HealthServer

PAGE = (Path(__file__).parents[3] / "docs" / "health.md").read_text()


def snapshot() -> Snapshot:
    return Snapshot(
        version="1",
        synced=True,
        queued=2,
        busy=True,
        turns=3,
        failed_turns=1,
        lag_seconds=0.1,
        objects={"App": 4},
        heard={"App": time.monotonic()},
        deaf=["Pod"],
        checks=5,
    )


def ask(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_each_metric_is_in_the_docs() -> None:
    writes = Writes()
    writes.succeeded(Write("apply", "Deployment", "changed"))
    writes.refused("apply", "Deployment", "Forbidden", "no", concerns_all=True)

    text = Figures(writes).page(snapshot())

    names = set(re.findall(r"^(iotistic_\w+?)(?:_bucket|_sum|_count|_created)?[ {]", text, re.MULTILINE))
    assert len(names) > 12
    assert {name for name in names if f"`{name}" not in PAGE} == set()
    assert 'iotistic_api_writes_total{kind="Deployment",reason="changed",verb="apply"} 1.0' in text
    assert "process_resident_memory_bytes" in text


def test_reasons_make_a_page_fail() -> None:
    reasons: list[str] = []
    server = HealthServer(
        "127.0.0.1", 0, alive=lambda: reasons, ready=lambda: ["not yet"], metrics=lambda: "x 1\n"
    )
    try:
        assert ask(f"{server.url}/healthz") == (200, '{"ok": true, "reasons": []}\n')
        reasons.append("the loop hangs")
        status, text = ask(f"{server.url}/healthz")
        assert (status, json.loads(text)["reasons"]) == (503, ["the loop hangs"])
        assert ask(f"{server.url}/readyz")[0] == 503
        assert ask(f"{server.url}/metrics?x=1") == (200, "x 1\n")
        assert ask(f"{server.url}/")[0] == 404
    finally:
        server.close()


def test_ipv6_is_served_too() -> None:
    try:
        server = HealthServer("::1", 0, alive=list, ready=list, metrics=str)
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    try:
        assert server.url.startswith("http://[::1]:")
        assert ask(f"{server.url}/healthz")[0] == 200
    finally:
        server.close()


def test_a_write_that_comes_through_ends_what_hindered_it() -> None:
    writes = Writes()
    writes.refused("apply", "Job", "Forbidden", "may not", concerns_all=True)
    assert writes.hindrances() == ["apply Job: may not"]

    writes.succeeded(Write("apply", "Job", "changed"))

    assert writes.hindrances() == []
