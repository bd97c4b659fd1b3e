"""Who may sign: what is known of a reviewer, and on whose authority they decide.

Whoever is away may name a delegate. A delegate inherits the question and never an exemption: the requester may not
decide through one, and nobody signs two levels of a case through one either.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from unicodedata import normalize

from schemas.values import Money, Value


class Person(Value):
    """A row of the reviewers' register. `ceiling` is the largest amount they may sign for, None is any amount.

    They count from `valid_from` on and up to, not including, `valid_until`; they are away likewise, and `delegate`
    decides for them meanwhile.
    """

    id: str
    roles: tuple[str, ...] = ()
    ceiling: Money | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    away_from: datetime | None = None
    away_until: datetime | None = None
    delegate: str | None = None

    def is_valid(self, now: datetime) -> bool:
        return _within(now, self.valid_from, self.valid_until)

    def is_away(self, now: datetime) -> bool:
        named = self.away_from is not None or self.away_until is not None
        return named and _within(now, self.away_from, self.away_until)


class Standing(Value):
    """On whose authority a reviewer decides. `on_behalf_of` leads from who handed it to them to who holds it."""

    reviewer: str
    on_behalf_of: tuple[str, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody whose signature this is."""
        return (self.reviewer, *self.on_behalf_of)


def same_person(one: str, other: str) -> bool:
    """Ids are compared without case or surrounding space, so that a spelling is not a second person."""
    return person_key(one) == person_key(other)


def person_key(reviewer_id: str) -> str:
    """What all spellings of an id have in common: Unicode's compatibility caseless match (chapter 3.13, D146)."""
    if reviewer_id.isascii():
        return reviewer_id.strip().lower()
    folded = normalize("NFKD", normalize("NFD", reviewer_id).casefold())
    return normalize("NFKD", folded.casefold()).strip()


def standings(reviewer: str, register: Iterable[Person], now: datetime) -> Iterator[tuple[Standing, Person]]:
    """Every authority that the reviewer has now: first their own, then those of people who are away, nearest first.

    `register` holds the reviewer and whoever reaches them through delegates. Nothing passes through somebody who does
    not count now: who has left decides for nobody. A cycle of delegates ends at the first person met twice.
    """
    people = {person_key(person.id): person for person in register}
    start = person_key(reviewer)
    reached: list[tuple[str, tuple[str, ...]]] = [(start, ())]
    seen = {start}
    while reached:
        key, chain = reached.pop(0)
        person = people.get(key)
        if person is None or not person.is_valid(now):
            continue
        yield Standing(reviewer=reviewer, on_behalf_of=chain), person
        for other_key, other in people.items():
            hands_over = other.delegate is not None and person_key(other.delegate) == key and other.is_away(now)
            if other_key not in seen and hands_over:
                seen.add(other_key)
                reached.append((other_key, (*chain, other.id)))


def _within(now: datetime, begin: datetime | None, end: datetime | None) -> bool:
    return (begin is None or begin <= now) and (end is None or now < end)
