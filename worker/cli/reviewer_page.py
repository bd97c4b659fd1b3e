"""Reviewers as they are shown: what one may sign, when, and whose decisions are theirs at the moment."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from worker.cli.output import in_utc, instant, print_fields, print_table
from worker.domain.reviewers import Person, Standing, person_key, same_person, standings

ANY_AMOUNT = "any amount"


def print_people(people: Sequence[Person], now: datetime) -> None:
    print_table(
        ("reviewer", "roles", "ceiling", "valid", "away", "delegate", "now"),
        [
            (
                person.id,
                ", ".join(person.roles),
                _ceiling(person),
                _period(person.valid_from, person.valid_until),
                _period(person.away_from, person.away_until),
                person.delegate or "",
                _state(person, now),
            )
            for person in people
        ],
        long=("roles",),
    )


def print_person(person: Person, people: Sequence[Person], now: datetime) -> None:
    print_fields(
        [
            ("reviewer", person.id),
            ("roles", ", ".join(person.roles) or "none of their own"),
            ("ceiling", _ceiling(person)),
            ("valid", _period(person.valid_from, person.valid_until)),
            ("away", _period(person.away_from, person.away_until)),
            ("delegate", person.delegate or ""),
            ("now", _state(person, now)),
            ("decides for", [_authority(standing, other) for standing, other in borrowed(person, people, now)]),
            ("decided for by", stand_ins(person, people, now)),
        ]
    )


def describe(person: Person) -> str:
    """All that the register says of somebody, on one line."""
    return "; ".join([f"{name} {text}" for name, text in _fields(person).items() if text])


def describe_change(before: Person, after: Person) -> str:
    old, new = _fields(before), _fields(after)
    changes = [f"{name} {old[name] or 'none'} → {new[name] or 'none'}" for name in new if old[name] != new[name]]
    return "; ".join(changes) or f"spelled {before.id} before"


def document_of(person: Person) -> dict[str, Any]:
    """As the file says it, for programs."""
    return {
        "id": person.id,
        "roles": list(person.roles),
        "ceiling": person.ceiling and person.ceiling.model_dump(),
        "valid_from": instant(person.valid_from),
        "valid_until": instant(person.valid_until),
        "away_from": instant(person.away_from),
        "away_until": instant(person.away_until),
        "delegate": person.delegate,
    }


def full_document_of(person: Person, people: Sequence[Person], now: datetime) -> dict[str, Any]:
    """With what is true at the moment."""
    return {
        **document_of(person),
        "valid_now": person.is_valid(now),
        "away_now": person.is_away(now),
        "decides_for": [
            {**document_of(other), "through": list(standing.on_behalf_of[:-1])}
            for standing, other in borrowed(person, people, now)
        ],
        "decided_for_by": stand_ins(person, people, now),
    }


def borrowed(person: Person, people: Sequence[Person], now: datetime) -> list[tuple[Standing, Person]]:
    """The authorities of others that the person has now, nearest first."""
    return [
        (standing, other)
        for standing, other in standings(person.id, people, now)
        if not same_person(other.id, person.id)
    ]


def stand_ins(person: Person, people: Sequence[Person], now: datetime) -> list[str]:
    """Who may decide with the person's authority now, nearest first."""
    register = {person_key(other.id): other for other in people}
    return [
        other.id
        for other in _delegates(person, register, now)
        if any(same_person(holder.id, person.id) for _, holder in borrowed(other, people, now))
    ]


def _delegates(person: Person, register: Mapping[str, Person], now: datetime) -> Iterator[Person]:
    """Their delegate, that one's if they are away too, and so on until somebody is met again."""
    seen = {person_key(person.id)}
    current = person
    while current.delegate is not None and current.is_away(now):
        key = person_key(current.delegate)
        if key in seen or key not in register:
            return
        seen.add(key)
        current = register[key]
        yield current


def _authority(standing: Standing, holder: Person) -> str:
    through = standing.on_behalf_of[:-1]
    chain = f", through {', '.join(through)}" if through else ""
    return f"{holder.id} ({', '.join(holder.roles) or 'no role'}, {_ceiling(holder)}){chain}"


def _state(person: Person, now: datetime) -> str:
    if not person.is_valid(now):
        return "not valid"
    if not person.is_away(now):
        return "there"
    return "away" if person.delegate is not None else "away, without a delegate"


def _fields(person: Person) -> dict[str, str]:
    return {
        "roles": ", ".join(person.roles),
        "ceiling": _ceiling(person),
        "valid": _period(person.valid_from, person.valid_until),
        "away": _period(person.away_from, person.away_until),
        "delegate": person.delegate or "",
    }


def _ceiling(person: Person) -> str:
    return ANY_AMOUNT if person.ceiling is None else str(person.ceiling)


def _period(begin: datetime | None, end: datetime | None) -> str:
    """Empty where nothing is said."""
    since = f"from {in_utc(begin)}" if begin else ""
    return f"{since} until {in_utc(end)}".strip() if end else since
