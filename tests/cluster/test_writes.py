"""How often anything is written."""

from __future__ import annotations

from collections import Counter

from tests.cluster.site import Site, app, failing, serving, sleeping


def statuses(site: Site) -> Counter[str]:
    """Status writes so far, by kind."""
    found: Counter[str] = Counter()
    for written, count in site.operator.writes().items():
        if written.reason == "status":
            found[written.kind] += count
    return found


def settled(site: Site) -> None:
    def shown() -> bool:
        found = [item.get("status") or {} for item in site.items("appservices")]
        return len(found) == 2 and all(one.get("ready") for one in found)

    site.until(shown, "both services are shown as ready")
    site.operator.until_idle()


def test_writes_of_a_change_an_undo_and_of_nothing(site: Site) -> None:
    update = {"minReadySeconds": 3, "progressDeadlineSeconds": 40}
    site.apply(app(serving("one"), sleeping("db"), update=update))
    site.until_state("Ready", release="1")
    settled(site)
    install = statuses(site)
    assert install["App"] <= 2
    assert install["AppService"] <= 2 * 2

    site.apply(app(serving("two"), sleeping("db"), update=update))
    site.until_state("Ready", release="2")
    settled(site)
    change = statuses(site) - install
    assert change["App"] <= 2
    assert change["AppService"] <= 2 * 2

    site.apply(app(failing(), sleeping("db"), update=update))
    site.until_state("Undone")
    settled(site)
    undo = statuses(site) - install - change
    assert undo["App"] <= 4
    assert undo["AppService"] <= 2 * 4

    site.operator.restart()
    site.operator.until_idle()
    assert not site.operator.writes(), "a start with nothing changed writes nothing"
