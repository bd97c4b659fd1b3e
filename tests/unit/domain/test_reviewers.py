"""On whose authority somebody decides: their own, and that of people who are away and named them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.reviewers import Person, Standing, person_key, same_person, standings

NOW = datetime(2026, 12, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def away(id_: str, delegate: str | None, **fields: datetime) -> Person:
    known = {"away_from": NOW - DAY, "away_until": NOW + DAY, **fields}
    return Person(id=id_, roles=("manager",), delegate=delegate, **known)


def here(id_: str, **fields: datetime) -> Person:
    return Person(id=id_, roles=("clerk",), **fields)


def authorities(reviewer: str, *register: Person) -> Mapping[str, tuple[str, ...]]:
    """Whose authority the reviewer has, and through whom."""
    found = list(standings(reviewer, register, NOW))
    assert all(standing.reviewer == reviewer for standing, _ in found)
    assert len({person_key(person.id) for _, person in found}) == len(found)
    return {person.id: standing.on_behalf_of for standing, person in found}


class TestWhoCounts:
    @pytest.mark.parametrize(
        ("valid_from", "valid_until", "counts"),
        [
            (None, None, True),
            (NOW, None, True),
            (NOW + timedelta(seconds=1), None, False),
            (None, NOW, False),
            (None, NOW + timedelta(seconds=1), True),
        ],
    )
    def test_from_the_first_moment_up_to_and_not_including_the_last(
        self, valid_from: datetime | None, valid_until: datetime | None, counts: bool
    ) -> None:
        assert Person(id="user:ada", valid_from=valid_from, valid_until=valid_until).is_valid(NOW) is counts

    @pytest.mark.parametrize(
        ("away_from", "away_until", "is_away"),
        [
            (None, None, False),
            (NOW, None, True),
            (None, NOW, False),
            (None, NOW + DAY, True),
            (NOW + DAY, None, False),
        ],
    )
    def test_nobody_is_away_without_a_date(
        self, away_from: datetime | None, away_until: datetime | None, is_away: bool
    ) -> None:
        assert Person(id="user:ada", away_from=away_from, away_until=away_until).is_away(NOW) is is_away

    def test_who_is_not_in_the_register_has_no_authority(self) -> None:
        assert authorities("user:mallory", here("user:ada")) == {}

    def test_who_has_left_has_none(self) -> None:
        assert authorities("user:ada", here("user:ada", valid_until=NOW)) == {}

    def test_who_is_away_may_still_decide_in_person(self) -> None:
        assert authorities("user:maria", away("user:maria", "user:jonas")) == {"user:maria": ()}


class TestDelegates:
    def test_decide_for_who_is_away_after_their_own_authority(self) -> None:
        found = authorities("user:jonas", away("user:maria", "user:jonas"), here("user:jonas"))
        assert list(found.items()) == [("user:jonas", ()), ("user:maria", ("user:maria",))]

    def test_do_not_while_that_person_is_here(self) -> None:
        back = away("user:maria", "user:jonas", away_until=NOW)
        assert authorities("user:jonas", back, here("user:jonas")) == {"user:jonas": ()}

    def test_hand_on_what_they_were_handed_and_each_of_them_has_signed(self) -> None:
        register = (away("user:maria", "user:jonas"), away("user:jonas", "user:kim"), here("user:kim"))
        found = list(standings("user:kim", register, NOW))
        assert [standing.on_behalf_of for standing, _ in found] == [
            (),
            ("user:jonas",),
            ("user:jonas", "user:maria"),
        ]
        assert found[-1][0].people == ("user:kim", "user:jonas", "user:maria")

    def test_keep_the_question_while_they_are_here(self) -> None:
        register = (away("user:maria", "user:jonas"), here("user:jonas"), here("user:kim"))
        assert authorities("user:kim", *register) == {"user:kim": ()}

    def test_who_have_left_decide_for_nobody(self) -> None:
        register = (away("user:maria", "user:jonas"), here("user:jonas", valid_until=NOW))
        assert authorities("user:jonas", *register) == {}

    def test_who_have_left_hand_nothing_on(self) -> None:
        register = (away("user:maria", "user:jonas"), away("user:jonas", "user:kim", valid_until=NOW), here("user:kim"))
        assert authorities("user:kim", *register) == {"user:kim": ()}

    def test_of_who_has_left_decide_for_themselves_only(self) -> None:
        register = (away("user:maria", "user:jonas", valid_until=NOW), here("user:jonas"))
        assert authorities("user:jonas", *register) == {"user:jonas": ()}

    def test_may_be_spelt_otherwise_than_they_are_registered(self) -> None:
        found = authorities(" User:Jonas", away("user:maria", "USER:JONAS "), here("user:jonas"))
        assert found == {"user:jonas": (), "user:maria": ("user:maria",)}

    def test_in_a_circle_end_where_it_closes(self) -> None:
        register = (away("user:a", "user:b"), away("user:b", "user:c"), away("user:c", "user:a"))
        assert list(authorities("user:a", *register)) == ["user:a", "user:c", "user:b"]

    def test_of_oneself_change_nothing(self) -> None:
        assert authorities("user:a", away("user:a", "user:a")) == {"user:a": ()}

    def test_with_many_people_away_have_the_authority_of_each(self) -> None:
        register = (away("user:a", "user:c"), away("user:b", "user:c"), here("user:c"))
        assert authorities("user:c", *register) == {"user:c": (), "user:a": ("user:a",), "user:b": ("user:b",)}


class TestSpellings:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("user:maria", "USER:Maria"),
            ("user:maria", "  user:maria\n"),
            ("user:josé", "user:jose\u0301"),
            ("user:straße", "user:STRASSE"),
            ("user:office", "user:o\ufb03ce"),  # the three letters as one character
            ("user:maria", "\uff55\uff53\uff45\uff52:maria"),  # in full width
        ],
    )
    def test_of_one_id_are_one_person(self, one: str, other: str) -> None:
        assert same_person(one, other)

    @pytest.mark.parametrize("other", ["user:mario", "agent:maria", "user:maría", "user: maria"])
    def test_of_other_ids_are_other_people(self, other: str) -> None:
        assert not same_person("user:maria", other)

    @given(st.text())
    def test_do_not_depend_on_case_space_or_normal_form(self, reviewer_id: str) -> None:
        for form in ("NFC", "NFD", "NFKC", "NFKD"):
            assert same_person(reviewer_id, f" {normalize(form, reviewer_id)} ")
        assert same_person(reviewer_id, reviewer_id.casefold())

    @given(st.text())
    def test_have_a_key_that_is_its_own_key(self, reviewer_id: str) -> None:
        assert person_key(person_key(reviewer_id)) == person_key(reviewer_id)


people = st.sampled_from(["user:a", "user:b", "user:c", "user:d", "user:e"])
registers = st.dictionaries(
    people,
    st.tuples(st.none() | people, st.booleans(), st.booleans()),
).map(
    lambda rows: tuple(
        Person(
            id=id_,
            delegate=delegate,
            away_from=NOW - DAY if is_away else None,
            valid_until=None if is_valid else NOW,
        )
        for id_, (delegate, is_away, is_valid) in rows.items()
    )
)


@given(people, registers)
def test_an_authority_is_handed_from_person_to_person_and_each_was_away_and_counts(
    reviewer: str, register: tuple[Person, ...]
) -> None:
    known = {person.id: person for person in register}
    for standing, holder in standings(reviewer, register, NOW):
        chain = standing.people
        assert chain[-1] == holder.id
        assert len(set(chain)) == len(chain), "nobody stands twice in it"
        assert all(known[one].is_valid(NOW) for one in chain)
        for by, given_by in pairwise(chain):
            assert known[given_by].delegate == by
            assert known[given_by].is_away(NOW)


@given(people, registers)
def test_every_authority_that_somebody_could_follow_by_hand_is_found(
    reviewer: str, register: tuple[Person, ...]
) -> None:
    known = {person.id: person for person in register}
    expected = {holder for holder in known if reviewer in _followed(holder, known)}
    assert {person.id for _, person in standings(reviewer, register, NOW)} == expected


def _followed(holder: str, known: Mapping[str, Person]) -> list[str]:
    """Whom a question of the holder reaches: themselves, and from delegate to delegate while each of them is away."""
    reached: list[str] = []
    one: str | None = holder
    while one is not None and one in known and one not in reached and known[one].is_valid(NOW):
        reached.append(one)
        one = known[one].delegate if known[one].is_away(NOW) else None
    return reached


def test_a_standing_of_ones_own_is_one_person() -> None:
    assert Standing(reviewer="user:ada").people == ("user:ada",)
