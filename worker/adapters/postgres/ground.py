"""What a batch of units stands on: the rows they were computed from, locked until they are committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from pydantic_core import to_json

from worker.adapters.postgres.keyed_queries import ask, rows
from worker.adapters.postgres.named_queries import load
from worker.application.unit_of_work import Commit, Reservation, UnitOfWork

_QUERIES = load("commit.sql")


@dataclass(slots=True)
class Balance:
    """An order's row in order_balances; `changed` when this batch moves it."""

    currency: str
    captured_minor: int
    refunded_minor: int
    changed: bool = False


@dataclass(slots=True)
class Figure:
    """A row of watches; `changed` when this batch raises its version."""

    version: int
    changed: bool = False


@dataclass(slots=True)
class Ground:
    """`judge` counts what it lets through, so that a second unit for the same case, exception, decision or order
    meets what the first one leaves. `takes` says how often each intent was taken up: whoever held it before is not
    heard any more. `watches` are the figures that units looked at, by key. `unsent` are the outbox rows that each case
    has not sent yet."""

    pending: set[int]
    versions: dict[UUID, int]
    exceptions: set[str]
    decisions: set[str]
    takes: dict[str, int]
    balances: dict[str, Balance]
    watches: dict[str, Figure]
    unsent: dict[str, set[int]]

    def judge(self, unit: UnitOfWork) -> Commit:
        """Whether the unit may be written: nothing that it was computed from has moved."""
        if self._is_anothers(unit):
            return Commit.GONE
        if self._case_moved(unit) or self._decision_known(unit) or self._figures_moved(unit):
            return Commit.CONFLICT
        if unit.reservation is not None and not self._reserve(unit.reservation):
            return Commit.OVERDRAWN
        self._count(unit)
        return Commit.DONE

    def changed_balances(self) -> list[dict[str, Any]]:
        return [
            {"order_id": order_id, "refunded_minor": balance.refunded_minor}
            for order_id, balance in self.balances.items()
            if balance.changed
        ]

    def changed_watches(self) -> list[dict[str, Any]]:
        return [{"key": key, "version": figure.version} for key, figure in self.watches.items() if figure.changed]

    def _is_anothers(self, unit: UnitOfWork) -> bool:
        """The message is finished, or the intent was taken up by somebody else."""
        if unit.finishes is not None and unit.finishes not in self.pending:
            return True
        intent = unit.intent
        return intent is not None and self.takes.get(intent.idempotency_key, intent.takes) != intent.takes

    def _case_moved(self, unit: UnitOfWork) -> bool:
        case = unit.case
        if case is None:
            return False
        if case.version == 1:
            return case.exception.exception_id in self.exceptions
        return self.versions.get(case.case_id) != case.version - 1

    def _decision_known(self, unit: UnitOfWork) -> bool:
        return unit.decision is not None and unit.decision[1].decision_id in self.decisions

    def _figures_moved(self, unit: UnitOfWork) -> bool:
        """A row that is missing was made by a batch that was committed while this one asked for its own."""
        seen = ((self.watches.get(watch.key), watch.version) for watch in unit.watched)
        return any(figure is None or figure.version != version for figure, version in seen)

    def _reserve(self, reservation: Reservation) -> bool:
        balance = self.balances[reservation.order_id]
        change = reservation.amount.amount_minor * (-1 if reservation.release else 1)
        refunded = balance.refunded_minor + change
        if reservation.amount.currency != balance.currency:
            return False
        captured = balance.captured_minor
        if not reservation.release:
            captured = min(captured, reservation.captured.amount_minor)
        if not 0 <= refunded <= captured:
            return False
        balance.refunded_minor, balance.changed = refunded, True
        return True

    def _count(self, unit: UnitOfWork) -> None:
        if unit.finishes is not None:
            self.pending.discard(unit.finishes)
        if unit.case is not None:
            self.versions[unit.case.case_id] = unit.case.version
            self.exceptions.add(unit.case.exception.exception_id)
        if unit.decision is not None:
            self.decisions.add(unit.decision[1].decision_id)
        for watch in unit.watched:
            self.watches[watch.key] = Figure(watch.version + 1, changed=True)
        for key in unit.moves:
            self.watches[key] = Figure(self.watches[key].version + 1, changed=True)


async def lock(connection: AsyncConnection[Any], units: Sequence[UnitOfWork]) -> Ground:
    """Locks in one round trip, always in the same order, so that two batches never wait for each other in a ring."""
    cases = [unit.case for unit in units if unit.case is not None]
    reservations = [unit.reservation for unit in units if unit.reservation is not None]
    decisions = [unit.decision[1].decision_id for unit in units if unit.decision is not None]
    watched = [watch for unit in units for watch in unit.watched]
    async with connection.pipeline():
        inbox = await ask(connection, _QUERIES["lock_inbox"], (unit.finishes for unit in units))
        versions = await ask(connection, _QUERIES["lock_cases"], (case.case_id for case in cases if case.version > 1))
        intents = (unit.intent.idempotency_key for unit in units if unit.intent is not None)
        takes = await ask(connection, _QUERIES["lock_intents"], intents)
        exceptions = await ask(
            connection,
            _QUERIES["known_exceptions"],
            (case.exception.exception_id for case in cases if case.version == 1),
        )
        known = await ask(connection, _QUERIES["known_decisions"], decisions)
        if reservations:
            await connection.execute(_QUERIES["open_balances"], {"rows": to_json(_balance_rows(reservations)).decode()})
        balances = await ask(connection, _QUERIES["lock_balances"], (reserved.order_id for reserved in reservations))
        moved = [key for unit in units for key in unit.moves]
        unopened = [watch.key for watch in watched if watch.version == 0]
        await ask(connection, _QUERIES["open_watches"], (*unopened, *moved))
        watches = await ask(connection, _QUERIES["lock_watches"], (*(watch.key for watch in watched), *moved))
        unsent = await ask(connection, _QUERIES["unsent"], (str(case.case_id) for case in cases))
    waiting: dict[str, set[int]] = {}
    for row in await rows(unsent):
        waiting.setdefault(row["ordering"], set()).add(row["outbox_id"])
    return Ground(
        pending={row["inbox_id"] for row in await rows(inbox)},
        versions={row["case_id"]: row["version"] for row in await rows(versions)},
        exceptions={row["exception_id"] for row in await rows(exceptions)},
        decisions={row["decision_id"] for row in await rows(known)},
        takes={row["idempotency_key"]: row["takes"] for row in await rows(takes)},
        balances={
            row["order_id"]: Balance(row["currency"], row["captured_minor"], row["refunded_minor"])
            for row in await rows(balances)
        },
        watches={row["key"]: Figure(row["version"]) for row in await rows(watches)},
        unsent=waiting,
    )


def _balance_rows(reservations: list[Reservation]) -> list[dict[str, Any]]:
    return [
        {
            "order_id": reserved.order_id,
            "currency": reserved.captured.currency,
            "captured_minor": reserved.captured.amount_minor,
            "refunded_minor": reserved.already_refunded,
        }
        for reserved in reservations
    ]
