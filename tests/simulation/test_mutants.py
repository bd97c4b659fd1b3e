"""The simulation is worth what it catches: defects that are planted one at a time, each found within ten seeds."""

import random
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.simulation.world import Plan, simulate
from worker.adapters.memory import rows
from worker.adapters.memory.inbox import MemoryInbox
from worker.adapters.memory.store import MemoryStore
from worker.application import settle_payment
from worker.application.ports import Ports
from worker.domain.exception_case import Case
from worker.domain.intent import PaymentIntent
from worker.entrypoints.kafka_consumers import Intake

pytestmark = pytest.mark.slow

Plant = Callable[[pytest.MonkeyPatch], None]


def no_compare_and_set(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MemoryStore, "_case_moved", lambda self, unit: False)


def a_random_idempotency_key(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Case, "idempotency_key", property(lambda self: f"signoff:{self.case_id}:{uuid4()}"))


def no_inbox(patch: pytest.MonkeyPatch) -> None:
    """Messages are worked on as they come, and nobody knows that one came before."""
    insert = MemoryInbox._insert

    def forgetful(self: MemoryInbox, record: Any, part: Any) -> Any:
        self._database.received.clear()
        return insert(self, record, part)

    patch.setattr(MemoryInbox, "_insert", forgetful)


def audit_outside_the_transaction(patch: pytest.MonkeyPatch) -> None:
    """What is written on its own is lost now and then."""
    written, dice = rows.write, random.Random(1)  # noqa: S311

    def without_audit(database: Any, unit: Any, *others: Any) -> Any:
        before = len(database.audit)
        announced = written(database, unit, *others)
        if dice.random() < 0.05:
            del database.audit[before:]
        return announced

    patch.setattr("worker.adapters.memory.store.write", without_audit)


def acknowledged_before_the_insert(patch: pytest.MonkeyPatch) -> None:
    receive = Intake.receive

    async def hasty(self: Intake, records: Any) -> None:
        await self._commit(records)
        await receive(self, records)

    patch.setattr(Intake, "receive", hasty)


def money_that_moves_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """The payment is made as the decision is computed, and again when a lost race computes it anew."""

    async def twice(intent: PaymentIntent, ports: Ports) -> Any:
        again = intent.model_copy(update={"idempotency_key": f"{intent.idempotency_key}:{uuid4()}"})
        return await ports.payments.pay(again)

    patch.setattr(settle_payment, "move_money", twice)


MUTANTS: tuple[Plant, ...] = (
    no_compare_and_set,
    a_random_idempotency_key,
    no_inbox,
    audit_outside_the_transaction,
    acknowledged_before_the_insert,
    money_that_moves_before_the_commit,
)


def fails(seed: int) -> bool:
    """An invariant did not hold. Anything else that is raised is a mistake of the mutant, and ends the test."""
    try:
        simulate(Plan(seed))
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("plant", MUTANTS, ids=lambda plant: plant.__name__)
def test_a_planted_defect_is_found_within_ten_seeds(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert any(fails(seed) for seed in range(1, 11))
