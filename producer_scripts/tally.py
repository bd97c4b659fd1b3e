"""What became of the exceptions of one run, counted as a consumer must: each event once, however often it comes."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from producer_scripts.kafka import Delivered
from producer_scripts.received import Received
from schemas.events import ApprovalNeeded, MessageRejected, ResolutionOutcome, ReviewReceipt


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from sending a decision to receiving the outcome, by the clock of this process."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Summary:
    """`refused` counts dead letters and refused decisions; `unanswered` what nothing was heard of."""

    run: str
    sent: int
    sent_per_s: float
    approvals: int
    decided: int
    outcomes: int
    refused: int
    unanswered: int
    latency_ms: Latency | None


@dataclass
class Tally:
    """An exception is settled by its outcome, a dead letter or a refused decision; by its approval, too, where
    nobody decides.
    """

    awaited: frozenset[str]
    deciding: bool
    exceptions_topic: str
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    settled: set[str] = field(default_factory=set)
    approvals: set[str] = field(default_factory=set)
    outcomes: set[str] = field(default_factory=set)
    rejected: set[str] = field(default_factory=set)
    refused_decisions: set[str] = field(default_factory=set)
    _decided_at: dict[str, float] = field(default_factory=dict)
    _latencies_s: list[float] = field(default_factory=list)
    _exception_of: dict[str, str] = field(default_factory=dict)
    _lies_at: dict[tuple[int, int], str] = field(default_factory=dict)
    _rejected_at: set[tuple[int, int]] = field(default_factory=set)

    def delivered(self, exception_id: str, place: Delivered) -> None:
        """A dead letter names a place, not an id; it may come before we know what lies there."""
        self._lies_at[place.partition, place.offset] = exception_id
        if (place.partition, place.offset) in self._rejected_at:
            self._reject(exception_id)

    def decided(self, decision_id: str, exception_id: str, at: float) -> None:
        self._exception_of[decision_id] = exception_id
        self._decided_at.setdefault(exception_id, at)

    def saw(self, received: Received, at: float) -> None:
        match received.event:
            case ApprovalNeeded(exception_id=exception_id) if exception_id in self.awaited:
                self.approvals.add(exception_id)
                if not self.deciding:
                    self._settle(exception_id)
            case ReviewReceipt(decision_id=decision_id, accepted=False) if decision_id in self._exception_of:
                self.refused_decisions.add(decision_id)
                self._settle(self._exception_of[decision_id])
            case ResolutionOutcome(exception_id=exception_id) if exception_id in self.awaited:
                if exception_id not in self.outcomes and exception_id in self._decided_at:
                    self._latencies_s.append(at - self._decided_at[exception_id])
                self.outcomes.add(exception_id)
                self._settle(exception_id)
            case MessageRejected(topic=self.exceptions_topic, partition=partition, offset=offset):
                self._rejected_at.add((partition, offset))
                if (partition, offset) in self._lies_at:
                    self._reject(self._lies_at[partition, offset])

    def summary(self, run: str, sent: int, seconds: float) -> Summary:
        return Summary(
            run=run,
            sent=sent,
            sent_per_s=round(sent / seconds, 1) if seconds else 0.0,
            approvals=len(self.approvals),
            decided=len(self._exception_of),
            outcomes=len(self.outcomes),
            refused=len(self.rejected) + len(self.refused_decisions),
            unanswered=len(self.awaited) - len(self.settled),
            latency_ms=_latency(self._latencies_s),
        )

    def _reject(self, exception_id: str) -> None:
        self.rejected.add(exception_id)
        self._settle(exception_id)

    def _settle(self, exception_id: str) -> None:
        self.settled.add(exception_id)
        if len(self.settled) == len(self.awaited):
            self.complete.set()


def percentile(values: Sequence[float], share: float) -> float:
    """By nearest rank: a value that was really seen."""
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


def _latency(seconds: Sequence[float]) -> Latency | None:
    if not seconds:
        return None
    return Latency(
        p50=round(percentile(seconds, 0.50) * 1000, 1),
        p99=round(percentile(seconds, 0.99) * 1000, 1),
    )
