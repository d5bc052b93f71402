"""The cases that the rules are shown in, each one round of the planner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from iotistic.planning.cases import failures

FOLDER = Path(__file__).parents[2] / "conformance"
CASES = [case for path in sorted(FOLDER.glob("*.yaml")) for case in yaml.safe_load(path.read_text())]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_planner_returns_exactly_the_steps_of_the_case(case: dict[str, Any]) -> None:
    assert failures(case) == []


def test_there_are_cases_and_none_has_the_id_of_another() -> None:
    ids = [case["id"] for case in CASES]

    assert len(ids) > 150
    assert len(set(ids)) == len(ids)
