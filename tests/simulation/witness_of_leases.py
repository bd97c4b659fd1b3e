"""Judges who is given which work: what one holds, no other gets before its lease is over, nor acts the one after it."""

from collections.abc import Hashable, Iterable
from datetime import datetime

from worker.application.unit_of_work import UnitOfWork


class LeasesWitness:
    """Keeps its own record of who holds what, and until when by the database's clock."""

    def __init__(self, lease_s: float) -> None:
        self._lease_s = lease_s
        self._held: dict[Hashable, tuple[str, float]] = {}

    def given(self, process: str, names: Iterable[Hashable], now: datetime) -> None:
        for name in names:
            holder, until = self._held.get(name, (process, 0.0))
            assert holder == process or until <= now.timestamp(), f"{process} gets {name}, which {holder} holds"
            self._held[name] = (process, now.timestamp() + self._lease_s)

    def committed(self, process: str, unit: UnitOfWork, now: datetime) -> None:
        """What is finished or put off is nobody's, and what is begun is whose commit began it."""
        self._held.pop(("inbox", unit.finishes), None)
        for approval in unit.changed_approvals:
            self._held.pop(("approval", approval.approval_id), None)
        if unit.intent is not None:
            name = ("intent", unit.intent.idempotency_key)
            holder, _ = self._held.get(name, (process, 0.0))
            assert holder == process, f"{process} says what came of {name}, which {holder} has taken up since"
            if unit.intent.state.value == "pending":
                seconds = unit.postponed.seconds if unit.postponed else self._lease_s
                self._held[name] = (process, now.timestamp() + seconds)
            else:
                self._held.pop(name, None)

    def calls(self, process: str, key: str, now: datetime) -> None:
        """An action is about to be run for the intent of that key: by whoever holds it, while they do."""
        holder, until = self._held.get(("intent", key), (process, now.timestamp()))
        assert holder == process, f"{process} runs an action of {key}, which {holder} has taken up since"
        assert now.timestamp() <= until, f"{process} runs an action of {key} after its lease"

    def died(self, process: str) -> None:
        """A worker that starts again under its old name may take its own work up at once."""
        self._held = {name: held for name, held in self._held.items() if held[0] != process}
