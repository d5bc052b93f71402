"""Which releases are remembered, and which one is meant by rollback."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from iotistic.api.errors import ConflictError, EdgeError, NotFoundError
from iotistic.rollout.history import needed, rollback_to, standing, too_old, why_failed
from iotistic.rollout.values import Phase, RolloutState
from tests.unit.rollout.caller import STARTING, Caller, in_phase, wanted


@dataclass(frozen=True)
class Remembered:
    digest: str
    release: str


def history(digests: str) -> list[Remembered]:
    """Releases of these digests, each named after its place from 1."""
    return [Remembered(digest, str(place)) for place, digest in enumerate(digests, 1)]


@pytest.mark.parametrize(
    ("digests", "limit", "keep", "gone"),
    [
        ("", 3, "", ""),
        ("abcd", 3, "d", ""),
        ("abcde", 3, "e", "a"),
        ("abcdef", 3, "f", "ab"),
        ("abcdef", 3, "af", "b"),
        ("abcdef", 0, "af", "bcde"),
        ("abcdef", 0, "", "abcdef"),
        ("abcde", 6, "e", ""),
        ("ab", 0, "xyz", "ab"),
    ],
)
def test_the_limit_counts_beside_what_is_needed(digests: str, limit: int, keep: str, gone: str) -> None:
    assert "".join(too_old(history(digests), limit=limit, keep=set(keep))) == gone


@pytest.mark.parametrize(
    ("phase", "digests"),
    [
        (Phase.IDLE, {"b"}),
        (Phase.DONE, {"a", "b"}),
        (Phase.APPLYING, {"a", "b"}),
        (Phase.UNDONE, {"a", "b"}),
        (Phase.FAILED, {"b"}),
    ],
)
def test_what_may_run_or_be_gone_back_to_is_needed(phase: Phase, digests: set[str]) -> None:
    assert needed("b", in_phase(phase).state) == digests


def good(digests: str) -> RolloutState:
    """After these have been good, one after the other."""
    caller = Caller(app=wanted(digests[0], min_ready_seconds=0.0))
    for digest in digests:
        caller.want(digest)
        caller.turn()
        caller.turn()
    return caller.state


@pytest.mark.parametrize(
    ("state", "wanted", "release", "found"),
    [
        (good("abc"), "c", None, "b"),
        (good("abc"), "d", None, "c"),
        (good("abca"), "a", None, "c"),
        (good("abc"), "c", "1", "a"),
        (good("a"), "c", "2", "b"),
        (in_phase(Phase.UNDONE).state, "b", None, "a"),
    ],
)
def test_rollback_means(state: RolloutState, wanted: str, release: str | None, found: str) -> None:
    assert rollback_to(history("abcd"), state, app="shop", wanted=wanted, release=release).digest == found


@pytest.mark.parametrize(
    ("state", "release", "error", "text"),
    [
        (good("a"), None, NotFoundError, "no earlier good release is remembered"),
        (RolloutState(), None, NotFoundError, "no earlier good release is remembered"),
        (good("x"), None, NotFoundError, "no earlier good release is remembered"),
        (good("a"), "9", NotFoundError, "no release '9' is remembered"),
        (good("a"), "1", ConflictError, "release 1 is what is wanted now"),
    ],
)
def test_what_rollback_cannot_mean(
    state: RolloutState, release: str | None, error: type[EdgeError], text: str
) -> None:
    with pytest.raises(error) as raised:
        rollback_to(history("abc"), state, app="shop", wanted="a", release=release)

    assert raised.value.message == text
    assert raised.value.hint == ("Releases here: 3, 2, 1 (wanted now); iotctl history app shop tells of each")


def test_without_any_release_there_is_none_to_go_back_to() -> None:
    with pytest.raises(NotFoundError) as raised:
        rollback_to(history(""), RolloutState(), app="shop", wanted="", release="9")

    assert "Releases here: none" in raised.value.hint


def test_of_releases_with_one_name_the_newest_is_meant() -> None:
    named = [Remembered("a", "1"), Remembered("b", "1"), Remembered("c", "2")]

    assert rollback_to(named, good("c"), app="shop", wanted="c", release="1").digest == "b"


def test_only_the_last_good_ones_are_remembered_as_good() -> None:
    state = good("abcdefghijklmnopqrst")

    assert "".join(state.once_good) == "efghijklmnopqrst"


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        (Phase.DONE, {"a": "serving", "x": "superseded"}),
        (Phase.PREPARING, {"a": "good", "b": "updating", "x": "superseded"}),
        (Phase.VERIFYING, {"a": "good", "b": "updating"}),
        (Phase.UNDOING, {"a": "serving", "b": "quarantined"}),
        (Phase.UNDONE, {"a": "serving", "b": "quarantined"}),
        (Phase.FAILED, {"b": "failed"}),
    ],
)
def test_what_became_of_a_release(phase: Phase, words: dict[str, str]) -> None:
    caller = in_phase(phase)

    assert {digest: standing(digest, caller.state, wanted=caller.app.digest) for digest in words} == words


def test_a_release_that_has_still_to_begin_is_updating() -> None:
    caller = in_phase(Phase.DONE)
    caller.want("b", suspend=True)
    caller.turn(STARTING)

    assert standing("b", caller.state, wanted="b") == "updating"
    assert standing("a", caller.state, wanted="b") == "serving"


def test_a_release_that_is_gone_back_to_is_updating_until_it_is_good_again() -> None:
    caller = in_phase(Phase.APPLYING)
    caller.want("a")
    caller.turn(STARTING)

    assert standing("a", caller.state, wanted="a") == "updating"
    assert standing("b", caller.state, wanted="a") == "superseded"


def test_why_a_release_failed_is_known_after_others_were_applied() -> None:
    caller = in_phase(Phase.UNDONE)
    caller.want("c")
    caller.turn()
    caller.turn(STARTING, after=100)
    caller.want("d")
    caller.turn()
    caller.turn()
    caller.turn(after=10)
    caller.cut()

    assert caller.phase is Phase.DONE
    never = "web never became ready (GET :8080/health -> 500); 1 more not ready"
    assert {digest: why_failed(digest, caller.state) for digest in "abcd"} == {
        "a": "",
        "b": never,
        "c": never,
        "d": "",
    }
    assert standing("b", caller.state, wanted="d") == "superseded"


def test_what_became_good_after_all_has_not_failed() -> None:
    caller = in_phase(Phase.UNDONE)
    caller.ask_retry()
    caller.turn()
    caller.turn(after=1)
    caller.turn(after=10)

    assert caller.phase is Phase.DONE
    assert why_failed("b", caller.state) == ""


def test_no_more_failures_are_remembered_than_good_releases() -> None:
    caller = in_phase(Phase.DONE)
    for number in range(20):
        caller.want(f"bad{number}")
        caller.turn()
        caller.turn(STARTING, after=100)

    assert [failure.release for failure in caller.state.failed] == [f"BAD{n}" for n in range(4, 20)]
