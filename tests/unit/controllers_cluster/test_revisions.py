"""Releases that the cluster remembers, and their numbers."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from iotistic.controllers.cluster.ports import Key
from iotistic.controllers.cluster.revisions import Revision, manifest, next_revision, revisions, updates_of
from tests.unit.controllers_cluster.world import app, metadata

KEY = Key("edge", "shop")
COPIES = {("Secret", "login"): "shop-abc"}


def known(*pairs: tuple[str, str], **spec: Any) -> list[Revision]:
    return [
        Revision(
            digest=digest,
            release=release,
            number=number,
            name=f"shop-{digest}",
            spec=app(**spec).spec.wire(),
            named="release" in spec,
            updates=updates_of(app(**spec)),
        )
        for number, (digest, release) in enumerate(pairs, start=1)
    ]


def test_the_first_release_is_number_one() -> None:
    first = next_revision([], app(), "d1", COPIES)
    assert (first.release, first.number, first.name, first.copies) == ("1", 1, "shop-d1", COPIES)


def test_a_revision_is_read_as_it_was_written() -> None:
    first = next_revision([], app(), "d1", COPIES)
    assert revisions([manifest(first, KEY, metadata(""))]) == [first]


def test_what_is_wanted_already_stays_as_it_is() -> None:
    before = known(("d1", "1"), ("d2", "2"))
    assert next_revision(before, app(), "d2", {}) is before[1]


def test_another_spec_gets_the_next_number() -> None:
    assert next_revision(known(("d1", "1"), ("d2", "2")), app(), "d3", {}).release == "3"


def test_a_release_that_is_wanted_again_becomes_the_newest() -> None:
    again = next_revision(known(("d1", "1"), ("d2", "2")), app(), "d1", {})
    assert (again.digest, again.release, again.number, again.name) == ("d1", "3", 3, "shop-d1")


def test_how_it_is_brought_in_is_that_of_the_last_time_it_was_wanted() -> None:
    """It makes no other release, but an undo to it, or a stall after it, must not bring other pods."""
    before = known(("d1", "1"))
    handed = app(update={"strategy": "HandOver", "minReadySeconds": 7})
    same = next_revision(before, handed, "d1", {})
    assert (same.name, same.number, same.release, same.spec) == ("shop-d1", 1, "1", before[0].spec)
    assert next_revision([same], handed, "d1", {}) is same

    [read] = revisions([manifest(same, KEY, metadata(""))])
    assert read == same
    then = read.app(app())
    assert then is not None
    assert then.spec.update == handed.spec.update
    plain = next_revision([read], app(), "d1", {}).app(handed)
    assert plain is not None
    assert plain.spec.update == app().spec.update


def test_an_older_operators_revision_is_brought_in_as_its_spec_says() -> None:
    first = manifest(next_revision([], app(update={"minReadySeconds": 7}), "d1", {}), KEY, metadata(""))
    del first["metadata"]["annotations"]["iotistic.io/update"]
    [read] = revisions([first])
    then = read.app(app())
    assert then is not None
    assert then.spec.update.min_ready_seconds == 7
    assert manifest(read, KEY, metadata("")) == first


def test_a_named_release() -> None:
    before = known(("d1", "1"))
    assert next_revision(before, app(release="summer"), "d2", {}).release == "summer"
    renamed = next_revision(before, app(release="summer"), "d1", {})
    assert (renamed.release, renamed.number) == ("summer", 1)
    named = known(("d1", "summer"), release="summer")
    assert next_revision(named, app(), "d2", {}).release == "1"


def test_what_is_no_revision_of_ours_is_passed_over() -> None:
    other = {"kind": "ControllerRevision", "metadata": metadata("other"), "revision": 5, "data": {}}
    assert revisions([other, {"kind": "Pod", "metadata": metadata("pod")}]) == []


def test_a_name_that_is_given_no_more_makes_one_more_number_and_that_is_all() -> None:
    named = known(("d1", "7"), release="7")
    numbered = next_revision(named, app(), "d1", {})
    assert numbered.release == "8"
    assert next_revision([numbered], app(), "d1", {}) is numbered


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "release": st.sampled_from(["7", "summer"]),
                "update": st.sampled_from([{"minReadySeconds": 1}, {"minReadySeconds": 2}]),
                "suspend": st.booleans(),
                "digest": st.sampled_from(["d1", "d2"]),
            },
        )
    )
)
def test_what_a_revision_holds_never_changes_and_a_second_look_writes_nothing(
    wishes: list[dict[str, Any]],
) -> None:
    """The API server refuses a ControllerRevision with other data under the same name."""
    held: dict[str, Any] = {}
    stored: dict[str, Revision] = {}
    for wish in wishes:
        digest = wish.pop("digest", "d1")
        wanted = app(**wish)
        before = sorted(stored.values(), key=lambda one: one.number)
        made = next_revision(before, wanted, digest, COPIES)
        written = manifest(made, KEY, metadata(""))
        assert held.setdefault(made.name, written["data"]) == written["data"]
        [stored[made.name]] = revisions([written])
        newest = sorted(stored.values(), key=lambda one: one.number)
        assert next_revision(newest, wanted, digest, COPIES) is newest[-1]
        assert made.release == wish.get("release", made.release)


def test_a_release_that_cannot_be_read_any_more() -> None:
    revision = Revision(digest="d", release="1", number=1, name="shop-d", spec={"services": 5})
    assert revision.app(app()) is None
    good = next_revision([], app(), "d1", {})
    read = good.app(app())
    assert read is not None
    assert read.spec == app().spec
