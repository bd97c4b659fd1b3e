"""The database drops its connections in the middle of everything: whatever was under way is done, once."""

import psycopg

from tests.acceptance.house import House
from tests.acceptance.test_killed_workers import assert_one_outcome, assert_paid_once

EXCEPTIONS, CUTS = 80, 8


def cut_all_connections(database: str) -> int:
    """What an immediate restart looks like from outside: also a COMMIT whose answer never comes."""
    with psycopg.connect(database, autocommit=True) as admin:
        return len(
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            ).fetchall()
        )


async def test_connections_that_are_cut_again_and_again_lose_and_double_nothing(house: House) -> None:
    await house.start_worker()
    await house.raise_exception("E-first")
    await house.outcome_of("E-first")
    cut = []
    for number in range(EXCEPTIONS):
        await house.raise_exception(f"E-{number}", 15_000 if number % 2 else 5_000)
        if number % (EXCEPTIONS // CUTS) == 5:
            cut.append(cut_all_connections(house.database))
    for number in range(1, EXCEPTIONS, 2):
        await house.approval_of(f"E-{number}")
        await house.decide(f"D-{number}", exception_id=f"E-{number}")
        if number % (EXCEPTIONS // CUTS) == 5:
            cut.append(cut_all_connections(house.database))

    for number in range(EXCEPTIONS):
        assert (await house.outcome_of(f"E-{number}"))["status"] == "executed"
        assert_one_outcome(house, f"E-{number}")
        assert_paid_once(house, f"E-{number}", 15_000 if number % 2 else 5_000)
    assert len([connections for connections in cut if connections]) >= 3, "the cuts met nobody"
