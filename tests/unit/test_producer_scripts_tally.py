"""What a flood counts: each event once, and only those of its own run."""

import pytest

from producer_scripts.kafka import Delivered
from producer_scripts.received import Received
from producer_scripts.tally import Latency, Tally, percentile
from schemas.catalogue import APPROVALS
from schemas.events import ApprovalNeeded, Event, MessageRejected, ResolutionOutcome, ReviewReceipt
from schemas.generate.examples import published

TOPIC = "test-order-exceptions"


def tally(*awaited: str, deciding: bool = True) -> Tally:
    return Tally(frozenset(awaited), deciding, TOPIC)


def saw(counted: Tally, model: type[Event], at: float = 0.0, **changed: object) -> None:
    example = next(iter(published(model).values()))
    counted.saw(Received(APPROVALS, 0, 0, event=model.model_validate(example | changed)), at)


def test_a_redelivered_outcome_counts_once_and_is_measured_once() -> None:
    counted = tally("E")
    counted.decided("D", "E", at=1.0)
    for at in (1.25, 9.0):
        saw(counted, ResolutionOutcome, at, exception_id="E")
    summary = counted.summary("r", sent=1, seconds=2.0)
    assert (summary.outcomes, summary.unanswered, summary.sent_per_s) == (1, 0, 0.5)
    assert summary.latency_ms == Latency(p50=250.0, p99=250.0)
    assert counted.complete.is_set()


def test_events_of_others_are_not_counted() -> None:
    counted = tally("E")
    saw(counted, ResolutionOutcome, exception_id="OTHER")
    saw(counted, ApprovalNeeded, exception_id="OTHER")
    saw(counted, ReviewReceipt, decision_id="OTHER", accepted=False, code="INVALID")
    saw(counted, MessageRejected, topic="another-topic", partition=0, offset=0)
    counted.delivered("E", Delivered(TOPIC, 0, 0))
    summary = counted.summary("r", sent=1, seconds=1.0)
    assert (summary.approvals, summary.outcomes, summary.refused, summary.unanswered) == (0, 0, 0, 1)


def test_an_approval_settles_only_where_nobody_decides() -> None:
    for deciding in (True, False):
        counted = tally("E", deciding=deciding)
        saw(counted, ApprovalNeeded, exception_id="E")
        assert counted.complete.is_set() is not deciding


@pytest.mark.parametrize("dead_letter_first", [True, False])
def test_a_dead_letter_is_found_by_its_place_whichever_comes_first(dead_letter_first: bool) -> None:
    counted = tally("E")
    if not dead_letter_first:
        counted.delivered("E", Delivered(TOPIC, 1, 7))
    saw(counted, MessageRejected, topic=TOPIC, partition=1, offset=7)
    if dead_letter_first:
        counted.delivered("E", Delivered(TOPIC, 1, 7))
    assert counted.rejected == {"E"}
    assert counted.complete.is_set()


def test_a_refused_decision_settles_its_exception_as_refused() -> None:
    counted = tally("E")
    counted.decided("D", "E", at=0.0)
    saw(counted, ReviewReceipt, decision_id="D", accepted=False, code="NOT_AUTHORISED")
    summary = counted.summary("r", sent=1, seconds=1.0)
    assert (summary.refused, summary.unanswered) == (1, 0)


def test_percentiles_are_values_that_were_seen() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert (percentile(values, 0.50), percentile(values, 0.99)) == (50.0, 99.0)
    assert percentile([3.0], 0.99) == 3.0
