"""May this decision take effect, and what does it do to the proposal? Whoever is refused is told why, in words."""

from dataclasses import dataclass

from pydantic import ValidationError

from schemas.values import ApprovalPart, Changes, Money, Proposal, ReceiptCode, Signature, Verdict
from worker.application.assess_case import drafted
from worker.application.authority import standing_of
from worker.application.follow_run import available_of
from worker.application.messages import Delivery
from worker.application.ports import Ports
from worker.application.ports.store import CaseView
from worker.application.refusal import Refusal, addressed, check_open
from worker.domain.approval import ApprovalRequest, Decision, Question
from worker.domain.approval_policy import ApprovalPolicy, Level, in_two_steps
from worker.domain.edited_calls import as_meant
from worker.domain.errors import InvalidChanges
from worker.domain.exception_case import Case
from worker.domain.resolution import MOVES_MONEY, choose, modify

AGREES = frozenset({Verdict.APPROVE, Verdict.MODIFY, Verdict.CHOOSE})
"""The verdicts that sign for a proposal, as it stands or changed."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A decision that may take effect. `proposal` is what it signs for, and for a reject what the customer is told, in
    a reviewer's words if it is `message_edited`; `levels` are those that an escalation asks instead."""

    case: Case
    approval: ApprovalRequest
    signature: Signature
    proposal: Proposal
    message_edited: bool
    levels: tuple[Level, ...] = ()

    @property
    def verdict(self) -> Verdict:
        return self.signature.verdict

    @property
    def changes_proposal(self) -> bool:
        return self.proposal != self.approval.question.proposal

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """Those of this level for what this decision signs: a change makes the votes before it void."""
        if self.verdict in (Verdict.MODIFY, Verdict.CHOOSE):
            return (self.signature,)
        return (*self.approval.votes, self.signature)

    @property
    def quorum_is_open(self) -> bool:
        return self.verdict in AGREES and len(self.signatures) < self.approval.question.quorum


def examine(decision: Decision, delivery: Delivery, view: CaseView, ports: Ports) -> Examined:
    """Raises Refusal with the first reason found: what it is about, who may, in time, and then what it does."""
    case, approval = addressed(decision.level, view)
    standing = standing_of(decision.reviewer, case, approval, view, ports.policy, signs=decision.verdict in AGREES)
    allowed = approval.question.allowed_verdicts
    if decision.verdict not in allowed:
        raise Refusal(ReceiptCode.VERDICT_NOT_ALLOWED, f"verdict: choose one of {', '.join(allowed)}")
    check_open(delivery.received_at, approval)
    _check_hash(decision, approval)
    _check_all_answered(decision, approval)
    proposal = _proposal_after(decision, case, approval, ports.policy)
    if decision.verdict in AGREES:
        _check_what_is_left(proposal, available_of(case.facts, view))
    signature = Signature(
        level=approval.question.level.name,
        reviewer=decision.reviewer.id,
        verdict=_verdict_meant(decision, proposal, approval.question),
        at=view.now,
        on_behalf_of=standing.on_behalf_of,
    )
    levels: tuple[Level, ...] = ()
    if decision.verdict is Verdict.ESCALATE:
        levels = levels_above(approval.question.asked, decision.escalate_to, ports.policy)
    return Examined(case, approval, signature, proposal, _edits_message(decision, approval.question.proposal), levels)


def levels_above(asked: Level, named: str | None, policy: ApprovalPolicy) -> tuple[Level, ...]:
    """The level that an escalation asks instead, in as many steps as were left: the named one, else the one that the
    policy says, else the next in its order. Raises Refusal when there is none."""
    order = list(policy.levels)
    higher = order[order.index(asked.name) + 1 :] if asked.name in order else order
    name = named or asked.escalates_to or next(iter(higher), None)
    if name is None:
        raise Refusal(ReceiptCode.VERDICT_NOT_ALLOWED, f"escalate: no level stands above {asked.name}")
    if name not in policy.levels or (named is not None and name not in higher):
        offered = ", ".join(higher) or "none"
        raise Refusal(ReceiptCode.VERDICT_NOT_ALLOWED, f"escalate_to: {name} does not stand above; choose of {offered}")
    level = policy.levels[name]
    if asked.part is ApprovalPart.DETAILS:
        return in_two_steps(level)
    return (in_two_steps(level)[1],) if asked.part is ApprovalPart.METHOD else (level,)


