"""Who the people of the chaos runs are: the register, and the truth behind it."""

from pathlib import Path

from tests.chaos.shop import LEVELS, Shop
from tests.chaos.staff import REQUESTER, STRANGERS, Staff, spellings
from worker.adapters.policy.loading import load_policy
from worker.adapters.reviewers.register_file import load_register
from worker.domain.reviewers import person_key


def test_every_spelling_is_the_person_whose_key_it_has() -> None:
    truth = Staff().truth()
    for one in Staff().who_may("manager"):
        for spelling in spellings(one.id):
            assert person_key(spelling) == one.id
            assert truth[spelling] == {"person": one.person, "roles": list(one.roles)}


def test_two_accounts_with_one_name_are_two_people() -> None:
    truth = Staff().truth()
    assert truth["user:maria"]["person"] != truth["user:maria.lund"]["person"]
    assert truth["user:maria"]["person"] == truth["USER:MARIA"]["person"]


def test_a_stranger_is_nobody_of_the_house() -> None:
    staff = Staff()
    people = {one.person for level in LEVELS.values() for one in staff.who_may(level["role"])}
    assert not people & {staff.person(name) for name in STRANGERS}


def test_enough_people_are_there_for_each_level_even_if_others_have_signed() -> None:
    staff = Staff()
    for level in LEVELS.values():
        able = staff.who_may(level["role"], frozenset({"rick", "maria"}))
        assert len(able) > level["quorum"]
        assert REQUESTER not in {one.id for one in able}


def test_strangers_are_not_in_the_register(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    register = load_register(shop.reviewers_file, load_policy(shop.policy_file))
    assert not {person_key(one.id) for one in register.people} & {person_key(name) for name in STRANGERS}


def test_who_has_left_or_may_sign_for_next_to_nothing_has_no_authority() -> None:
    truth = Staff().truth()
    assert truth["user:cass"]["roles"] == truth["user:gone"]["roles"] == truth["user:zoe"]["roles"] == []
