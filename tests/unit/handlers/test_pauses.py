"""Pauses between tries of a watch, beside the time after which it passes for deaf."""

from __future__ import annotations

import itertools

from iotistic.engines.kubernetes import checking, contents
from iotistic.handlers.settings import BACKOFFS, Backoffs

RANDOM_PART = 4 / 3
A_LOADED_MACHINE = 2.0


def test_a_watch_is_back_before_it_passes_for_deaf() -> None:
    longest = max(*BACKOFFS, contents.LONGEST_PAUSE_SECONDS, contents.REFUSED_SECONDS) * RANDOM_PART
    assert longest + A_LOADED_MACHINE < checking.GRACE_SECONDS


def test_pauses_grow_and_differ() -> None:
    for pause, seconds in itertools.zip_longest(Backoffs(), BACKOFFS):
        assert seconds <= pause <= seconds * RANDOM_PART
