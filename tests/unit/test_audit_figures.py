"""The figures of an audit report, and its cells, without a database."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from schemas.values import ReceiptCode
from worker.adapters.postgres.audit_labels import AnsweredQuestion
from worker.adapters.postgres.audit_report import ClosedQuestions, DecisionOnRecord, Period
from worker.cli.audit_figures import LISTED, Figures, Times, is_override
from worker.cli.audit_labels import example_of
from worker.cli.audit_page import changed, render
from worker.cli.audit_rows import COLUMNS, cell, row_of

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
ASKED = datetime(2026, 1, 5, 9, tzinfo=UTC)
USD_150 = {"amount_minor": 15_000, "currency": "USD"}


def a_decision(after: float = 60, **fields: Any) -> DecisionOnRecord:
    """Maria approves a refund of 150.00 USD a minute after it was asked."""
    ordinary = DecisionOnRecord(
        decision_id="D-1",
        received_at=ASKED + timedelta(seconds=after),
        reviewer="user:maria",
        verdict="approve",
        code="ACCEPTED",
        approval_id=None,
        case_id=None,
        amount_minor=15_000,
        currency="USD",
        command=None,
        changes=None,
        choice=None,
        escalate_to=None,
        comment=None,
        message="approved",
        exception_id="EXC-1",
        level={"name": "manager", "number": 1, "of": 1},
        part=None,
        round=1,
        proposal={"action": "refund", "amount": USD_150, "method": "original_method"},
        why=[{"rule": "refund-over-100", "says": "too much"}],
        risk="medium",
        confidence=None,
        votes=[],
        asked_at=ASKED,
        due_at=ASKED,
        review_hash="0" * 64,
        policy={"name": "default", "version": "1"},
    )
    return replace(ordinary, **fields)


def figures_of(*decisions: DecisionOnRecord) -> Figures:
    figures = Figures()
    for decision in decisions:
        figures.add(decision)
    return figures


@pytest.mark.parametrize(
    ("seconds", "median", "p90"),
    [([5.0], 5, 5), ([1.0, 2.0], 1, 2), ([3.0, 1.0, 2.0], 2, 3), ([float(n) for n in range(1, 101)], 50, 90)],
)
def test_a_percentile_is_a_time_that_somebody_took(seconds: list[float], median: float, p90: float) -> None:
    times = Times()
    times.seconds.extend(seconds)
    assert (times.percentile(0.5), times.percentile(0.9), times.percentile(1.0)) == (median, p90, max(seconds))


@pytest.mark.parametrize(
    ("fields", "overrides"),
    [
        ({}, False),
        ({"verdict": "reject"}, True),
        ({"verdict": "modify"}, True),
        ({"verdict": "choose", "choice": "store_credit"}, True),
        ({"verdict": "choose", "choice": 0}, True),
        ({"verdict": "choose", "choice": "original_method"}, False),
        ({"verdict": "escalate"}, False),
        ({"verdict": "request_changes"}, False),
        ({"verdict": "reject", "code": "STALE"}, False),
        ({"verdict": "modify", "code": "RECORDED"}, True),
        ({"verdict": None, "command": "claim", "code": "RECORDED"}, False),
    ],
)
def test_what_is_done_otherwise_than_proposed_is_an_override(fields: dict[str, Any], overrides: bool) -> None:
    assert is_override(a_decision(**fields)) is overrides


def test_a_refused_decision_takes_no_time_and_signs_nothing() -> None:
    figures = figures_of(a_decision(), a_decision(after=9000, code="NOT_AUTHORISED", amount_minor=None))
    total = figures.total.document()
    assert (total["took_effect"], total["refused"]) == (1, 1)
    assert total["seconds_to_decide"] == {"median": 60, "p90": 60, "max": 60}
    assert total["signed"] == [USD_150]


def test_sums_are_by_currency_and_may_be_larger_than_any_case() -> None:
    large = a_decision(amount_minor=10**15)
    figures = figures_of(large, large, a_decision(currency="JPY", amount_minor=7))
    assert [str(money) for money in figures.total.amounts] == ["7 JPY", "20000000000000.00 USD"]


def test_a_refused_command_counts_among_the_refusals_and_nobody_decided() -> None:
    refused = a_decision(verdict=None, command="delegate", code=ReceiptCode.SELF_APPROVAL)
    figures = figures_of(refused, a_decision(verdict=None, command="claim", code="RECORDED"))
    assert figures.refusals == {"SELF_APPROVAL": 1}
    assert figures.commands == {"delegate": 0, "claim": 1}
    assert figures.self_approvals == [refused]
    assert figures.people == {}


def test_a_page_lists_so_many_and_says_how_many_there_are() -> None:
    figures = figures_of(*[a_decision(verdict="reject")] * (LISTED + 1))
    page = "".join(render(Period(ASKED, ASKED), ASKED, figures, None))
    assert len(figures.overrides) == LISTED
    assert f"The first {LISTED} of {LISTED + 1}." in page


def test_policies_and_lateness_add_up_over_versions() -> None:
    figures = Figures()
    figures.add_questions(
        [
            ClosedQuestions("manager", "default", "1", closed=5, after_reminder=1, expired=2, escalated=1),
            ClosedQuestions("manager", "default", "2", closed=3, after_reminder=1, expired=0, escalated=0),
        ]
    )
    document = figures.document()
    assert document["questions"] == [
        {"level": "manager", "closed": 8, "answered_after_reminder": 2, "expired": 2, "escalated_by_timeout": 1}
    ]
    assert [(one["version"], one["questions"]) for one in document["policies"]] == [("1", 5), ("2", 3)]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"verdict": "modify", "changes": {"method": "store_credit", "amount": USD_150}}, "amount: 150.00 USD; method"),
        ({"verdict": "modify", "changes": {"approved_actions": [0, 2]}}, "approved_actions: [0, 2]"),
        ({"verdict": "choose", "choice": 1}, "alternative 1"),
        ({"verdict": "choose", "choice": "store_credit"}, "method: store_credit"),
        ({"verdict": "reject"}, "nothing is done"),
    ],
)
def test_an_override_is_told_in_words(fields: dict[str, Any], told: str) -> None:
    assert changed(a_decision(**fields)).startswith(told)


def test_whose_authority_was_used_stands_in_the_row() -> None:
    votes = [
        {"reviewer": "user:otto", "on_behalf_of": []},
        {"reviewer": "user:maria", "on_behalf_of": ["user:jonas", "user:lena"]},
    ]
    assert row_of(a_decision(votes=votes))["on_behalf_of"] == ["user:jonas", "user:lena"]
    assert row_of(a_decision(votes=votes, code="SAME_REVIEWER"))["on_behalf_of"] == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (12_000, "12000"),
        (-1.5, "-1.5"),
        (["a", "b"], "a b"),
        ({"amount": 1}, '{"amount": 1}'),
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        (["=1", "b"], "'=1 b"),
        ("user:maria", "user:maria"),
    ],
)
def test_a_cell_is_text_and_never_a_formula(value: Any, text: str) -> None:
    assert cell(value) == text


def test_the_page_of_the_manual_lists_every_column() -> None:
    section = PAGE.split("### Columns\n", 1)[1].split("\n## ", 1)[0]
    cells = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    assert [name for cell in cells for name in re.findall(r"`(\w+)`", cell)] == list(COLUMNS)


def an_answered_question() -> AnsweredQuestion:
    """An agent wants to mail somebody and to change an address; a person let it do one of them."""
    proposal = {
        "action": "action_request",
        "amount": None,
        "method": None,
        "changes": {"email": "doe@example.org"},
        "actions": [{"name": "send_email", "args": {"to": "doe@example.org"}}],
        "customer_message": "Dear Mrs Doe",
    }
    return AnsweredQuestion(
        approval_id=UUID(int=1),
        case_id=UUID(int=2),
        closed_at=ASKED,
        kind="action_request",
        question={
            "level": {"name": "manager", "number": 1, "of": 1},
            "asked": {"part": None},
            "round": 1,
            "confidence": None,
            "risk": "high",
            "why": [{"rule": "action-request", "says": "agent:web asks to mail Mrs Doe"}],
            "proposal": proposal,
            "alternatives": [
                {"action": "refund", "method": None, "amount": USD_150, "description": "what Mrs Doe would like"}
            ],
        },
        policy={"name": "default", "version": "1"},
        signatures=1,
        asked_at=ASKED,
        received_at=ASKED,
        verdict="modify",
        changes={
            "approved_actions": [0],
            "edited_actions": [{"index": 0, "args": {"to": "jane.doe@example.org"}}],
            "customer_message": "Dear Mrs Doe, done",
        },
        choice=None,
        comment="Mrs Doe called",
        facts={
            "exception": {
                "exception_id": "EXC-DOE",
                "customer_id": "CUST-DOE",
                "requested_by": "agent:doe",
                "reason": "Mrs Doe wrote",
                "reason_code": None,
                "failed_attempts": 0,
                "irreversible": False,
                "customer_requests_human": False,
                "compliance_flags": [],
                "items": [],
            },
            "order": None,
            "customer": {"tier": "vip", "name": "Mrs Doe"},
            "exposure": {"near_duplicates": []},
        },
        final=proposal,
        state="executed",
        finished_at=None,
    )


def test_an_example_names_actions_and_changes_and_never_their_values() -> None:
    example = example_of(an_answered_question(), with_text=False)
    assert "doe" not in json.dumps(example).lower()
    assert example["shown"]["proposal"]["actions"] == ["send_email"]
    assert example["shown"]["proposal"]["changes"] == ["email"]
    assert example["shown"]["customer_tier"] == "vip"
    changes = {"approved_actions": [0], "edited_actions": [0], "customer_message": True}
    assert example["answer"]["changes"] == changes


def test_an_example_has_the_fields_that_the_manual_shows() -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    shown, ours = json.loads(block), example_of(an_answered_question(), with_text=False)
    assert shown.keys() == ours.keys()
    for part in ("shown", "answer", "outcome"):
        assert shown[part].keys() == ours[part].keys()
