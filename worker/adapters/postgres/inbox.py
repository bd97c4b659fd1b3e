"""The inbox: every record that was read from Kafka, once, and the work that is still owed to it."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from pydantic_core import to_json

from schemas.values import RejectionReason
from worker.adapters.postgres.named_queries import load
from worker.adapters.postgres.outbox import OutboxRow, Publisher, outbox_rows
from worker.adapters.postgres.pool import Pool, borrowed, refuses_the_data
from worker.application.messages import Delivery
from worker.domain.intent import Intent, IntentState, intent_from_json
from worker.translation.inbound import Accepted, Record, Rejected, message_of, read
from worker.translation.outbound import Announcer

_QUERIES = load("inbox.sql")
_COMMIT = load("commit.sql")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """A delivery, and what it is about: work with the same correlation is done in order."""

    correlation: str
    delivery: Delivery


class Inbox:
    """Rows are held on a lease: while it runs they are this worker's, and anybody's after that."""

    def __init__(
        self,
        pool: Pool,
        announcer: Announcer,
        publisher: Publisher,
        *,
        worker: str,
        lease: timedelta,
    ) -> None:
        self._pool = pool
        self._announcer = announcer
        self._publisher = publisher
        self._worker = worker
        self._lease = lease

    async def receive(self, records: Sequence[Record]) -> list[Work]:
        """Puts a whole batch on disk: messages into the inbox, what is none among the dead letters.

        Returns the messages that are new; those of a redelivery are there already, and somebody's work. A record that
        the database does not take becomes a dead letter, and keeps back no other.
        """
        try:
            return await self._receive(records)
        except (psycopg.Error, ValueError) as error:
            if not refuses_the_data(error):
                raise
            if len(records) == 1:
                await self._set_aside(records[0], error)
                return []
            middle = len(records) // 2
            return [*await self.receive(records[:middle]), *await self.receive(records[middle:])]

    async def _receive(self, records: Sequence[Record]) -> list[Work]:
        accepted: dict[tuple[str, int, int, int], Accepted] = {}
        rejected: list[dict[str, Any]] = []
        for record in records:
            for part in read(record):
                if isinstance(part, Accepted):
                    place = (record.topic, record.partition, record.offset, part.part)
                    accepted[place] = part
                else:
                    rejected.append(_dead_letter(record, part))
        async with borrowed(self._pool) as connection, connection.transaction():
            rows = await self._insert(connection, accepted) if accepted else []
            announced = await self._reject(connection, rejected) if rejected else []
        self._publisher.hand_over(announced, {})
        return [_work(accepted[row["topic"], row["partition"], row["offset"], row["part"]], row) for row in rows]

    async def _set_aside(self, record: Record, error: Exception) -> None:
        problem = f"could not be stored ({type(error).__name__}); mend the cause and replay it"
        rejected = _dead_letter(record, Rejected(0, RejectionReason.PROCESSING_FAILED, problem))
        async with borrowed(self._pool) as connection, connection.transaction():
            announced = await self._reject(connection, [rejected])
        self._publisher.hand_over(announced, {})

    async def take_up(self, limit: int) -> list[Work]:
        """Messages whose time has come: postponed ones, early ones, and those of a worker that died. They are in the
        order in which they came: an update returns its rows as it pleases, and a case's messages are done in order."""
        rows = sorted(await self._claim("take_up", limit), key=lambda row: int(row["inbox_id"]))
        return [
            Work(
                row["correlation"],
                Delivery(
                    inbox_id=row["inbox_id"],
                    message=message_of(row["type"], row["payload"]),
                    received_at=row["received_at"],
                    waited_s=row["waited_s"],
                    attempts=row["attempts"],
                ),
            )
            for row in rows
        ]

    async def due_approvals(self, limit: int) -> list[UUID]:
        """Approval requests of which a timer has run out in the database's time, save those that a message which came
        in time is about."""
        return [row["approval_id"] for row in await self._claim("due_approvals", limit)]

    async def abandoned_intents(self, limit: int) -> list[Intent]:
        """Intents that nobody has settled in time. Each counts as tried, so that it is looked up before it is paid."""
        found = [_intent(row) for row in await self._claim("abandoned_intents", limit)]
        return [intent for intent in found if intent is not None]

    async def release(self) -> None:
        """A worker that starts again under its old name need not wait for its own leases to run out."""
        async with borrowed(self._pool) as connection:
            await connection.execute(_QUERIES["release_inbox"], {"worker": self._worker})

    async def _claim(self, query: str, limit: int) -> list[dict[str, Any]]:
        async with borrowed(self._pool) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(_QUERIES[query], {"limit": limit, "lease": self._lease, "worker": self._worker})
            return await cursor.fetchall()

    async def _insert(
        self,
        connection: AsyncConnection[Any],
        accepted: dict[tuple[str, int, int, int], Accepted],
    ) -> list[dict[str, Any]]:
        rows = [
            {
                "topic": topic,
                "partition": partition,
                "offset": offset,
                "part": part,
                "type": message.type,
                "correlation": message.correlation,
                "payload": message.payload,
            }
            for (topic, partition, offset, part), message in accepted.items()
        ]
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute(
            _QUERIES["receive"],
            {"rows": to_json(rows).decode(), "worker": self._worker, "lease": self._lease},
        )
        return await cursor.fetchall()

    async def _reject(self, connection: AsyncConnection[Any], rejected: list[dict[str, Any]]) -> list[OutboxRow]:
        """A dead letter that is there already was announced with it."""
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute(_QUERIES["reject"], {"rows": to_json(rejected).decode()})
        now = datetime.now(UTC)
        messages = [self._announcer.dead_letter(row, now) for row in await cursor.fetchall()]
        if not messages:
            return []
        inserted = await connection.execute(_COMMIT["insert_outbox"], {"rows": to_json(outbox_rows(messages)).decode()})
        return [OutboxRow(row[0], message) for row, message in zip(await inserted.fetchall(), messages, strict=True)]


def _work(accepted: Accepted, row: dict[str, Any]) -> Work:
    delivery = Delivery(inbox_id=row["inbox_id"], message=accepted.message, received_at=row["received_at"])
    return Work(accepted.correlation, delivery)


def _intent(row: dict[str, Any]) -> Intent | None:
    """One that this release cannot read waits for another, or for an operator, and holds no other back."""
    try:
        intent = intent_from_json(row["body"])
        state = IntentState(row["state"])
    except ValueError as error:
        # Without the error itself, which would repeat what is stored.
        problem = type(error).__name__
        log.error("the intent %s cannot be read by this release: %s", row["idempotency_key"], problem)  # noqa: TRY400
        return None
    return intent.model_copy(update={"attempts": max(1, row["attempts"]), "takes": row["takes"], "state": state})


def _dead_letter(record: Record, rejected: Rejected) -> dict[str, Any]:
    """Bytes are written as hexadecimal, those of headers too: JSON cannot hold them as they are."""
    value = record.value
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "part": rejected.part,
        "reason": rejected.reason,
        "detail": rejected.detail,
        "sha256": hashlib.sha256(value or b"").hexdigest(),
        "key": record.key.hex() if record.key is not None else None,
        "value": value.hex() if value is not None else None,
        "headers": [[name.replace("\0", "?"), None if raw is None else raw.hex()] for name, raw in record.headers],
    }
