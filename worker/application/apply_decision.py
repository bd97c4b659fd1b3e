"""A reviewer decided: check that they may, resume the case, and answer with a receipt whatever happens."""

from dataclasses import replace
from typing import Any

from schemas.values import ApprovalChange, ApprovalPart, Money, ReceiptCode, Signature, Verdict
from worker.application.announcements import ApprovalUpdated, ReceiptGiven
from worker.application.answer_question import answer_question, ask_anew, closing_update
from worker.application.assess_case import analysed
from worker.application.examine_actions import check_edits
from worker.application.examine_decision import AGREES, Examined, examine
from worker.application.follow_run import ask, concluded, execute
from worker.application.messages import Delivery, IllegibleDecision
from worker.application.next_question import Answer
from worker.application.order_changes import difference_since
from worker.application.park_case import park_case
from worker.application.ports import Ports
from worker.application.ports.executors import ActionRefused
from worker.application.ports.store import CaseView
from worker.application.ports.workflow import Finished, Paused, StuckThread
from worker.application.question_messages import kept_for_later
from worker.application.receipts import receipt_for, refused
from worker.application.refusal import Refusal, duplicate
from worker.application.transition import SYSTEM, note
from worker.application.unit_of_work import UnitOfWork
from worker.application.watch_keys import key_of_reviewer
from worker.domain.approval import ApprovalRequest, Closing, Decision, Receipt
from worker.domain.exception_case import CaseState
from worker.domain.order_exception import Facts, Feedback
from worker.domain.tool_calls import as_edits

_CLOSES_AS = {
    Verdict.APPROVE: Closing.APPROVED,
    Verdict.MODIFY: Closing.MODIFIED,
    Verdict.CHOOSE: Closing.MODIFIED,
    Verdict.REJECT: Closing.REJECTED,
    Verdict.ESCALATE: Closing.ESCALATED,
    Verdict.REQUEST_CHANGES: Closing.CHANGES_REQUESTED,
}

_TOLD = {
    Closing.APPROVED: "approved",
    Closing.MODIFIED: "approved as changed",
    Closing.REJECTED: "rejected: nothing will be done",
    Closing.ESCALATED: "escalated",
    Closing.CHANGES_REQUESTED: "changes requested: it is analysed anew",
}


async def apply_decision(decision: Decision, delivery: Delivery, view: CaseView, ports: Ports) -> UnitOfWork:
    """A valid decision counts, and closes the question unless its quorum is open; every other one learns why not.

    Raises OrdersUnavailable when the shop must be asked once more before money moves, and does not answer, and
    ActionUnavailable when an executor must look at an edited action.
    """
    if _may_be_early(decision, delivery, view, ports):
        return kept_for_later(delivery)
    try:
        examined = await _with_findings(examine(decision, delivery, view, ports), ports)
    except Refusal as refusal:
        return refused(decision, refusal, view)
    if examined.verdict is Verdict.APPROVE and examined.quorum_is_open:
        return _recorded(decision, examined, view, ports)
    try:
        return await _closed(decision, examined, view, ports)
    except StuckThread as stuck:
        stale = Refusal(ReceiptCode.STALE, "the case cannot go on; an operator has to look at it")
        answer = refused(decision, stale, view)
        # As it was: what was found out about edits that nobody signed for is no part of it.
        unit = park_case(view.case or examined.case, examined.approval, view, str(stuck))
        return replace(unit, decision=answer.decision, announcements=(*answer.announcements, *unit.announcements))


def answer_illegible(message: IllegibleDecision, view: CaseView) -> UnitOfWork:
    """Only the id of the decision could be read: that is enough to say so."""
    refusal = duplicate(view.earlier) if view.earlier else None
    receipt = Receipt(
        decision_id=message.decision_id,
        accepted=False,
        code=refusal.code if refusal else message.code,
        message=refusal.message if refusal else message.problem,
    )
    return UnitOfWork(announcements=(ReceiptGiven(receipt, None),))


async def _with_findings(examined: Examined, ports: Ports) -> Examined:
    """Edited arguments are held to the schema, and to what the executor may do. Raises Refusal."""
    facts, asked = examined.case.facts, examined.approval.question.proposal
    edited = as_edits(asked.actions or (), examined.proposal.actions or ())
    if not edited:
        return examined
    try:
        findings = await check_edits(edited, facts, ports)
    except ActionRefused as refused:
        raise Refusal(ReceiptCode.INVALID_CHANGES, f"changes.edited_actions: {refused}") from refused
    case = examined.case.model_copy(update={"facts": facts.model_copy(update={"findings": findings})})
    return replace(examined, case=case)


