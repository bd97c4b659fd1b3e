"""The page of a case that acts for an agent or changes an account."""

from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.values import Action, ActionResult, ActionStatus, Customer, ExceptionKind, Proposal
from tests.builders import a_question, an_approval, an_exception, an_unopened_case
from worker.adapters.postgres.case_listing import CaseFile
from worker.cli.case_page import print_case
from worker.domain.analysis import Opinion
from worker.domain.exception_case import Case, CaseState
from worker.domain.order_exception import ActionFindings, OrderException

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SQL = Action(id="0", name="run_sql", args={"statement": "update orders set status = 'paid'"})
MAIL = Action(id="call_7", name="send_email", args={"to": "ann"})
NOTE = Action(id="2", name="add_note")
FOUND = ActionFindings(
    id="0", executed_here=True, args_schema={}, kind="update", shown={"tables": ["orders"], "estimated_rows": 12}
)


def requested(**fields: Any) -> Case:
    exception = an_exception(kind=ExceptionKind.ACTION_REQUEST, amount=None, actions=(SQL, MAIL, NOTE))
    proposal = Proposal(action="action_request", actions=(SQL, MAIL), passing=(NOTE,))
    return case_of(exception, **{"proposal": proposal, "findings": (FOUND, ActionFindings(id="call_7")), **fields})


def case_of(exception: OrderException, **fields: Any) -> Case:
    case = an_unopened_case(NOON, exception, state=CaseState.WAITING)
    known: dict[str, Any] = {
        name: fields.pop(name) for name in ("findings", "results", "customer", "opinion") if name in fields
    }
    return case.model_copy(update={"facts": case.facts.model_copy(update=known), **fields})


def page(capsys: pytest.CaptureFixture[str], case: Case) -> list[list[str]]:
    """The page's lines, each cut where two spaces are."""
    approvals = []
    if case.state is CaseState.WAITING:
        approvals.append(an_approval(case, NOON, a_question(proposal=case.proposal)))
    print_case(CaseFile(now=NOON, case=case, approvals=approvals, decisions=[], intents=[], entries=[]))
    lines = capsys.readouterr().out.splitlines()
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines if line.strip()]


def test_each_action_is_shown_with_its_number_its_arguments_and_what_was_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = page(capsys, requested())
    statement = '{"statement": "update orders set status = \'paid\'"}'
    found = 'kind update, tables ["orders"], estimated rows 12'
    assert ["0", "run_sql", statement, "this worker", found, "to be signed"] in lines
    assert ["1", "send_email", '{"to": "ann"}', "the agent", "to be signed"] in lines
    assert ["add_note", "needs no signature"] in lines


def test_after_the_end_each_action_has_its_result(capsys: pytest.CaptureFixture[str]) -> None:
    ran = ActionResult(id="0", name="run_sql", status=ActionStatus.EXECUTED, reference="tx-9", result={"rows": 12})
    edited = SQL.model_copy(update={"args": {"statement": "select 1"}})
    ended = {
        "state": CaseState.EXECUTED,
        "finished_at": NOON,
        "results": (ran,),
        "proposal": Proposal(action="action_request", actions=(edited,), passing=(NOTE,)),
    }
    lines = page(capsys, requested(**ended))
    found = 'kind update, tables ["orders"], estimated rows 12'
    assert [
        "run_sql",
        '{"statement": "select 1"}',
        "this worker",
        found,
        "executed",
        'tx-9; {"rows": 12}',
    ] in lines
    assert ["send_email", '{"to": "ann"}', "the agent", "refused"] in lines
    assert ["add_note", "approved"] in lines


def test_what_came_to_nothing_is_shown_beside_what_is_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    failed = ActionResult(id="call_7", name="send_email", status=ActionStatus.FAILED, problem="the mailbox is full")
    ran = ActionResult(id="2", name="add_note", status=ActionStatus.EXECUTED)
    again = Proposal(action="action_request", actions=(MAIL,))
    lines = page(capsys, requested(results=(failed, ran), proposal=again))
    assert ["0", "send_email", '{"to": "ann"}', "the agent", "failed, to be signed", "the mailbox is full"] in lines
    assert ["add_note", "executed"] in lines
    assert any(line[0] == "run_sql" and line[-1] == "left out" for line in lines)


def test_arguments_without_end_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    long = SQL.model_copy(update={"args": {"statement": "x" * 5000}})
    lines = page(capsys, requested(proposal=Proposal(action="action_request", actions=(long,))))
    [cell] = [cell for line in lines for cell in line if cell.startswith('{"statement"')]
    assert len(cell) == 300
    assert cell.endswith("…")


def test_an_account_change_is_shown_field_by_field(capsys: pytest.CaptureFixture[str]) -> None:
    exception = an_exception(
        kind=ExceptionKind.ACCOUNT_CHANGE,
        amount=None,
        changes={"address": {"city": "Lyon", "street": "1 Rue Haute"}, "newsletter": False, "email": "ada@example.org"},
    )
    customer = Customer(account={"address": {"city": "Paris", "street": "1 Rue Haute"}, "newsletter": True})
    proposal = Proposal(action="account_change", changes=exception.changes)
    lines = page(capsys, case_of(exception, customer=customer, proposal=proposal))
    head = lines.index(["field", "now", "would be"])
    assert lines[head + 2 : head + 5] == [
        ["address.city", "Paris", "Lyon"],
        ["newsletter", "true", "false"],
        ["email", "?", "ada@example.org"],
    ]


def test_the_analysts_advice_is_told_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    opinion = Opinion(by="model:acme", concerns=("legal-threat",), confidence=0.4)
    lines = page(capsys, case_of(an_exception(), opinion=opinion))
    place = lines.index(["advice", "model:acme: confidence 0.4"])
    assert lines[place + 1] == ['model:acme: concerns ["legal-threat"]']