def _check_hash(decision: Decision, approval: ApprovalRequest) -> None:
    if decision.review_hash is None and approval.question.requires_hash:
        raise Refusal(ReceiptCode.STALE, "review_hash: this policy needs the hash of what you saw; send it")
    if decision.review_hash not in (None, approval.review_hash):
        raise Refusal(ReceiptCode.STALE, "review_hash: what is shown has changed; reload it and decide again")


def _check_all_answered(decision: Decision, approval: ApprovalRequest) -> None:
    """A screen that showed one action of three must not have approved the other two."""
    asked = len(approval.question.proposal.actions or (approval.question.proposal,))
    if decision.actions_answered not in (None, asked):
        raise Refusal(
            ReceiptCode.INVALID,
            f"response: answers {decision.actions_answered} of {asked} actions; answer each, in the order shown",
        )


def _verdict_meant(decision: Decision, proposal: Proposal, question: Question) -> Verdict:
    """Another product's screen may send back as an edit what it was shown: that signs it as it stands, and leaves the
    votes before it valid."""
    from_a_screen = decision.actions_answered is not None
    changes_nothing = decision.verdict in (Verdict.MODIFY, Verdict.CHOOSE) and proposal == question.proposal
    if from_a_screen and changes_nothing and Verdict.APPROVE in question.allowed_verdicts:
        return Verdict.APPROVE
    return decision.verdict


def _proposal_after(decision: Decision, case: Case, approval: ApprovalRequest, policy: ApprovalPolicy) -> Proposal:
    """The proposal as the decision leaves it. Raises Refusal with INVALID_CHANGES."""
    shown = approval.question.proposal
    try:
        match decision.verdict:
            case Verdict.MODIFY:
                changed = modify(shown, _edits(decision, shown, case))
                return _retold(changed, decision, case, approval.question, policy)
            case Verdict.CHOOSE:
                chosen = choose(shown, approval.question.alternatives, decision.choice)
                return _retold(chosen, decision, case, approval.question, policy)
            case Verdict.REJECT:
                return _rejected(shown, decision, case, policy)
    except InvalidChanges as error:
        raise Refusal(ReceiptCode.INVALID_CHANGES, str(error)) from error
    if decision.changes:
        raise Refusal(
            ReceiptCode.INVALID_CHANGES,
            f"changes: {decision.verdict} takes none; send modify to change the proposal, or leave them",
        )
    return shown


def _edits(decision: Decision, shown: Proposal, case: Case) -> Changes:
    """What a modify changes. Another product's screen says what it edits by name, and numbers as texts."""
    changes = _changes(decision)
    if decision.edited_names is None:
        return changes
    return as_meant(changes, decision.edited_names, shown, case.facts.findings)


def _changes(decision: Decision) -> Changes:
    try:
        return Changes.model_validate(decision.changes or {})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidChanges(f"changes.{where}: {first['msg']}") from error


def _edits_message(decision: Decision, shown: Proposal) -> bool:
    """Screens that send back all that they were shown have not written it."""
    return (decision.changes or {}).get("customer_message") not in (None, shown.customer_message)


def _retold(changed: Proposal, decision: Decision, case: Case, question: Question, policy: ApprovalPolicy) -> Proposal:
    """The customer must not be told of an amount that nobody pays, so a draft is written anew with the proposal. What
    a reviewer wrote, now or before, stays as they wrote it, and so does a draft of what is not changed."""
    if changed == question.proposal or question.message_edited or _edits_message(decision, question.proposal):
        return changed
    return drafted(changed, case.facts, policy)


def _rejected(shown: Proposal, decision: Decision, case: Case, policy: ApprovalPolicy) -> Proposal:
    """A reject may say what the customer is told, and changes nothing else."""
    changes = _changes(decision)
    if changes.model_dump(exclude_none=True, exclude={"customer_message"}):
        raise InvalidChanges("changes: reject changes nothing but `customer_message`")
    if changes.customer_message is not None:
        return shown.model_copy(update={"customer_message": changes.customer_message})
    return drafted(shown, case.facts, policy, Verdict.REJECT)


def _check_what_is_left(proposal: Proposal, left: Money | None) -> None:
    """Other cases of the order may have taken money, or shown what it was paid in, since this was asked."""
    amount = proposal.amount
    if left is None or amount is None or proposal.action not in MOVES_MONEY:
        return
    if amount.currency != left.currency:
        raise Refusal(ReceiptCode.STALE, f"the order was paid in {left.currency}, not in {amount.currency}; reject it")
    if amount.amount_minor > left.amount_minor:
        raise Refusal(
            ReceiptCode.STALE,
            f"only {left} of the order is left to refund since this was asked; modify the amount, or reject",
        )