def _may_be_early(decision: Decision, delivery: Delivery, view: CaseView, ports: Ports) -> bool:
    """Its case is not known yet, or does not ask the level yet that the decision names."""
    if view.earlier is not None or delivery.waited_s >= ports.patience.early.total_seconds():
        return False
    if view.case is None:
        return True
    if decision.level is None or view.approval is None or view.case.state is not CaseState.WAITING:
        return False
    asked = view.approval.question.level
    done = {asked.name, *(signature.level for signature in view.case.signatures)}
    return asked.number < asked.of and decision.level in ports.policy.levels and decision.level not in done


def _recorded(decision: Decision, examined: Examined, view: CaseView, ports: Ports) -> UnitOfWork:
    """One more signature, and the level needs others: the question stays open, and nobody holds it any longer."""
    approval, signature = examined.approval, examined.signature
    votes = examined.signatures
    needed = approval.question.quorum
    changed = approval.held(None).model_copy(update={"votes": votes})
    noted, entry = note(
        examined.case,
        actor=signature.reviewer,
        action="signed",
        at=view.now,
        detail=_detail(decision, examined),
        signatures=(*examined.case.signatures, signature),
    )
    receipt = receipt_for(
        decision, ReceiptCode.RECORDED, f"counted: {len(votes)} of {needed} have signed", approval, signature.reviewer
    )
    return UnitOfWork(
        case=noted,
        audit=entry,
        changed_approvals=(changed,),
        decision=(decision, receipt),
        signed=_signed_for(examined),
        watched=view.watched,
        moves=_moved_figures(examined, view, ports),
        announcements=(ReceiptGiven(receipt, approval.order_id), *_freed(approval, changed, signature)),
    )


def _freed(before: ApprovalRequest, after: ApprovalRequest, signature: Signature) -> tuple[ApprovalUpdated, ...]:
    """Who held the question has had their say: open screens may offer it to the others."""
    if before.assignee is None:
        return ()
    return (ApprovalUpdated(after, ApprovalChange.REASSIGNED, signature.reviewer, signature.at),)


async def _closed(decision: Decision, examined: Examined, view: CaseView, ports: Ports) -> UnitOfWork:
    """The answer closes its question. Raises StuckThread."""
    approval, signature = examined.approval, examined.signature
    if examined.verdict is Verdict.REQUEST_CHANGES:
        unit = await _changes_requested(decision, examined, view, ports)
    else:
        run = await answer_question(examined.case, _answer(examined), view, ports)
        if isinstance(run, Finished) and examined.verdict in AGREES:
            changed = await difference_since(examined.case, view, ports)
            if changed is not None:
                return await _outdated(decision, examined, changed, view, ports)
        unit = _went_on(decision, examined, run, view, ports)
    closing = _CLOSES_AS[examined.verdict]
    follows = ""
    if unit.new_approval is not None:
        follows = f"; level {unit.new_approval.question.level.name} is asked"
    elif examined.verdict in AGREES:
        follows = ": it is being done"
    receipt = receipt_for(
        decision, ReceiptCode.ACCEPTED, _TOLD[closing] + follows, approval, signature.reviewer, at=view.now
    )
    update = closing_update(approval, closing, signature.reviewer, view.now, votes=examined.signatures)
    return replace(
        unit,
        changed_approvals=(update.closed,),
        decision=(decision, receipt),
        signed=_signed_for(examined),
        watched=view.watched,
        moves=_moved_figures(examined, view, ports),
        announcements=(ReceiptGiven(receipt, approval.order_id), *update.announcements, *unit.announcements),
    )


def _signed_for(examined: Examined) -> Money | None:
    """What counts against the reviewer's cap; of a two-step level the second signature alone."""
    if examined.verdict not in AGREES or examined.approval.question.part is ApprovalPart.DETAILS:
        return None
    return examined.proposal.amount


