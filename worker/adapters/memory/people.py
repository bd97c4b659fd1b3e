"""What a register of reviewers says of the people that a case is about to be decided by."""

from collections.abc import Mapping

from worker.domain.reviewers import Person, person_key

Register = Mapping[str, Person]
"""The people by `person_key` of their id."""

_LONGEST_DELEGATION = 10
"""A delegation over more people is nobody's intention."""


def people(register: Register, *asked: str | None) -> tuple[Person, ...]:
    """Each person asked for, and whoever reaches them through delegates, nearest first. Whether somebody is away is
    not judged here."""
    found: dict[str, Person] = {}
    for reviewer in asked:
        if reviewer is not None:
            found |= _reaching(register, person_key(reviewer))
    return tuple(found.values())


def _reaching(register: Register, key: str) -> dict[str, Person]:
    nearest = [key]
    found: dict[str, Person] = {}
    for _ in range(_LONGEST_DELEGATION + 1):
        found |= {each: register[each] for each in nearest if each in register}
        nearest = sorted(
            other
            for other, person in register.items()
            if other not in found and person.delegate is not None and person_key(person.delegate) in nearest
        )
    return found
