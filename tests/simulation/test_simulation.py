"""The short form of the simulation: some seeds of everything, and that a seed is a schedule."""

import pytest

from tests.simulation.world import Plan, simulate

SEEDS = range(1, 41)


@pytest.mark.slow
@pytest.mark.parametrize("first", SEEDS[::10])
def test_no_schedule_of_faults_breaks_an_invariant(first: int) -> None:
    for seed in range(first, first + 10):
        world = simulate(Plan(seed))
        assert world.met["killed at work"] + world.met["payments"] + world.met["executors"] > 0, world.plan


def test_the_same_seed_is_the_same_schedule() -> None:
    one, again, other = simulate(Plan(7, cases=4)), simulate(Plan(7, cases=4)), simulate(Plan(8, cases=4))
    assert one.digest == again.digest
    assert one.digest != other.digest