def _moved_figures(examined: Examined, view: CaseView, ports: Ports) -> tuple[str, ...]:
    """What somebody signs for at a level without a cap counts at those with one, and they must not miss it."""
    key = key_of_reviewer(examined.signature.reviewer)
    is_watched = any(watch.key == key for watch in view.watched)
    is_capped = any(level.cap for level in ports.policy.levels.values())
    return (key,) if is_capped and not is_watched and _signed_for(examined) else ()


def _answer(examined: Examined) -> Answer:
    """What the thread is resumed with."""
    before = examined.approval.question.signed_by
    agrees = examined.verdict in AGREES
    votes = [vote for vote in examined.signatures[:-1] if vote not in before]
    return Answer(
        verdict=examined.verdict,
        proposal=examined.proposal if agrees and examined.changes_proposal else None,
        signed_by=(*before, *votes, examined.signature) if agrees else before,
        asks_again=examined.quorum_is_open,
        message_edited=examined.message_edited,
        levels=examined.levels,
        findings=examined.case.facts.findings or None,
    )


def _went_on(
    decision: Decision, examined: Examined, run: Paused | Finished, view: CaseView, ports: Ports
) -> UnitOfWork:
    case, signature, reviewer = examined.case, examined.signature, examined.signature.reviewer
    known: dict[str, Any] = {"signatures": (*case.signatures, signature), "reason": decision.comment or ""}
    detail = _detail(decision, examined)
    action = _CLOSES_AS[examined.verdict].value
    if isinstance(run, Paused):
        votes = examined.signatures if examined.quorum_is_open else ()
        return ask(case, run, ports, at=view.now, actor=reviewer, action=action, detail=detail, votes=votes, **known)
    if examined.verdict is Verdict.REJECT:
        record = {"actor": reviewer, "action": action, "at": view.now, "detail": detail}
        known |= {"interrupt_id": None, "proposal": examined.proposal}
        return concluded(case, CaseState.REJECTED, run, ports, record, known)
    return execute(case, run, view, ports, actor=reviewer, action=action, detail=detail, **known)


async def _changes_requested(decision: Decision, examined: Examined, view: CaseView, ports: Ports) -> UnitOfWork:
    """The case is analysed anew with what the reviewer asked for, and put to its first level again."""
    case, question = examined.case, examined.approval.question
    feedback = Feedback(
        round=case.round,
        level=question.level.name,
        reviewer=examined.signature.reviewer,
        at=view.now,
        comment=decision.comment or "",
        proposal=question.proposal,
    )
    facts = case.facts.model_copy(update={"feedback": (*case.facts.feedback, feedback)})
    return await ask_anew(
        case,
        await analysed(facts, ports),
        view,
        ports,
        actor=examined.signature.reviewer,
        action=Closing.CHANGES_REQUESTED.value,
        detail=_detail(decision, examined),
        signatures=(*case.signatures, examined.signature),
    )


async def _outdated(decision: Decision, examined: Examined, facts: Facts, view: CaseView, ports: Ports) -> UnitOfWork:
    """The order is not what the reviewer was shown: the question is asked anew, with the difference named."""
    unit = await ask_anew(
        examined.case,
        facts,
        view,
        ports,
        actor=SYSTEM,
        action="order changed",
        detail={"decision_id": decision.decision_id, "difference": facts.difference},
    )
    update = closing_update(examined.approval, Closing.OUTDATED, SYSTEM, view.now)
    said = f"the order has changed since this was shown: {facts.difference}; the question is asked anew"
    receipt = receipt_for(decision, ReceiptCode.STALE, said, examined.approval, None)
    return replace(
        unit,
        changed_approvals=(update.closed,),
        decision=(decision, receipt),
        announcements=(
            ReceiptGiven(receipt, examined.approval.order_id),
            *update.announcements,
            *unit.announcements,
        ),
    )


def _detail(decision: Decision, examined: Examined) -> dict[str, Any]:
    """What the audit entry says: nothing that a person wrote."""
    question = examined.approval.question
    detail: dict[str, Any] = {
        "decision_id": decision.decision_id,
        "verdict": examined.verdict.value,
        "level": question.level.name,
        "review_hash": examined.approval.review_hash,
    }
    if examined.signature.on_behalf_of:
        detail["on_behalf_of"] = list(examined.signature.on_behalf_of)
    if examined.changes_proposal and examined.verdict in AGREES:
        after, before = dict(examined.proposal), dict(question.proposal)
        detail["changed"] = ", ".join(sorted(name for name in after if after[name] != before[name]))
    return detail
