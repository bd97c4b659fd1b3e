"""The answers of LangChain's middleware and of Agent Inbox, held to their own type definitions, and what they mean."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain.agents.middleware.human_in_the_loop import HITLResponse
from langgraph.prebuilt.interrupt import HumanResponse
from pydantic import TypeAdapter

from schemas.catalogue import REVIEW_DECISIONS
from schemas.values import Changes, PayoutMethod, ReceiptCode, Verdict
from tests.builders import a_record
from worker.application.messages import Decided, IllegibleDecision
from worker.domain.approval import Decision
from worker.translation.hitl_answer import HitlAnswer, UnreadableAnswer
from worker.translation.hitl_inbound import MAX_ANSWERS, verdict_in
from worker.translation.inbound import Accepted, read

SHOWN = {
    "amount_minor": 15_000,
    "currency": "USD",
    "method": "original_method",
    "customer_message": "Your refund of 150.00 USD is on its way.",
}
"""The arguments of the card of a refund."""

ANSWERED = TypeAdapter(HITLResponse)
ANSWERED_BY_INBOX = TypeAdapter(list[HumanResponse])


def decision(type_: str, **fields: Any) -> dict[str, Any]:
    return {"type": type_, **fields}


def edited(**args: Any) -> dict[str, Any]:
    return decision("edit", edited_action={"name": "refund", "args": {**SHOWN, **args}})


def edited_in_inbox(**args: Any) -> list[dict[str, Any]]:
    return [decision("edit", args={"action": "refund", "args": {**SHOWN, **args}})]


def refused(response: object) -> UnreadableAnswer:
    with pytest.raises(UnreadableAnswer) as caught:
        verdict_in(response)
    assert caught.value.problem.startswith("response")
    return caught.value


WRAPPINGS: dict[str, Callable[[dict[str, Any]], object]] = {
    "decisions": lambda said: {"decisions": [said]},
    "a list": lambda said: [said],
    "alone": lambda said: said,
    "under an interrupt id": lambda said: {"47a1c2d9": said},
    "a list under an interrupt id": lambda said: {"47a1c2d9": [said]},
    "decisions under an interrupt id": lambda said: {"47a1c2d9": {"decisions": [said]}},
}
SINGLE: dict[str, tuple[dict[str, Any], HitlAnswer]] = {
    "approve": (decision("approve"), HitlAnswer(Verdict.APPROVE, actions_answered=1)),
    "reject": (decision("reject"), HitlAnswer(Verdict.REJECT, actions_answered=1)),
    "reject with a reason": (
        decision("reject", message="used it"),
        HitlAnswer(Verdict.REJECT, comment="used it", actions_answered=1),
    ),
    "respond": (
        decision("respond", message="ask for a photo"),
        HitlAnswer(Verdict.REQUEST_CHANGES, comment="ask for a photo", actions_answered=1),
    ),
    "edit": (
        edited(amount_minor=12_000, customer_message=""),
        HitlAnswer(
            Verdict.MODIFY,
            changes={"amount": {"amount_minor": 12_000, "currency": "USD"}, "method": "original_method"},
            actions_answered=1,
        ),
    ),
}
FROM_INBOX: dict[str, tuple[dict[str, Any], HitlAnswer]] = {
    "accept": (decision("accept", args=None), HitlAnswer(Verdict.APPROVE)),
    "accept with the card": (
        decision("accept", args={"action": "refund", "args": SHOWN}),
        HitlAnswer(Verdict.APPROVE),
    ),
    "ignore": (decision("ignore", args=None), HitlAnswer(Verdict.REJECT, comment="ignored")),
    "response": (
        decision("response", args="ask for a photo"),
        HitlAnswer(Verdict.REQUEST_CHANGES, comment="ask for a photo"),
    ),
}


@pytest.mark.parametrize("wrapped", WRAPPINGS.values(), ids=WRAPPINGS)
@pytest.mark.parametrize(("said", "meant"), [*SINGLE.values(), *FROM_INBOX.values()], ids=[*SINGLE, *FROM_INBOX])
def test_an_answer_means_the_same_however_it_is_wrapped(
    wrapped: Callable[[dict[str, Any]], object], said: dict[str, Any], meant: HitlAnswer
) -> None:
    assert verdict_in(wrapped(said)) == meant


@pytest.mark.parametrize("said", [said for said, _ in SINGLE.values()], ids=SINGLE)
def test_our_examples_are_what_the_middleware_would_take(said: dict[str, Any]) -> None:
    ANSWERED.validate_python({"decisions": [said]}, strict=True)


@pytest.mark.parametrize(
    "said", [*([said] for said, _ in FROM_INBOX.values()), edited_in_inbox()], ids=[*FROM_INBOX, "edit"]
)
def test_our_examples_are_what_agent_inbox_sends(said: list[dict[str, Any]]) -> None:
    ANSWERED_BY_INBOX.validate_python(said, strict=True)


def test_agent_inbox_keeps_its_names_when_it_answers_the_middleware() -> None:
    """So does its ThreadContext.sendHumanResponse: it exchanges the words and leaves the rest."""
    approved = {"decisions": [decision("approve", args={"action": "refund", "args": SHOWN})]}
    assert verdict_in(approved) == HitlAnswer(Verdict.APPROVE, actions_answered=1)
    rejected = verdict_in({"decisions": [decision("reject", args="used it")]})
    assert (rejected.verdict, rejected.comment) == (Verdict.REJECT, "used it")
    assert verdict_in({"decisions": edited_in_inbox(amount_minor="1")}).verdict is Verdict.MODIFY


@pytest.mark.parametrize(
    ("typed", "changes"),
    [
        ({"amount_minor": "12000"}, {"amount": {"amount_minor": 12_000, "currency": "USD"}}),
        ({"amount_minor": " 12000\n"}, {"amount": {"amount_minor": 12_000, "currency": "USD"}}),
        ({"currency": " USD"}, {"amount": {"amount_minor": 15_000, "currency": "USD"}}),
        ({"method": "store_credit "}, {"method": "store_credit"}),
        ({"customer_message": "We refund it. "}, {"customer_message": "We refund it. "}),
    ],
)
def test_what_was_typed_into_agent_inbox_is_read_as_what_it_stands_for(
    typed: dict[str, str], changes: dict[str, Any]
) -> None:
    found = verdict_in(edited_in_inbox(**typed)).changes
    assert found is not None
    assert {name: found[name] for name in changes} == changes


@pytest.mark.parametrize("nothing", ["", "  ", None])
def test_an_emptied_box_leaves_the_proposal_as_it_is(nothing: str | None) -> None:
    emptied = verdict_in(edited_in_inbox(amount_minor=nothing, currency=nothing, customer_message=nothing))
    assert emptied.changes == {"method": "original_method"}


def test_an_edit_of_the_method_alone_chooses_it() -> None:
    only_method = {"name": "refund", "args": {"method": "store_credit"}}
    answer = verdict_in(decision("edit", edited_action=only_method))
    assert answer == HitlAnswer(Verdict.CHOOSE, choice="store_credit", actions_answered=1)


BAD_EDITS: dict[str, tuple[dict[str, Any], str]] = {
    "major units": ({"amount_minor": "120.00"}, "args: amount_minor: must be whole minor units"),
    "a fraction": ({"amount_minor": 120.5}, "args: amount_minor: must be whole minor units"),
    "digits of another script": ({"amount_minor": "１２"}, "args: amount_minor: must be whole minor units"),  # noqa: RUF001
    "more digits than Python reads": ({"amount_minor": "9" * 5000}, "args: amount_minor: must be whole minor units"),
    "more than any order": ({"amount_minor": "9" * 17}, "args: amount_minor: Input should be less"),
    "below zero": ({"amount_minor": -1}, "args: amount_minor: Input should be greater"),
    "a truth": ({"amount_minor": True}, "args: amount_minor: Input should be a valid integer"),
    "an amount without currency": ({"currency": ""}, "args.currency: is missing beside `amount_minor`"),
    "no currency": ({"currency": "dollars"}, "args: currency: "),
    "an unknown method": ({"method": "cash"}, "args: method: Input should be 'original_method'"),
    "a message without end": ({"customer_message": "x" * 4001}, "args: customer_message: "),
    "another argument": ({"order_id": "ORD-2"}, "args: holds an argument that cannot be edited"),
    "nothing to hold on to": ({"amount_minor": None, "method": ""}, "args: send all arguments as they were shown"),
}


@pytest.mark.parametrize(("args", "problem"), BAD_EDITS.values(), ids=BAD_EDITS)
def test_an_edit_that_cannot_be_read_is_refused_by_name(args: dict[str, Any], problem: str) -> None:
    for response, place in (
        ({"decisions": [edited(**args)]}, "response.decisions.0.edited_action."),
        (edited_in_inbox(**args), "response.0.args."),
    ):
        refusal = refused(response)
        assert refusal.code is ReceiptCode.INVALID_CHANGES
        assert refusal.problem.startswith(place + problem)


def edited_call(name: str, **args: Any) -> dict[str, Any]:
    return decision("edit", edited_action={"name": name, "args": args})


@pytest.mark.parametrize("name", ["send_email", "account_change", "REFUND"])
def test_an_edited_tool_call_carries_all_its_arguments_and_the_name_it_was_edited_under(name: str) -> None:
    """Whether it was shown under that name is known where the question is, and checked there."""
    meant = HitlAnswer(
        Verdict.MODIFY,
        changes={"edited_actions": [{"index": 0, "args": {"customer_message": "hello"}}]},
        actions_answered=1,
        edited_names=(name,),
    )
    assert verdict_in({"decisions": [edited_call(name, customer_message="hello")]}) == meant
    in_inbox = decision("edit", args={"action": name, "args": {"customer_message": "hello"}})
    assert verdict_in([in_inbox]) == meant


def test_an_edited_tool_call_that_is_named_like_a_refund_passes_for_none() -> None:
    """Were its message taken for that of a proposal, the call would run with the message it had."""
    assert "`amount_minor` or `method` among them" in refused(edited_call("refund", customer_message="hello")).problem


@pytest.mark.parametrize("call", [None, {}, "refund", {"name": "refund"}, {"args": {}}, {"name": [], "args": {}}])
def test_an_edit_without_a_call_is_refused(call: object) -> None:
    assert "must be the edited call" in refused(decision("edit", edited_action=call)).problem


def test_what_is_rejected_does_not_run_and_its_siblings_do() -> None:
    said = [decision("approve"), decision("reject", message="keep it"), decision("approve"), decision("ignore")]
    assert verdict_in({"decisions": said}) == HitlAnswer(
        Verdict.MODIFY,
        changes={"approved_actions": [0, 2]},
        comment="action 1: keep it; action 3: ignored",
        actions_answered=4,
    )


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ([decision("approve")] * 3, HitlAnswer(Verdict.APPROVE, actions_answered=3)),
        (
            [decision("reject", message="no"), decision("reject"), decision("reject", message="nor this")],
            HitlAnswer(Verdict.REJECT, comment="action 0: no; action 2: nor this", actions_answered=3),
        ),
        (
            [decision("respond", message="to whom?"), decision("respond", message="why?")],
            HitlAnswer(Verdict.REQUEST_CHANGES, comment="action 0: to whom?; action 1: why?", actions_answered=2),
        ),
    ],
)
def test_answers_that_agree_are_one_answer(said: list[dict[str, Any]], meant: HitlAnswer) -> None:
    assert verdict_in(said) == meant


def test_what_is_edited_among_several_runs_with_what_is_approved() -> None:
    said = [decision("approve"), decision("reject", message="no"), edited_call("send_email", to="bob")]
    assert verdict_in({"decisions": said}) == HitlAnswer(
        Verdict.MODIFY,
        changes={"approved_actions": [0, 2], "edited_actions": [{"index": 2, "args": {"to": "bob"}}]},
        comment="action 1: no",
        actions_answered=3,
        edited_names=("send_email",),
    )


def test_edits_without_a_rejection_keep_all_actions() -> None:
    said = [edited_call("send_email", to="bob"), decision("approve"), edited_call("tweet")]
    answer = verdict_in(said)
    assert answer.changes == {"edited_actions": [{"index": 0, "args": {"to": "bob"}}, {"index": 2, "args": {}}]}
    assert (answer.verdict, answer.edited_names) == (Verdict.MODIFY, ("send_email", "tweet"))


@pytest.mark.parametrize("paying", [edited(), edited_call("refund", method="store_credit")])
def test_an_edit_of_something_that_pays_is_refused_among_several(paying: dict[str, Any]) -> None:
    refusal = refused([decision("approve"), paying])
    assert refusal.code is ReceiptCode.INVALID_CHANGES
    assert refusal.problem.startswith("response.1: edits something that pays")


def test_a_request_for_changes_of_one_action_among_several_is_refused() -> None:
    assert "respond to all actions or to none" in refused([decision("approve"), SINGLE["respond"][0]]).problem
    assert "respond to all actions or to none" in refused([edited_call("tweet"), SINGLE["respond"][0]]).problem


def test_comments_that_are_too_long_together_are_refused() -> None:
    assert verdict_in([decision("reject", message="x" * 4000)]).comment == "x" * 4000
    assert "at most 4000" in refused([decision("reject", message="x" * 2500)] * 2).problem


def test_no_more_answers_are_taken_than_there_can_be_actions() -> None:
    assert verdict_in([decision("approve")] * MAX_ANSWERS).actions_answered == MAX_ANSWERS
    assert "1 to 100" in refused([decision("approve")] * (MAX_ANSWERS + 1)).problem


NO_ANSWERS: dict[str, tuple[object, str]] = {
    "nothing": ({}, "response: must be a decision"),
    "an empty list": ([], "response: must hold 1 to 100"),
    "no decisions": ({"decisions": []}, "response.decisions: must hold 1 to 100"),
    "decisions that are no list": ({"decisions": {"type": "approve"}}, "response.decisions: must be a list"),
    "a word": ("approve", "response: must be a decision"),
    "a truth": (True, "response: must be a decision"),
    "a decision without type": ([{"args": None}], "response.0.type: must be one of approve, "),
    "a type we do not know": ({"type": "maybe"}, "response.type: must be one of approve, "),
    "a type that is no word": ({"type": ["approve"]}, "response.type: must be one of approve, "),
    "a list in a list": ([[{"type": "approve"}]], "response.0: must be an object with a `type`"),
    "two interrupts": ({"a": {"type": "approve"}, "b": {"type": "reject"}}, "response: must answer one interrupt"),
    "an interrupt in an interrupt": ({"a": {"b": {"type": "approve"}}}, "response.(interrupt id): must be a decision"),
    "an approval that holds an edit": ({**edited(), "type": "approve"}, "response: approves, and holds an `edited_"),
    "a message that is no text": (decision("reject", message={}), "response.message: must be a text"),
    "a response without words": (decision("respond", message=" "), "response: must say in its text"),
    "a response that is too long": (decision("response", args="x" * 4001), "response.args: String should have at most"),
}


@pytest.mark.parametrize(("response", "problem"), NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_answer_is_refused_with_its_place(response: object, problem: str) -> None:
    refusal = refused(response)
    assert refusal.problem.startswith(problem)
    assert refusal.code is ReceiptCode.INVALID


WORDS = st.sampled_from(["approve", "edit", "reject", "respond", "accept", "ignore", "response", "maybe"])
NAMES = st.sampled_from(
    ["type", "decisions", "args", "message", "edited_action", "name", "action", "amount_minor", "currency", "method"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | WORDS
    | st.sampled_from(["refund", "send_email", "USD", "store_credit", "12000", ""])
)
JSON = st.recursive(SCALARS, lambda held: st.lists(held) | st.dictionaries(NAMES | st.text(), held), max_leaves=20)
NEARLY = st.fixed_dictionaries(
    {"type": WORDS},
    optional={
        "message": SCALARS,
        "args": JSON,
        "edited_action": st.fixed_dictionaries({"name": SCALARS, "args": st.dictionaries(NAMES, SCALARS)}),
    },
)


def answer_or_refusal(response: object) -> HitlAnswer | UnreadableAnswer:
    try:
        return verdict_in(response)
    except UnreadableAnswer as refusal:
        return refusal


@settings(max_examples=400, deadline=None)
@given(JSON | NEARLY | st.lists(NEARLY) | st.dictionaries(st.text(), NEARLY))
def test_any_json_is_an_answer_or_is_refused_in_words(response: object) -> None:
    match answer_or_refusal(response):
        case HitlAnswer() as answer:
            decision = Decision.model_validate(
                {"decision_id": "1", "reviewer": {"id": "user:maria"}, **dataclasses.asdict(answer)}
            )
            edits = Changes.model_validate(decision.changes or {}).edited_actions or ()
            assert len(edits) == len(decision.edited_names or ())
            assert all(edit.index < (decision.actions_answered or 0) for edit in edits)
        case refusal:
            assert refusal.problem.startswith("response")
            assert refusal.code in (ReceiptCode.INVALID, ReceiptCode.INVALID_CHANGES)


def test_a_refusal_repeats_nothing_that_was_sent() -> None:
    canary = "Ada Lovelace, 12 Rue Canari"
    for response in (
        {canary: canary},
        {canary: {"type": canary}},
        [decision("reject", message=[canary])],
        [edited(**{canary: canary})],
        [edited(method=canary, amount_minor=canary, currency=canary)],
        decision("edit", edited_action={"name": canary, "args": canary}),
        [decision("edit", edited_action={"name": canary, "args": {}}), decision("respond", message=canary)],
    ):
        assert canary not in refused(response).problem


def arrived(response: object, **fields: Any) -> Decided | IllegibleDecision:
    event = {"decision_id": "D-1", "approval_id": "A-1", "reviewer": {"id": "user:maria"}, "response": response}
    (part,) = read(a_record({**event, **fields}, REVIEW_DECISIONS.name))
    assert isinstance(part, Accepted)
    assert isinstance(part.message, Decided | IllegibleDecision)
    return part.message


def decided(response: object, **fields: Any) -> Decision:
    message = arrived(response, **fields)
    assert isinstance(message, Decided)
    return message.decision


def illegible(response: object, **fields: Any) -> IllegibleDecision:
    message = arrived(response, **fields)
    assert isinstance(message, IllegibleDecision)
    assert message.decision_id == "D-1"
    return message


def test_an_answer_becomes_a_decision_about_its_approval_request() -> None:
    found = decided(edited_in_inbox(method="store_credit"), review_hash="abc")
    assert (found.verdict, found.approval_id, found.review_hash) == (Verdict.MODIFY, "A-1", "abc")
    assert found.changes == {
        "amount": {"amount_minor": 15_000, "currency": "USD"},
        "method": PayoutMethod.STORE_CREDIT,
        "customer_message": SHOWN["customer_message"],
    }


@pytest.mark.parametrize("response", [[], "yes", {"type": "maybe"}])
def test_an_unreadable_answer_is_owed_a_receipt(response: object) -> None:
    message = illegible(response)
    assert message.code is ReceiptCode.INVALID
    assert message.problem.startswith("response")


def test_an_unreadable_edit_is_answered_as_invalid_changes() -> None:
    assert illegible([edited(amount_minor="120.00")]).code is ReceiptCode.INVALID_CHANGES


def test_an_answer_and_a_verdict_that_agree_are_one_decision() -> None:
    assert decided(decision("reject", message="no"), verdict="reject", comment="no").comment == "no"
    assert decided(decision("approve"), comment="called the customer").comment == "called the customer"


@pytest.mark.parametrize("beside", [{"verdict": "approve"}, {"comment": "yes"}])
def test_an_answer_that_contradicts_what_stands_beside_it_is_refused(beside: dict[str, Any]) -> None:
    message = illegible(decision("reject", message="no"), **beside)
    assert message.code is ReceiptCode.INVALID
    assert f"contradicts the `{next(iter(beside))}` beside it" in message.problem
