"""What the graph's `assess` node asks: what would be done about this exception, and who must sign it."""

from collections.abc import Awaitable, Callable

from schemas.values import Proposal, Verdict
from worker.application.next_question import PlainData, assessment_of
from worker.domain.approval_policy import ApprovalPolicy
from worker.domain.order_exception import Facts
from worker.domain.resolution import propose

Assess = Callable[[PlainData], Awaitable[PlainData]]


def assessor(policy: ApprovalPolicy) -> Assess:
    """The assess function of a policy, over plain data as the graph's state holds it."""

    async def assess(facts: PlainData) -> PlainData:
        known = Facts.model_validate(facts)
        return assessment_of(known, drafted(propose(known), known, policy), policy.judge(known), policy)

    return assess


def drafted(proposal: Proposal, facts: Facts, policy: ApprovalPolicy, verdict: Verdict = Verdict.APPROVE) -> Proposal:
    """The proposal with what the customer would be told about it."""
    return proposal.model_copy(update={"customer_message": policy.draft(verdict, proposal, facts)})
