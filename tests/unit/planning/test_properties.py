"""What is so of every world: it comes to rest as it is wanted, whatever is cut, late, or never done."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iotistic.api.errors import EngineError
from iotistic.engines.base import StepContext
from iotistic.engines.simulated import SimulatedEngine
from iotistic.engines.simulated.engine import AT_ONCE, WORLD_FILE
from iotistic.engines.simulated.world import World, change, write_world
from iotistic.planning.apply import apply
from iotistic.planning.preview import preview, time_passes
from iotistic.planning.rounds import next_steps
from iotistic.planning.short_form import written_service
from iotistic.planning.values import Action, Observed, Options, Step
from tests.unit.planning.conftest import FULL, QUICK
from tests.unit.planning.living import Living, Luck, alive, foreign, outcome
from tests.unit.planning.worlds import random_case

MOST_ROUNDS = 20
"""Enough for every world of three services in two Apps when all goes well."""
BAD_LUCK = Luck(late=0.4, never=0.3, until=15)

seeds = st.integers(0, 2**32 - 1)


@QUICK
@given(seed=seeds)
def test_every_world_comes_to_rest(seed: int) -> None:
    living = alive(random_case(Random(seed)), Random(seed))
    others = foreign(living.observed)

    last = living.settle(most_rounds=MOST_ROUNDS)

    assert all(step.action is Action.WAIT for step in last.steps)
    assert foreign(living.observed) == others


@QUICK
@given(seed=seeds)
def test_a_world_that_nothing_hinders_becomes_as_it_is_wanted(seed: int) -> None:
    living = alive(random_case(Random(seed), solvable=True), Random(seed))

    last = living.settle(most_rounds=MOST_ROUNDS)

    assert not last.steps
    assert not last.stalled
    assert not living.observed.held


@QUICK
@given(seed=seeds)
def test_steps_that_are_late_half_done_or_never_done_change_nothing_in_the_end(seed: int) -> None:
    case = random_case(Random(seed), solvable=True)
    smooth = alive(case, Random(seed))
    rough = alive(case, Random(seed + 1), BAD_LUCK)

    smooth.settle()
    last = rough.settle()

    assert not last.steps
    assert outcome(rough) == outcome(smooth)
    assert foreign(rough.observed) == foreign(smooth.observed)


@QUICK
@given(seed=seeds)
def test_a_cut_after_any_step_leads_to_the_same_end(seed: int) -> None:
    random = Random(seed)
    case = random_case(random, solvable=True)
    whole, cut = alive(case, random), alive(case, random)
    whole.settle()
    for _ in range(random.randint(0, 6)):
        cut.turn()

    steps = [step for step in cut.plan().steps if step.action is not Action.WAIT]
    for step in random.sample(steps, random.randint(0, len(steps))):
        cut.do(step)
    last = cut.settle()

    assert not last.steps
    assert outcome(cut) == outcome(whole)


@QUICK
@given(seed=seeds)
def test_the_steps_of_a_round_can_be_done_in_any_order(seed: int) -> None:
    random = Random(seed)
    living = alive(random_case(random), random)
    for _ in range(random.randint(0, 4)):
        living.turn()
    steps = list(next_steps(living.observed, living.targets, living.options).steps)

    one = _after(living, steps)
    other = _after(living, random.sample(steps, len(steps)))

    assert outcome(replace(living, observed=one)) == outcome(replace(living, observed=other))
    assert {image.ref for image in one.images} == {image.ref for image in other.images}


@QUICK
@given(seed=seeds)
def test_the_same_world_gives_the_same_round(seed: int) -> None:
    """In whatever order things were observed, except containers made at the same moment."""
    random = Random(seed)
    living = alive(random_case(random), random)
    seen = living.observed
    shuffled = replace(
        seen,
        images=tuple(random.sample(seen.images, len(seen.images))),
        networks=tuple(random.sample(seen.networks, len(seen.networks))),
        volumes=tuple(random.sample(seen.volumes, len(seen.volumes))),
    )
    targets = random.sample(living.targets, len(living.targets))

    one = next_steps(seen, living.targets, living.options)
    other = next_steps(shuffled, targets, living.options)

    assert sorted(step.text for step in one.steps) == sorted(step.text for step in other.steps)


@QUICK
@given(seed=seeds)
def test_one_app_never_waits_for_another(seed: int) -> None:
    """R17: without the other App its steps are the same, but for images that both need or free."""
    random = Random(seed)
    case = random_case(random)
    case["options"] |= {"reclaim": False}
    both = alive(case, random)
    alone = replace(both.options, hold=both.options.hold | {"till", "gone"})

    def of_shop(options: Options) -> list[str]:
        found = next_steps(both.observed, both.targets, options)
        return sorted(step.text for step in found.steps if step.app == "shop")

    assert of_shop(both.options) == of_shop(alone)


@QUICK
@given(seed=seeds)
def test_a_preview_ends_where_its_world_has_nothing_more_to_do(seed: int) -> None:
    living = alive(random_case(Random(seed)), Random(seed))

    found = preview(living.observed, living.targets, living.options)

    assert len(found.rounds) < MOST_ROUNDS
    left = next_steps(found.end, living.targets, living.options)
    assert all(step.action is Action.WAIT for step in left.steps)
    assert found.converged == (not left.steps and not left.stalled)
    assert time_passes(found.end, living.targets) == found.end or not left.steps


@QUICK
@given(seed=seeds)
def test_no_value_of_a_variable_appears_in_a_step(seed: int) -> None:
    case = random_case(Random(seed))
    secret = "hush-4711"
    for app in case["apps"]:
        for service in app["services"]:
            service["env"] = [{"name": "A", "value": secret}]
    living = alive(case, Random(seed))

    found = preview(living.observed, living.targets, living.options)

    assert secret not in repr(found.rounds)


@pytest.mark.parametrize("seed", range(40 if FULL else 12))
async def test_the_simulated_engine_comes_to_rest_too(tmp_path: Path, seed: int) -> None:
    """The engine refuses what no engine would do; a step that it refuses is planned again."""
    case = random_case(Random(seed), solvable=True)
    living = alive(case, Random(seed))
    others = _left_alone(living.observed)
    engine = SimulatedEngine(tmp_path, pace=AT_ONCE)
    write_world(tmp_path / WORLD_FILE, World(observed=_without_time(living), records=_records(case)))
    held = living.observed.held

    for _ in range(MOST_ROUNDS):
        observed = replace(await engine.observe(_names(living)), held=held)
        steps = next_steps(observed, living.targets, living.options).steps
        if not steps:
            break
        if all(step.action is Action.WAIT for step in steps):
            change(tmp_path / WORLD_FILE, lambda world: _later(world, living))
        for step in Random(seed).sample(steps, len(steps)):
            match step.action:
                case Action.TAKE_LOCK | Action.RELEASE_LOCK:
                    held = apply(replace(observed, held=held), step, living.targets).held
                case Action.WAIT:
                    pass
                case _:
                    await _done_or_refused(engine, step, living)

    assert not steps, [step.text for step in steps]
    assert not held
    assert _left_alone(observed) == others
    await engine.close()


async def _done_or_refused(engine: SimulatedEngine, step: Step, living: Living) -> None:
    try:
        await engine.execute(step, StepContext(target=living.target(step.app)))
    except EngineError:
        await asyncio.sleep(0)


def _left_alone(observed: Observed) -> object:
    """What is not ours, but for its status: this engine itself restarts what it is told to restart."""
    containers, networks, volumes = foreign(observed)
    return [(one.id, one.spec) for one in containers], networks, volumes


def _without_time(living: Living) -> Observed:
    """The world in which all that is on its way has arrived: on this engine nothing else moves it."""
    observed = living.observed
    for _ in range(3):
        observed = time_passes(observed, living.targets)
    return observed


def _later(world: World, living: Living) -> World:
    """Jobs end, too."""
    return replace(world, observed=time_passes(world.observed, living.targets))


def _records(case: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What each container's label holds."""
    return {
        container["id"]: written_service(container["spec"]).wire()
        for container in case["observed"]["containers"]
    }


def _names(living: Living) -> frozenset[str]:
    names = {service.spec.image.full for target in living.targets for service in target.services}
    names |= {image.ref.full for image in living.observed.images}
    return frozenset(names | {ref.full for ref in living.options.keep})


def _after(living: Living, steps: list[Step]) -> Observed:
    observed = living.observed
    for step in steps:
        observed = apply(observed, step, living.targets)
    return observed
