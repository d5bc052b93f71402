"""What will be done, round by round, if all goes well: `next_steps` and `apply` in turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iotistic.planning.apply import apply
from iotistic.planning.rounds import next_steps
from iotistic.planning.values import Action, AppTarget, Observed, Options, Stall, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Rounds until nothing is left to do, or nothing can be done."""

    rounds: tuple[tuple[Step, ...], ...]
    """Steps of each round, without waits; where it ends in waiting, the waits are the last round."""
    converged: bool
    """Everything is as wanted in the end."""
    stalled: tuple[Stall, ...]
    """Apps that are left alone in the end."""
    end: Observed
    """The world after the last round."""


def preview(
    observed: Observed, targets: Sequence[AppTarget], options: Options, *, most_rounds: int = 100
) -> Preview:
    """Go on until nothing changes any more.

    Every fetch ends at once; a new container runs and is healthy.
    """
    rounds: list[tuple[Step, ...]] = []
    for _ in range(most_rounds):
        found = next_steps(observed, targets, options)
        steps = tuple(step for step in found.steps if step.action is not Action.WAIT)
        if not steps:
            if found.steps:
                rounds.append(found.steps)
            converged = not found.steps and not found.stalled
            return Preview(rounds=tuple(rounds), converged=converged, stalled=found.stalled, end=observed)
        rounds.append(steps)
        for step in steps:
            observed = apply(observed, step, targets)
    return Preview(rounds=tuple(rounds), converged=False, stalled=(), end=observed)
