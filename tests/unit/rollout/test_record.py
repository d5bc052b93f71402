"""The stored form of a rollout's state."""

from __future__ import annotations

import json

import pytest

from iotistic.rollout.record import from_text, to_text
from iotistic.rollout.values import Phase, RolloutState, Watch
from tests.unit.rollout.caller import in_phase


@pytest.mark.parametrize("phase", list(Phase))
def test_a_state_comes_back_as_it_was_without_what_only_this_process_has_seen(phase: Phase) -> None:
    state = in_phase(phase).state

    back = from_text(to_text(state))

    assert back == state
    assert back.watch == Watch()
    assert to_text(back) == to_text(state)


def test_the_text_is_small_and_the_same_each_time() -> None:
    assert to_text(RolloutState()) == "{}"
    assert to_text(in_phase(Phase.DONE).state) == (
        '{"last_good": {"digest": "a", "name": "A"}, "once_good": ["a"]}'
    )
    assert max(len(to_text(in_phase(phase).state)) for phase in Phase) < 600


def test_what_a_newer_version_added_is_skipped() -> None:
    text = to_text(in_phase(Phase.UNDONE).state)
    record = json.loads(text)
    record["approved_by"] = "anna"
    record["failure"]["lines"] = 50

    assert from_text(json.dumps(record)) == from_text(text)


@pytest.mark.parametrize("text", ["", "{", "[]", '"a"', "7", "null", '{"attempt": "a"}', '{"attempt": {}}'])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_text(text)
