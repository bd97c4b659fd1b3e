"""Who is told of what."""

from typing import Any

import pytest

from schemas.values import ApprovalChange, ExceptionKind, LevelReference, Money, ReceiptCode, Risk
from tests.builders import a_decision, a_proposal, a_question, a_receipt, eur, numbered_ids, usd
from tests.notices import needed, updated
from worker.adapters.notifications.routing import NO_ENDPOINT, Route, Router
from worker.application.announcements import Announcement, ApprovalUpdated, ReceiptGiven
from worker.application.notices import NoticeKind, Notification
from worker.domain.approval import Closing


def told(route: Route | list[Route], announcement: Announcement) -> list[str]:
    return [one.endpoint for one in notifications(route, announcement)]


def notifications(route: Route | list[Route], announcement: Announcement, **options: Any) -> list[Notification]:
    ids = numbered_ids()
    routes = route if isinstance(route, list) else [route]
    return list(Router(routes, new_id=lambda: next(ids), **options).notifications(announcement))


ALL = Route(to=("desk",))


@pytest.mark.parametrize(
    ("announcement", "kind"),
    [
        (needed(), NoticeKind.NEEDED),
        (updated(ApprovalChange.REMINDED), NoticeKind.LAPSING),
        (updated(ApprovalChange.ESCALATED, Closing.ESCALATED), NoticeKind.ESCALATED),
        (updated(ApprovalChange.CLOSED, Closing.REJECTED), NoticeKind.CLOSED),
    ],
)
def test_a_route_without_conditions_takes_all_that_people_are_told(
    announcement: Announcement, kind: NoticeKind
) -> None:
    [one] = notifications(ALL, announcement)
    assert one.endpoint == "desk"
    assert one.notice is not None
    assert one.kind is one.notice.kind is kind
    assert told(Route(to=("desk",), on=frozenset({kind})), announcement) == ["desk"]
    assert told(Route(to=("desk",), on=frozenset(NoticeKind) - {kind}), announcement) == []


@pytest.mark.parametrize("change", [ApprovalChange.CLAIMED, ApprovalChange.REASSIGNED])
def test_who_holds_a_question_is_not_told(change: ApprovalChange) -> None:
    assert told(ALL, updated(change)) == []


def test_receipts_are_nobody_elses_business() -> None:
    assert told(ALL, ReceiptGiven(a_receipt(a_decision(), code=ReceiptCode.ACCEPTED), "ORD-1")) == []


def test_an_endpoint_is_told_once_however_many_routes_lead_to_it() -> None:
    routes = [Route(to=("desk", "managers")), Route(to=("managers", "finance"))]
    assert told(routes, needed()) == ["desk", "managers", "finance"]


def test_a_route_of_levels_takes_these_alone() -> None:
    route = Route(to=("desk",), levels=frozenset({"finance"}))
    assert told(route, needed()) == []
    assert told(route, needed(question=a_question(level=LevelReference(name="finance")))) == ["desk"]


@pytest.mark.parametrize(
    ("least", "takes"),
    [
        (Risk.LOW, {Risk.LOW, Risk.MEDIUM, Risk.HIGH}),
        (Risk.MEDIUM, {Risk.MEDIUM, Risk.HIGH}),
        (Risk.HIGH, {Risk.HIGH}),
    ],
)
def test_a_route_takes_its_risk_and_above(least: Risk, takes: set[Risk]) -> None:
    route = Route(to=("desk",), min_risk=least)
    assert {risk for risk in Risk if told(route, needed(question=a_question(risk=risk)))} == takes


@pytest.mark.parametrize(
    ("amount", "is_told"),
    [
        (usd(10_000), False),
        (usd(10_001), True),
        (eur(1), True),
        (None, False),
    ],
    ids=["at the limit", "over it", "another currency cannot be compared", "no money at all"],
)
def test_a_route_takes_amounts_over_its_limit(amount: Money | None, is_told: bool) -> None:
    route = Route(to=("desk",), over=usd(10_000))
    asked = needed(question=a_question(proposal=a_proposal(amount=amount)), kind=ExceptionKind.REFUND)
    assert bool(told(route, asked)) is is_told


def test_of_an_escalation_an_endpoint_hears_once_in_its_own_name() -> None:
    """Its commit announces that it escalated, and that the card is to be withdrawn."""
    both = [Route(to=("desk",)), Route(to=("screens",), on=frozenset({NoticeKind.CLOSED}))]
    assert told(both, updated(ApprovalChange.ESCALATED, Closing.ESCALATED)) == ["desk"]
    assert told(both, updated(ApprovalChange.CLOSED, Closing.ESCALATED)) == ["screens"]


def test_the_customers_words_go_only_where_an_operator_asked_for_them() -> None:
    shown, hidden = notifications(Route(to=("desk", "managers")), needed(), shows_reason=frozenset({"desk"}))
    assert shown.notice is not None
    assert hidden.notice is not None
    assert (shown.notice.reason, hidden.notice.reason) == ("arrived broken", None)


def test_a_notice_holds_no_name_of_a_customer_and_no_item() -> None:
    context = {"reason": "broken", "customer": {"name": "Canary Carla"}, "order": {"items": [{"sku": "CANARY-MUG"}]}}
    proposal = a_proposal(customer_message="Dear Canary Carla")
    [one] = notifications(ALL, needed(question=a_question(context=context, proposal=proposal)))
    assert one.notice is not None
    assert "canary" not in one.notice.model_dump_json().lower()


def test_each_notification_has_an_id_of_its_own() -> None:
    first, second = notifications(Route(to=("desk", "managers")), needed())
    assert first.message_id != second.message_id


def test_a_defect_is_kept_as_a_notification_that_nobody_gets(caplog: pytest.LogCaptureFixture) -> None:
    broken = ApprovalUpdated(needed().approval, ApprovalChange.CLOSED, "user:maria", "yesterday")  # type: ignore[arg-type]
    [one] = notifications(ALL, broken)
    assert (one.endpoint, one.notice, one.problem) == (NO_ENDPOINT, None, "not routed: ValidationError")
    assert "no notification could be made" in caplog.text
    assert "yesterday" not in caplog.text
