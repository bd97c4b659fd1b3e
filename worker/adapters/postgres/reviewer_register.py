"""The register of reviewers: read whole, and replaced whole."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import scalar_row

from worker.adapters.postgres.named_queries import load
from worker.domain.reviewers import Person, person_key

_QUERIES = load("reviewer_register.sql")


@dataclass(frozen=True, slots=True)
class RegisterChanges:
    """What a new register differs in from the old one. `changed` holds who somebody was, and who they are now."""

    added: tuple[Person, ...]
    changed: tuple[tuple[Person, Person], ...]
    removed: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class RegisterNow:
    """The register at one moment of the database's time."""

    now: datetime
    people: tuple[Person, ...]


async def read_register(connection: AsyncConnection[Any]) -> RegisterNow:
    async with connection.transaction():
        cursor = connection.cursor(row_factory=scalar_row)
        (now,) = await (await cursor.execute(_QUERIES["database_now"])).fetchall()
        return RegisterNow(now.astimezone(UTC), await _people(connection))


async def replace_register(
    connection: AsyncConnection[Any], people: Iterable[Person], *, dry_run: bool = False
) -> RegisterChanges:
    """Puts these people in the place of all that were there, in one transaction; a dry run only compares."""
    async with connection.transaction():
        if not dry_run:
            await connection.execute(_QUERIES["lock_register"])
        changes = _difference(await _people(connection), people)
        if not dry_run:
            await _write(connection, changes)
        return changes


async def _people(connection: AsyncConnection[Any]) -> tuple[Person, ...]:
    cursor = connection.cursor(row_factory=scalar_row)
    await cursor.execute(_QUERIES["register"])
    return tuple([Person.model_validate_json(body) async for body in cursor])


def _difference(before: Iterable[Person], after: Iterable[Person]) -> RegisterChanges:
    old = {person_key(person.id): person for person in before}
    new = {person_key(person.id): person for person in after}
    return RegisterChanges(
        added=tuple(person for key, person in new.items() if key not in old),
        changed=tuple((old[key], person) for key, person in new.items() if key in old and old[key] != person),
        removed=tuple(person for key, person in old.items() if key not in new),
    )


async def _write(connection: AsyncConnection[Any], changes: RegisterChanges) -> None:
    rows = [
        {
            "key": person_key(person.id),
            "delegate": person_key(person.delegate) if person.delegate is not None else None,
            "body": person.model_dump(mode="json"),
        }
        for person in (*changes.added, *(person for _, person in changes.changed))
    ]
    await connection.execute(_QUERIES["put_reviewers"], {"rows": json.dumps(rows)})
    keys = [person_key(person.id) for person in changes.removed]
    await connection.execute(_QUERIES["remove_reviewers"], {"keys": keys})
