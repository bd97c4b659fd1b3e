"""What must hold among the people of a register: each is there once, and so is everybody's delegate."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches

from worker.adapters.policy.problems import Problems
from worker.adapters.reviewers.entries import Entry
from worker.domain.reviewers import Person, person_key

Register = Mapping[str, Entry]
"""Entries by the key of their person."""

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


def by_person(entries: Iterable[Entry], problems: Problems) -> Register:
    """Each person once, the first time they are named. Two spellings of one id would be two approvers."""
    register: dict[str, Entry] = {}
    for entry in entries:
        first = register.setdefault(person_key(entry.person.id), entry)
        if first is not entry:
            problems.add(
                entry.line,
                f"reviewer {entry.person.id} is {first.person.id} of line {first.line} again",
                "keep one of them; ids are compared without upper and lower case",
            )
    return register


def check_delegates(register: Register, problems: Problems) -> None:
    """Tells delegates who are not there, and circles in which a question would go round with nobody to answer it."""
    for entry in register.values():
        delegate = entry.person.delegate
        if delegate is not None and person_key(delegate) not in register:
            reason = f"the delegate of {entry.person.id}, {delegate}, is not in this file"
            problems.add(entry.lines["delegate"], reason, _who_is_there(delegate, register))
    for circle in _circles(register):
        _tell(circle, problems)


def _who_is_there(delegate: str, register: Register) -> str:
    near = get_close_matches(person_key(delegate), register, n=1, cutoff=0.8)
    return f"did you mean {register[near[0]].person.id}?" if near else "add them, or name somebody who is"


def _circles(register: Register) -> Iterator[Sequence[Entry]]:
    """Each circle of delegates once, from its first entry in the file on: a person has one delegate at most."""
    walked: set[str] = set()
    for start in register:
        path: dict[str, Entry] = {}
        key: str | None = start
        while key is not None and key in register and key not in walked and key not in path:
            path[key] = register[key]
            key = _delegate_key(register[key].person)
        if key in path:
            yield list(path.values())[list(path).index(key) :]
        walked |= path.keys()


def _delegate_key(person: Person) -> str | None:
    return person_key(person.delegate) if person.delegate is not None else None


def _tell(circle: Sequence[Entry], problems: Problems) -> None:
    """Two people who stand in for each other at different times are no circle: there is always one of them."""
    first = circle[0]
    if len(circle) == 1:
        reason = f"{first.person.id} is their own delegate"
        problems.add(first.lines["delegate"], reason, "name somebody else, or leave the delegate out")
        return
    begin = max(entry.person.away_from or _ALWAYS for entry in circle)
    end = min(entry.person.away_until or _NEVER for entry in circle)
    if begin >= end:
        return
    chain = " → ".join([*(entry.person.id for entry in circle), first.person.id])
    since = f"from {begin.isoformat()} on" if begin > _ALWAYS else "already"
    problems.add(
        first.lines["delegate"],
        f"the delegates {chain} are a circle, and {since} all of them are away at once",
        "let one of them name somebody who is there",
    )
