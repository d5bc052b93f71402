"""The operator's wall clock jumps by 300 days, as that of a board without a battery does at its first answer
from a time server: deadlines are of another clock.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import packages
from tests.cluster.faulty import site_behind
from tests.cluster.kube import Kube
from tests.cluster.reaching import missing
from tests.cluster.site import Site, app, serving, sleeping

DEADLINE_SECONDS = 30
UNREADY = {"httpGet": {"path": "/nowhere", "port": 8080}, "periodSeconds": 1}


@pytest.fixture(scope="module")
def faketime() -> Path:
    """The library that lies about the time."""
    if os.environ.get("CI") == "true":
        packages.install("libfaketime", unless=library)
    found = library()
    if found is None:
        missing("no libfaketime (apt-get install libfaketime)")
    assert found is not None
    return found


def library() -> Path | None:
    """Where distributions have it; the one for programs with threads first."""
    for name in ("libfaketimeMT.so.1", "libfaketime.so.1"):
        for place in ("lib/*/faketime", "lib64/faketime", "lib/faketime"):
            for found in sorted(Path("/usr").glob(f"{place}/{name}")):
                return found
    return None


class Clock:
    """The wall clock of one operator."""

    def __init__(self, library: Path, file: Path) -> None:
        self._file = file
        self.set("+0d")
        self.env = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, offset: str) -> None:
        """Make it so far ahead of the machine's."""
        new = self._file.with_suffix(".new")
        new.write_text(offset + "\n")
        new.replace(self._file)


@pytest.fixture
def place(cluster: Kube, faketime: Path, tmp_path: Path) -> Iterator[tuple[Site, Clock]]:
    """An operator with a wall clock of its own."""
    clock = Clock(faketime, tmp_path / "clock")
    with site_behind(cluster, tmp_path, clock.env) as (site, _):
        yield site, clock


def until_told(site: Site, ahead: bool) -> None:
    """Wait until the operator's log has the time that it was given."""
    year_ahead = time.time() + 200 * 86400

    def told() -> bool:
        last = site.operator.lines()[-1]["timestamp"]
        moment = time.mktime(time.strptime(str(last)[:19], "%Y-%m-%dT%H:%M:%S"))
        return (moment > year_ahead) is ahead

    site.until(told, "the log has the operator's own time")


def test_a_jump_in_the_middle_of_a_deadline_ends_nothing_early(place: tuple[Site, Clock]) -> None:
    site, clock = place
    update = {"progressDeadlineSeconds": DEADLINE_SECONDS, "minReadySeconds": 3}
    site.apply(app(serving("one"), sleeping(), update=update))
    site.until_state("Ready", release="1")

    begun = time.monotonic()
    site.apply(app(serving("two", readinessProbe=UNREADY), sleeping(), update=update))
    site.until_state("Updating")
    clock.set("+300d")
    status = site.until_state("Undone")
    took = time.monotonic() - begun
    assert took >= DEADLINE_SECONDS
    assert status["release"] == "1"
    until_told(site, ahead=True)
    site.until_serves("one", "shop-web")

    site.apply(app(serving("three"), sleeping(), update=update))
    site.until_state("Updating", "Ready")
    clock.set("+0d")
    site.until_state("Ready", release="3")
    site.until_serves("three", "shop-web")
    site.operator.until_idle()
    assert site.operator.reasons("/healthz") == []
    assert site.operator.reasons("/readyz") == []


def test_started_with_a_wrong_clock_it_goes_on_where_it_was(place: tuple[Site, Clock]) -> None:
    site, clock = place
    update = {"progressDeadlineSeconds": DEADLINE_SECONDS}
    site.apply(app(serving("one"), sleeping(), update=update))
    site.until_state("Ready", release="1")
    begun = time.monotonic()
    site.apply(app(serving("two", readinessProbe=UNREADY), sleeping(), update=update))
    site.until_state("Updating")
    site.operator.kill()
    clock.set("-300d")
    site.operator.start()
    assert site.until_state("Undone")["release"] == "1"
    assert time.monotonic() - begun >= DEADLINE_SECONDS
    site.operator.until_idle()
    before = sum(site.operator.writes().values())
    site.operator.restart()
    site.operator.until_idle()
    assert not site.operator.writes(), f"nothing to write after {before} writes"
