"""The short form of the simulation: seeds of everything, a long run, and that a seed is a schedule."""

import pytest

from tests.simulation.plan import Plan
from tests.simulation.world import simulate

SEEDS, CHUNK = 500, 25


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1, SEEDS + 1, CHUNK))
def test_no_schedule_of_faults_breaks_an_invariant(first: int) -> None:
    for seed in range(first, first + CHUNK):
        world = simulate(Plan(seed))
        assert world.met["killed at work"] + world.met["payments"] + world.met["executors"] > 0, world.plan


@pytest.mark.slow
def test_two_months_of_faults_break_no_invariant() -> None:
    world = simulate(Plan(seed=1, days=60, cases=120))
    assert world.met["paid"] > 0


def test_the_same_seed_is_the_same_schedule() -> None:
    one, again, other = simulate(Plan(7, cases=4)), simulate(Plan(7, cases=4)), simulate(Plan(8, cases=4))
    assert one.digest == again.digest
    assert one.digest != other.digest
