"""Who the people of the house really are: the truth that a reviewer's id may hide.

The workers know what `reviewers.yaml` says. The truth is a little more: that several spellings are one person, and
that some who hold a role there have no authority all the same.
"""

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import yaml

REVIEWERS_FILE = Path(__file__).with_name("reviewers.yaml")

REQUESTER = "user:rick"
"""A manager and director who asks for things; he never signs here."""

_WITHOUT_AUTHORITY = frozenset({"user:cass", "user:gone"})
"""Her ceiling is below every amount of the house, and he has left."""

STRANGERS = ("user:zoe", "user:marla", "user:maria2", "*", "maria", "root")
"""Ids that the register does not have."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """`person` is the same for every spelling of the id."""

    id: str
    person: str
    roles: tuple[str, ...]


def colleagues() -> tuple[Colleague, ...]:
    """All of the register, by the authority that they really have."""
    entries = yaml.safe_load(REVIEWERS_FILE.read_text(encoding="utf-8"))["reviewers"]
    return tuple(
        Colleague(
            id=entry["id"],
            person=entry["id"].removeprefix("user:"),
            roles=() if entry["id"] in _WITHOUT_AUTHORITY else tuple(entry.get("roles", ())),
        )
        for entry in entries
    )


class Staff:
    """Those who may be asked: everybody with authority but the requester, who is away."""

    def __init__(self) -> None:
        self._all = colleagues()
        self._person = {spelling: one.person for one in self._all for spelling in spellings(one.id)}

    def who_may(self, role: str, without: frozenset[str] = frozenset()) -> list[Colleague]:
        """`without` are persons."""
        return [one for one in self._all if role in one.roles and one.person not in without and one.id != REQUESTER]

    def person(self, reviewer_id: str) -> str:
        """The person behind an id however it is spelt; nobody of the register is behind a stranger's."""
        return self._person.get(reviewer_id, _stranger(reviewer_id))

    def truth(self) -> dict[str, Any]:
        """`reviewers.json`: by every spelling that anybody uses."""
        known = {
            spelling: {"person": one.person, "roles": list(one.roles)}
            for one in self._all
            for spelling in spellings(one.id)
        }
        return known | {name: {"person": _stranger(name), "roles": []} for name in STRANGERS}


def _stranger(reviewer_id: str) -> str:
    """`maria` without `user:` is not Maria."""
    return f"stranger {reviewer_id}"


def spellings(reviewer_id: str) -> tuple[str, ...]:
    """The same id as far as Unicode and a person are concerned, and as the event contract trims them."""
    wide = reviewer_id.replace("u", "\uff55").replace("r", "\uff32")
    spaced = (f"  {reviewer_id} ", f"\u00a0{reviewer_id}\t")
    return (reviewer_id, reviewer_id.upper(), reviewer_id.title(), wide, *spaced)


def respelt(reviewer_id: str, dice: Random) -> str:
    return dice.choice(spellings(reviewer_id)[1:])
