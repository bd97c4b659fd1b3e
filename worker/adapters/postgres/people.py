"""What the register of reviewers says of the people that a case is about to be decided by."""

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import DictRow

from worker.adapters.postgres.keyed_queries import ask
from worker.adapters.postgres.named_queries import load
from worker.application.unit_of_work import CaseQuery
from worker.domain.approval import ApprovalRequest
from worker.domain.reviewers import Person, person_key

_QUERIES = load("people.sql")


async def ask_people(connection: AsyncConnection[Any], queries: Iterable[CaseQuery]) -> AsyncCursor[DictRow] | None:
    return await ask(connection, _QUERIES["people"], (key for query in queries for key in _asked(query)))


async def ask_delegators(
    connection: AsyncConnection[Any], approvals: Iterable[ApprovalRequest | None]
) -> AsyncCursor[DictRow] | None:
    """Those on whose behalf a question was delegated are known only once the question is."""
    return await ask(connection, _QUERIES["people"], (key for approval in approvals for key in _delegators(approval)))


class People:
    """The people who were found, for each query that asked."""

    def __init__(self, rows: Sequence[DictRow]) -> None:
        self._reached: dict[str, dict[str, Person]] = {}
        self.add(rows)

    def add(self, rows: Sequence[DictRow]) -> None:
        for row in rows:
            self._reached.setdefault(row["asked"], {})[row["key"]] = Person.model_validate_json(row["body"])

    def of(self, query: CaseQuery, approval: ApprovalRequest | None) -> tuple[Person, ...]:
        """Each person once, those who belong to the reviewer first."""
        found: dict[str, Person] = {}
        for key in (*_asked(query), *_delegators(approval)):
            found |= self._reached.get(key, {})
        return tuple(found.values())


def _delegators(approval: ApprovalRequest | None) -> list[str]:
    handover = approval.handover if approval else None
    return [person_key(one) for one in handover.on_behalf_of] if handover else []


def _asked(query: CaseQuery) -> list[str]:
    return [person_key(reviewer_id) for reviewer_id in (query.reviewer, query.also) if reviewer_id is not None]
