"""The operator is killed at a write, at any, and started again: everything ends as if nothing had been.

A sample by lot; IOTISTIC_FULL=1 takes every write, before it, after it, and after its answer.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.faulty import site_behind, world
from tests.cluster.gateway import Cut, Gateway, Moment
from tests.cluster.kube import Kube
from tests.cluster.site import Site, app, failing, serving, sleeping
from tests.faults.seeds import FULL, SEED

CUTS = 2
Place = tuple[Site, Gateway]


@pytest.fixture
def place(cluster: Kube, tmp_path: Path) -> Iterator[Place]:
    """An operator that can be killed at a write."""
    with site_behind(cluster, tmp_path) as made:
        yield made


def words(number: int) -> dict[str, Any]:
    """A ConfigMap for one release: its copy is one more thing to write."""
    data = {"word": str(number)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"words-{number}"}, "data": data}


def good(number: int) -> dict[str, Any]:
    """A release of two services; of the other numbers it has the other leftover."""
    env = [{"name": "WORD", "valueFrom": {"configMapKeyRef": {"name": f"words-{number}", "key": "word"}}}]
    other = sleeping("even" if number % 2 == 0 else "odd")
    return app(serving(f"text{number}", env=env), other, historyLimit=1)


def bad(number: int) -> dict[str, Any]:
    """A release that never stays ready, and is undone soon."""
    changed = sleeping("even", env=[{"name": "NUMBER", "value": str(number)}])
    # On a busy machine the kubelet may call a container ready for a second or two after its end.
    update = {"progressDeadlineSeconds": 12, "minReadySeconds": 5}
    return app(failing(code=number % 200), changed, historyLimit=1, update=update)


def drawn(writes: int) -> list[Cut]:
    """Where to cut something that takes so many writes."""
    every = [Cut(number, moment) for number in range(1, writes + 1) for moment in Moment]
    return every if FULL else random.Random(f"{SEED} {writes}").sample(every, CUTS)


def killed_at(place: Place, cut: Cut | None) -> None:
    """Count from here on, and kill the operator at this write."""
    site, gateway = place
    gateway.watch(cut, lambda: os.kill(site.operator.pid, signal.SIGKILL))


def ends(place: Place, state: str, release: str, *, cut: Cut | None) -> dict[str, Any]:
    """Wait for the end; the operator is started again as soon as it was killed. Returns: the world then."""
    site, gateway = place

    def there() -> bool:
        status = site.status()
        return status.get("state") == state and release in {"", status.get("release")}

    site.until(lambda: gateway.fired.is_set() or (cut is None and there()) or late(place, there), "killed")
    if gateway.fired.is_set():
        site.operator.kill()
        gateway.watch()
        site.operator.start()
        # The state may be that of the end already, with things left to do that it does not know of yet.
        site.operator.until_ready()
    elif cut is not None:
        gateway.watch()  # what is written late must not end it any more
    site.until(there, f"{state} {release} after {cut}, IOTISTIC_SEED={SEED}")
    site.operator.until_idle()
    return world(site)


def late(place: Place, there: Any) -> bool:
    """Whether it has ended without coming to that write: how many there are is not always the same."""
    site, gateway = place
    return there() and site.operator.metric("iotistic_busy") == 0 and not gateway.fired.is_set()


def test_killed_at_a_write_of_an_update(place: Place) -> None:
    site, gateway = place
    site.apply(words(1), good(1))
    site.until_state("Ready", release="1")
    site.operator.until_idle()
    killed_at(place, None)
    site.apply(words(2), good(2))
    as_usual = ends(place, "Ready", "2", cut=None)
    assert as_usual["revisions"] == 2
    cuts = drawn(len(gateway.writes))
    print(f"IOTISTIC_SEED={SEED}: {cuts} of {gateway.writes}")
    for number, cut in enumerate(cuts, start=3):
        killed_at(place, cut)
        site.apply(words(number), good(number))
        found = ends(place, "Ready", str(number), cut=cut)
        assert renamed(found) == renamed(as_usual), f"{cut}, IOTISTIC_SEED={SEED}"
        site.until_serves(f"text{number}", "shop-web")


def renamed(seen: dict[str, Any]) -> dict[str, Any]:
    """The other service has the one name in even releases and the other in odd ones."""
    names = {"shop-even": "other", "shop-odd": "other", "even": "other", "odd": "other"}
    return seen | {
        part: {names.get(name, name): value for name, value in seen[part].items()}
        for part in ("deployments", "pods")
    }


def test_killed_at_a_write_of_an_undo(place: Place) -> None:
    site, gateway = place
    site.apply(words(2), good(2))
    site.until_state("Ready", release="1")
    site.operator.until_idle()
    killed_at(place, None)
    site.apply(bad(1))
    as_usual = ends(place, "Undone", "1", cut=None)
    assert as_usual.pop("revisions") == 2
    cuts = drawn(len(gateway.writes))
    print(f"IOTISTIC_SEED={SEED}: {cuts} of {gateway.writes}")
    for number, cut in enumerate(cuts, start=2):
        killed_at(place, cut)
        site.apply(bad(number))
        found = ends(place, "Undone", "1", cut=cut)
        # Besides the one that runs, the last that failed, and one more for historyLimit.
        assert found.pop("revisions") <= 3
        assert found == as_usual, f"{cut}, IOTISTIC_SEED={SEED}"
        site.until_serves("text2", "shop-web")
