"""What every store tells of a register of reviewers: a person, and whoever's place they might take."""

import asyncio
from datetime import UTC, datetime

import pytest

from tests.builders import a_person, usd
from tests.contracts.houses import House
from worker.application.ports.store import Store
from worker.application.unit_of_work import CaseQuery
from worker.domain.reviewers import Person

MARIA = a_person("user:maria")


async def people(store: Store, reviewer: str | None = "user:maria", also: str | None = None) -> list[str] | None:
    """The ids of those whom the store knows."""
    found = (await store.view(CaseQuery(reviewer=reviewer, also=also))).people
    return None if found is None else [person.id for person in found]


def delegating(reviewer_id: str, to: str) -> Person:
    return a_person(reviewer_id, delegate=to)


async def test_without_a_register_nothing_is_said_of_anybody(house: House) -> None:
    assert await people(house.store) is None


async def test_with_a_register_an_unknown_reviewer_is_nobody(house: House) -> None:
    store = await house.registered(MARIA)
    assert await people(store, "user:jonas") == []
    assert await people(store, None) == []


async def test_a_person_is_read_as_they_were_written(house: House) -> None:
    dawn = datetime(2026, 1, 5, 9, tzinfo=UTC)
    known = a_person(roles=("manager", "director"), ceiling=usd(500_000), valid_from=dawn, away_until=dawn)
    store = await house.registered(known)
    assert (await store.view(CaseQuery(reviewer="user:maria"))).people == (known,)


@pytest.mark.parametrize("spelling", ["USER:MARIA", " user:Maria "])
async def test_a_person_is_found_however_their_id_is_spelt(house: House, spelling: str) -> None:
    assert await people(await house.registered(MARIA), spelling) == ["user:maria"]


async def test_whoever_names_the_reviewer_as_delegate_is_found_with_them_and_through_others(house: House) -> None:
    store = await house.registered(
        MARIA,
        delegating("user:jonas", "User:Maria"),
        delegating("user:ada", "user:jonas"),
        delegating("user:bob", "user:maria"),
        delegating("user:else", "user:nobody"),
    )
    assert await people(store) == ["user:maria", "user:bob", "user:jonas", "user:ada"]
    assert await people(store, "user:jonas") == ["user:jonas", "user:ada"]
    assert await people(store, "user:ada") == ["user:ada"]


async def test_somebody_who_is_not_registered_may_still_be_named_as_a_delegate(house: House) -> None:
    assert await people(await house.registered(delegating("user:jonas", "user:maria"))) == ["user:jonas"]


async def test_a_cycle_of_delegates_ends(house: House) -> None:
    store = await house.registered(delegating("user:maria", "user:jonas"), delegating("user:jonas", "user:maria"))
    assert await people(store) == ["user:maria", "user:jonas"]
    store = await house.registered(delegating("user:ada", "user:ada"))
    assert await people(store, "user:ada") == ["user:ada"]


async def test_a_delegation_reaches_over_ten_people_and_no_further(house: House) -> None:
    chain = [delegating(f"user:{number}", f"user:{number - 1}") for number in range(1, 13)]
    store = await house.registered(*chain)
    assert await people(store, "user:0") == [f"user:{number}" for number in range(1, 11)]


async def test_the_one_who_gets_a_question_is_looked_up_with_the_one_who_gives_it(house: House) -> None:
    store = await house.registered(MARIA, a_person("user:jonas"), delegating("user:ada", "user:jonas"))
    assert await people(store, also="user:jonas") == ["user:maria", "user:jonas", "user:ada"]
    assert await people(store, also="user:maria") == ["user:maria"]
    assert await people(store, also="user:nobody") == ["user:maria"]


async def test_reviewers_who_are_looked_up_at_once_are_not_mixed_up(house: House) -> None:
    names = [f"user:{number}" for number in range(20)]
    substitutes = [delegating(f"deputy:{name}", name) for name in names]
    store = await house.registered(*map(a_person, names), *substitutes)
    found = await asyncio.gather(*(people(store, name) for name in names))
    assert found == [[name, f"deputy:{name}"] for name in names]
