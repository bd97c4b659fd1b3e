"""A register of reviewers as a file: what it says, and every mistake that stops it, with its line."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.builders import eur
from worker.adapters.policy.loading import parse_policy
from worker.adapters.reviewers.register_file import REGISTER, RegisterError, load_register, parse_register
from worker.domain.reviewers import Person

POLICY = parse_policy(
    b"""
name: our-shop
base_currency: USD
rates: {EUR: 1.08}
levels:
  manager:
    role: manager
    due_in: 24h
    deadlines: [{at: 50%, do: hand_over, to: duty-manager}]
    on_timeout: reject
    allowed_verdicts: [approve, reject]
  director: {role: director, due_in: 24h, on_timeout: reject, allowed_verdicts: [approve, reject]}
rules:
  - {id: refund, when: exception.kind == "refund", says: a refund, levels: [manager, director], risk: low}
""",
    "policy.yaml",
)


def people_in(text: str) -> tuple[Person, ...]:
    return parse_register(text.encode(), "people.yaml", POLICY).people


def mistakes_in(text: str | bytes) -> list[str]:
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(RegisterError) as refused:
        parse_register(content, "people.yaml", POLICY)
    return str(refused.value).splitlines()


def day(month: int, number: int, year: int = 2026) -> datetime:
    return datetime(year, month, number, tzinfo=UTC)


def test_a_person_has_roles_a_ceiling_a_time_and_a_delegate() -> None:
    maria, jonas = people_in(
        """
        reviewers:
          - id: user:maria
            roles: [manager, director]
            ceiling: 5000.00 EUR
            valid_from: 2026-01-01
            valid_until: 2027-01-01
            away: {from: 2026-12-20, until: 2026-12-31T18:00:00+01:00, delegate: USER:Jonas}
          - id: user:jonas
        """
    )
    assert maria == Person(
        id="user:maria",
        roles=("manager", "director"),
        ceiling=eur(500_000),
        valid_from=day(1, 1),
        valid_until=day(1, 1, 2027),
        away_from=day(12, 20),
        away_until=datetime(2026, 12, 31, 17, tzinfo=UTC),
        delegate="USER:Jonas",
    )
    assert jonas == Person(id="user:jonas")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-02-28", day(2, 28)),
        ("2026-02-28T09:30:00Z", datetime(2026, 2, 28, 9, 30, tzinfo=UTC)),
        ("2026-02-28 09:30:00.250-05:00", datetime(2026, 2, 28, 14, 30, 0, 250_000, tzinfo=UTC)),
        ("'2026-02-28t09:30:00z'", datetime(2026, 2, 28, 9, 30, tzinfo=UTC)),
    ],
)
def test_a_day_is_midnight_in_utc_and_a_time_has_its_zone(text: str, moment: datetime) -> None:
    (person,) = people_in(f"reviewers: [{{id: user:maria, valid_from: {text}}}]")
    assert person.valid_from == moment


def test_an_id_that_looks_like_a_number_stays_as_it_was_written() -> None:
    assert [person.id for person in people_in("reviewers: [{id: 007}, {id: 1e3}]")] == ["007", "1e3"]


@pytest.mark.parametrize(
    ("entry", "mistake"),
    [
        (
            "{id: user:maria, role: manager}",
            "people.yaml:1: reviewer user:maria has an unknown key `role`; did you mean roles?",
        ),
        ("{roles: [manager]}", "people.yaml:1: reviewer number 1 has no `id`; add `id: …`"),
        ("user:maria", "people.yaml:1: reviewer number 1 is not a mapping; write `key: value` lines there"),
        (
            "{id: [user:maria]}",
            '`id` of reviewer number 1 is not text; put it in quotes: a { or [ at the start needs "…"',
        ),
        (f"{{id: {'x' * 201}}}", "is longer than 200 characters; shorten it"),
        ("{id: user:maria, roles: []}", "`roles` of reviewer user:maria is not a list with entries; write `- …` lines"),
        ("{id: user:maria, roles: manager}", "`roles` of reviewer user:maria is not a list with entries"),
        ("{id: user:maria, roles: [[a]]}", "reviewer user:maria has a role that is not text; write a word such as"),
        ("{id: user:maria, roles: [manager, manager]}", "reviewer user:maria has the role `manager` twice; keep one"),
        ("{id: user:maria, ceiling: 5000}", "`ceiling` of reviewer user:maria, 5000, is not an amount such as 5000.00"),
        ("{id: user:maria, ceiling: lots}", "`ceiling` of reviewer user:maria, lots, is neither an amount such as"),
        ("{id: user:maria, ceiling: 5.001 USD}", "5.001 USD, has more than the 2 digits after the point that USD has"),
        (
            "{id: user:maria, ceiling: 5000.00 CHF}",
            "people.yaml:1: the ceiling of user:maria is in CHF, for which the policy our-shop has no rate; "
            "give it in another currency, or add the rate to the policy",
        ),
        ("{id: user:maria, valid_from: soon}", "`valid_from` of reviewer user:maria, soon, is neither a day such as"),
        ("{id: user:maria, valid_from: 2026-02-30}", "2026-02-30, is not in the calendar; check month, day and hour"),
        ("{id: user:maria, valid_from: 2026-02-28T25:00:00Z}", "is not in the calendar"),
        ("{id: user:maria, valid_from: '0001-01-01T00:00:00+10:00'}", "is not in the calendar"),
        ("{id: user:maria, valid_from: 2026-02-28T09:00:00}", "has no zone; end it with Z or an offset such as +01:00"),
        (
            "{id: user:maria, valid_from: 2026-01-02, valid_until: 2026-01-02}",
            "`valid_until` of reviewer user:maria is not after `valid_from`, on line 1; mend one of them",
        ),
        (
            "{id: user:maria, away: {from: 2026-01-02, until: 2026-01-01}}",
            "`until` of `away` of reviewer user:maria is not after `from`, on line 1",
        ),
        (
            "{id: user:maria, away: {}}",
            "`away` of reviewer user:maria has neither `from` nor `until`; say when they are",
        ),
        ("{id: user:maria, away: yes}", "`away` of reviewer user:maria is not a mapping"),
        (
            "{id: user:maria, away: {from: 2026-01-01, to: 2026-01-02}}",
            "`away` of reviewer user:maria has an unknown key",
        ),
        (
            "{id: user:maria, away: {from: 2026-01-01, delegate: user:jonas}}",
            "people.yaml:1: the delegate of user:maria, user:jonas, is not in this file; "
            "add them, or name somebody who is",
        ),
        (
            "{id: user:maria, away: {from: 2026-01-01, delegate: User:Maria}}",
            "people.yaml:1: user:maria is their own delegate; name somebody else, or leave the delegate out",
        ),
    ],
)
def test_a_mistake_is_told_with_its_reason_and_what_to_do(entry: str, mistake: str) -> None:
    (told,) = mistakes_in(f"reviewers: [{entry}]")
    assert mistake in told


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        (b"", "people.yaml: is empty; write `reviewers:` and a list of people, as in docs/reviewers.md"),
        (b"# nobody yet\n", "people.yaml: is empty"),
        (b"reviewers:\n", "people.yaml:1: `reviewers` is not a list with entries"),
        (b"reviewers: []", "people.yaml:1: `reviewers` is not a list with entries"),
        (b"people: []", "people.yaml:1: the register has an unknown key `people`"),
        (b"- id: user:maria", "people.yaml:1: the register is not a mapping"),
        (b"reviewers:\n  - id: 'x\n", "is not YAML: "),
        (b"reviewers:\n  - id: \xff", "people.yaml:2: is not UTF-8 text; save the file as UTF-8"),
        (b"reviewers: [{id: \x00}]", "people.yaml: is not YAML: "),
        (b"[" * 5000, "people.yaml: is nested too deeply"),
        (b"#" * (REGISTER.max_bytes + 1), "people.yaml: is larger than 1024 KiB"),
    ],
)
def test_a_file_that_is_no_register_is_refused(content: bytes, mistake: str) -> None:
    assert mistake in mistakes_in(content)[0]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RegisterError) as refused:
        load_register(tmp_path / "nowhere.yaml", POLICY)
    assert str(refused.value) == (
        f"{tmp_path}/nowhere.yaml: cannot be read: No such file or directory; give the path of a file of reviewers"
    )


def test_all_mistakes_are_told_at_once_each_with_its_line() -> None:
    mistakes = mistakes_in(
        "reviewers:\n"
        "  - id: user:maria\n"
        "    ceiling: 10 CHF\n"
        "    away:\n"
        "      from: 2026-12-20\n"
        "      delegate: user:joans\n"
        "  - id: user:jonas\n"
        "    rolls: [manager]\n"
        "  - id: User:MARIA\n"
    )
    assert [mistake.partition(";")[0] for mistake in mistakes] == [
        "people.yaml:3: the ceiling of user:maria is in CHF, for which the policy our-shop has no rate",
        "people.yaml:6: the delegate of user:maria, user:joans, is not in this file",
        "people.yaml:8: reviewer user:jonas has an unknown key `rolls`",
        "people.yaml:9: reviewer User:MARIA is user:maria of line 2 again",
    ]
    assert mistakes[1].endswith("; did you mean user:jonas?")


def a_circle(*people: tuple[str, str, str, str]) -> str:
    return "reviewers:\n" + "".join(
        f"  - {{id: {who}, away: {{from: {begin}, until: {end}, delegate: {delegate}}}}}\n"
        for who, begin, end, delegate in people
    )


def test_a_circle_of_delegates_who_are_away_at_once_is_refused() -> None:
    (told,) = mistakes_in(
        a_circle(
            ("user:outside", "2026-12-01", "2026-12-31", "user:anna"),
            ("user:anna", "2026-12-01", "2026-12-20", "user:ben"),
            ("user:ben", "2026-12-10", "2026-12-31", "user:carl"),
            ("user:carl", "2026-12-05", "2026-12-15", "user:anna"),
        )
    )
    assert told == (
        "people.yaml:3: the delegates user:anna → user:ben → user:carl → user:anna are a circle, and from "
        "2026-12-10T00:00:00+00:00 on all of them are away at once; let one of them name somebody who is there"
    )


def test_two_people_may_stand_in_for_each_other_at_different_times() -> None:
    people = people_in(
        a_circle(
            ("user:anna", "2026-12-01", "2026-12-10", "user:ben"),
            ("user:ben", "2026-12-10", "2026-12-20", "user:anna"),
        )
    )
    assert [person.delegate for person in people] == ["user:ben", "user:anna"]


def test_two_circles_are_told_both() -> None:
    away = ("2026-12-01", "2026-12-10")
    mistakes = mistakes_in(
        a_circle(
            ("a", *away, "b"),
            ("b", *away, "a"),
            ("c", *away, "d"),
            ("d", *away, "c"),
        )
    )
    assert [mistake.partition(": the")[0] for mistake in mistakes] == ["people.yaml:2", "people.yaml:4"]


def test_a_role_that_no_level_asks_for_is_a_warning() -> None:
    register = parse_register(
        b"reviewers:\n  - id: user:maria\n    roles:\n      - duty-manager\n      - manger\n", "people.yaml", POLICY
    )
    assert [(warning.line, warning.reason, warning.advice) for warning in register.warnings] == [
        (
            5,
            "no level of the policy our-shop asks for the role `manger` of user:maria",
            "it asks for: director, duty-manager, manager",
        )
    ]
    assert [person.id for person in register.people] == ["user:maria"]
