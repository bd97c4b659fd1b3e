"""A proposal says what would be done; a reviewer may lower it, and never raise it."""

from typing import Any

import pytest

from schemas.values import Alternative, Changes, ExceptionKind, PayoutMethod, Verdict
from tests.builders import a_proposal, an_exception, an_order, eur, some_facts, usd
from worker.domain.errors import InvalidChanges
from worker.domain.order_exception import Facts
from worker.domain.resolution import choose, draft, modify, propose


def test_a_refund_proposes_what_was_asked_for() -> None:
    proposal = propose(some_facts())
    assert (proposal.action, proposal.amount, proposal.method) == ("refund", usd(15_000), PayoutMethod.ORIGINAL)
    assert draft(Verdict.APPROVE, proposal, some_facts()) == "Your refund of 150.00 USD is on its way."


def test_a_cancellation_proposes_what_was_captured() -> None:
    exception = an_exception(kind=ExceptionKind.CANCELLATION, amount=usd(1))
    assert propose(some_facts(exception, an_order(usd(7_000)))).amount == usd(7_000)


def test_a_cancellation_of_an_unknown_order_proposes_what_the_event_says() -> None:
    exception = an_exception(kind=ExceptionKind.CANCELLATION, amount=usd(1_000))
    assert propose(Facts(exception=exception, order=None, customer=None)).amount == usd(1_000)


def test_an_account_change_moves_no_money() -> None:
    exception = an_exception(kind=ExceptionKind.ACCOUNT_CHANGE, changes={"email": "new@example.org"})
    proposal = propose(some_facts(exception))
    assert (proposal.amount, proposal.changes) == (None, {"email": "new@example.org"})


def test_a_lower_amount_is_what_is_proposed_then() -> None:
    changed = modify(a_proposal(), Changes(amount=usd(12_000)))
    assert changed.amount == usd(12_000)
    assert draft(Verdict.APPROVE, changed, some_facts()) == "Your refund of 120.00 USD is on its way."


def test_who_is_refused_is_told_of_no_amount() -> None:
    assert draft(Verdict.REJECT, a_proposal(), some_facts()) == "We cannot grant your refund request."


def test_who_gets_another_resolution_is_told_so() -> None:
    replacement = choose(a_proposal(), (Alternative(action="send_replacement"),), 0)
    assert draft(Verdict.CHOOSE, replacement, some_facts()) == "Your request is granted: send replacement."


def test_the_reviewers_own_message_is_kept() -> None:
    changed = modify(a_proposal(), Changes(amount=usd(1), customer_message="A cent, with our love."))
    assert changed.customer_message == "A cent, with our love."


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"amount": None},
        {"amount": usd(15_001)},
        {"amount": usd(0)},
        {"amount": eur(1)},
        {"approved_actions": (0,)},
    ],
)
def test_what_raises_or_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidChanges):
        modify(a_proposal(), Changes(**changes))


def test_nothing_is_no_change() -> None:
    with pytest.raises(InvalidChanges, match="approve"):
        modify(a_proposal(), Changes())
