"""May this person answer this question? Who asked for it may not, nobody signs two levels, and the role must be theirs.

Roles come from the decision, or from the register of reviewers where one is kept. A delegate inherits the question
and never an exemption: whoever's authority is used counts as having signed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from schemas.values import Money, ReceiptCode, Reviewer, Signature
from worker.application.ports.store import CaseView
from worker.application.refusal import Refusal
from worker.domain.approval import ApprovalRequest, Handover
from worker.domain.approval_policy import ApprovalPolicy
from worker.domain.exception_case import Case
from worker.domain.reviewers import Person, Standing, person_key, same_person, standings


@dataclass(frozen=True, slots=True)
class _Claim:
    """One authority that somebody might use, and why it cannot be used, if so."""

    standing: Standing
    refusal: Refusal | None = None


def standing_of(
    reviewer: Reviewer, case: Case, approval: ApprovalRequest, view: CaseView, policy: ApprovalPolicy, *, signs: bool
) -> Standing:
    """The authority on which the reviewer answers. `signs`: the answer agrees to the proposal, so that ceilings count.

    Raises Refusal with SELF_APPROVAL, NOT_AUTHORISED or SAME_REVIEWER.
    """
    if same_person(reviewer.id, approval.requested_by):
        raise Refusal(ReceiptCode.SELF_APPROVAL, "who requested it cannot decide it; ask another reviewer")
    _check_assignee(reviewer.id, approval)
    refused = Refusal(ReceiptCode.NOT_AUTHORISED, _lacks_role(approval, view))
    for claim in _claims(reviewer, approval, view, policy, signs=signs):
        refusal = claim.refusal or _not_this_person(claim.standing, case, approval)
        if refusal is None:
            _check_cap(reviewer, approval, view, policy, signs=signs)
            return claim.standing
        refused = refusal
    raise refused


def check_candidate(to: str, case: Case, approval: ApprovalRequest, view: CaseView, *, needs_role: bool) -> None:
    """Whether a question may be handed to this person. `needs_role`: they are to answer on their own authority, which
    only a register can show beforehand. Raises Refusal."""
    if same_person(to, approval.requested_by):
        raise Refusal(ReceiptCode.SELF_APPROVAL, "to: who requested it cannot decide it; choose another reviewer")
    refusal = _not_this_person(Standing(reviewer=to), case, approval)
    if refusal is not None:
        raise refusal
    if not _is_registered(to, view):
        raise Refusal(ReceiptCode.NOT_AUTHORISED, f"to: the register of reviewers has no {to} now")
    held = {role for _, person in standings(to, view.people or (), view.now) for role in person.roles}
    if needs_role and view.people is not None and approval.role not in held:
        raise Refusal(ReceiptCode.NOT_AUTHORISED, f"to: {to} does not hold role {approval.role}; delegate it instead")


def _check_assignee(reviewer: str, approval: ApprovalRequest) -> None:
    held_by = approval.assignee
    if held_by is not None and not same_person(reviewer, held_by):
        raise Refusal(
            ReceiptCode.NOT_AUTHORISED, f"{held_by} holds this question; wait until they release it, or ask them to"
        )


def _lacks_role(approval: ApprovalRequest, view: CaseView) -> str:
    if view.people is None:
        return f"reviewer.roles: this level needs role {approval.role}"
    return f"the register of reviewers gives no role {approval.role} to this reviewer, nor to anybody they stand in for"


def _claims(
    reviewer: Reviewer, approval: ApprovalRequest, view: CaseView, policy: ApprovalPolicy, *, signs: bool
) -> Iterator[_Claim]:
    """The authorities that hold the role, the reviewer's own before others'."""
    amount = approval.question.proposal.amount if signs else None
    if view.people is None:
        if approval.role in reviewer.roles:
            yield _Claim(Standing(reviewer=reviewer.id))
    else:
        for standing, person in standings(reviewer.id, view.people, view.now):
            if approval.role in person.roles:
                yield _Claim(standing, _over_ceiling(person, amount, policy))
    if approval.handover is not None and same_person(approval.handover.to, reviewer.id):
        yield from _delegated(reviewer, approval.handover, approval, view, policy, amount)


def _delegated(
    reviewer: Reviewer,
    handover: Handover,
    approval: ApprovalRequest,
    view: CaseView,
    policy: ApprovalPolicy,
    amount: Money | None,
) -> Iterator[_Claim]:
    """The authority of whoever delegated the question: it is worth what theirs is worth now."""
    standing = Standing(reviewer=reviewer.id, on_behalf_of=handover.on_behalf_of)
    if view.people is None:
        if handover.role == approval.role:
            yield _Claim(standing)
        return
    now_valid = {person_key(person.id): person for person in view.people if person.is_valid(view.now)}
    people = [now_valid.get(person_key(one)) for one in standing.people]
    holder = people[-1]
    if holder is not None and None not in people and approval.role in holder.roles:
        yield _Claim(standing, _over_ceiling(holder, amount, policy))


def _is_registered(reviewer: str, view: CaseView) -> bool:
    """Where a register says who is somebody, only those are given a question."""
    if view.people is None:
        return True
    return any(same_person(person.id, reviewer) and person.is_valid(view.now) for person in view.people)


def _over_ceiling(person: Person, amount: Money | None, policy: ApprovalPolicy) -> Refusal | None:
    if policy.covers(person.ceiling, amount):
        return None
    return Refusal(ReceiptCode.NOT_AUTHORISED, f"{amount} is over the {person.ceiling} that {person.id} may sign for")


def _not_this_person(standing: Standing, case: Case, approval: ApprovalRequest) -> Refusal | None:
    """Why these people may not sign here: they asked for it, or have signed another level or this one."""
    if any(same_person(one, approval.requested_by) for one in standing.people):
        return Refusal(
            ReceiptCode.SELF_APPROVAL, "who requested it cannot decide it through a delegate; ask another reviewer"
        )
    level = approval.question.level.name
    elsewhere = _signed(standing, case.signatures, lambda signature: signature.level != level)
    if elsewhere is not None:
        return Refusal(
            ReceiptCode.SAME_REVIEWER,
            f"{elsewhere.reviewer} has decided level {elsewhere.level} of this case; each level needs another person",
        )
    here = _signed(standing, approval.votes, lambda signature: True)
    if here is not None:
        return Refusal(
            ReceiptCode.SAME_REVIEWER,
            f"{here.reviewer} has signed this level already; its quorum needs {approval.question.quorum} people",
        )
    return None


def _signed(
    standing: Standing, signatures: tuple[Signature, ...], counts: Callable[[Signature], bool]
) -> Signature | None:
    people = {person_key(one) for one in standing.people}
    return next(
        (
            signature
            for signature in signatures
            if counts(signature) and people & {person_key(one) for one in (signature.reviewer, *signature.on_behalf_of)}
        ),
        None,
    )


def _check_cap(
    reviewer: Reviewer, approval: ApprovalRequest, view: CaseView, policy: ApprovalPolicy, *, signs: bool
) -> None:
    """What one reviewer may sign for within a window of time, this proposal included."""
    cap, amount = approval.question.asked.cap, approval.question.proposal.amount
    if cap is None or amount is None or not signs:
        return
    figures = [policy.compare(money, cap.amount.currency) for money in (*view.signed, amount)]
    if any(figure is None for figure in figures) or sum(filter(None, figures)) > cap.amount.amount_minor:
        hours = cap.window.total_seconds() / 3600
        raise Refusal(
            ReceiptCode.NOT_AUTHORISED,
            f"with this {reviewer.id} would have signed for more than {cap.amount} within {hours:g} hours",
        )
