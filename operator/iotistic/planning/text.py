"""A preview as people read it."""

from __future__ import annotations

from collections.abc import Sequence

from iotistic.planning.preview import Preview
from iotistic.planning.values import AppTarget, Observed


def plan_text(preview: Preview, observed: Observed, targets: Sequence[AppTarget]) -> str:
    """Steps of all rounds, numbered, each with its cause."""
    steps = [step for steps in preview.rounds for step in steps]
    if not steps and not preview.stalled:
        return "Nothing to do."
    lines = [f"{n:>2}  {step.action:<14} {step.subject}  {step.cause}" for n, step in enumerate(steps, 1)]
    lines += [f"App {stall.app} is stalled: {stall.reason}" for stall in preview.stalled]
    return "\n".join(lines)
