"""What the graph's `assess` node asks: what would be done about this exception, and who must sign it."""

from collections.abc import Awaitable, Callable

from schemas.values import Proposal, Verdict
from worker.application.next_question import PlainData, assessment_of
from worker.application.ports import Ports
from worker.domain.approval_policy import ApprovalPolicy, Requirement
from worker.domain.order_exception import Facts
from worker.domain.resolution import propose
from worker.domain.tool_calls import let_pass

Assess = Callable[[PlainData], Awaitable[PlainData]]


async def analysed(facts: Facts, ports: Ports) -> Facts:
    """The facts with what the analyst makes of them."""
    return facts.model_copy(update={"opinion": await ports.analyst.analyse(facts)})


def assessor(policy: ApprovalPolicy) -> Assess:
    """The assess function of a policy, over plain data as the graph's state holds it."""

    async def assess(facts: PlainData) -> PlainData:
        known = Facts.model_validate(facts)
        requirement = policy.judge(known)
        return assessment_of(known, _proposed(known, requirement, policy), requirement, policy)

    return assess


def _proposed(facts: Facts, requirement: Requirement, policy: ApprovalPolicy) -> Proposal:
    """An analyst's words to the customer are a draft for a reviewer: where nobody reads them, nobody sends them. What
    came to nothing is asked about whether it wanted a signature or not."""
    proposal = drafted(propose(facts), facts, policy)
    if not requirement.chain:
        return proposal
    if requirement.per_action and facts.failure is None:
        proposal = let_pass(proposal, [name for name, terms in policy.actions.items() if terms.passes])
    words = facts.opinion.customer_message if facts.opinion else None
    return proposal.model_copy(update={"customer_message": words}) if words else proposal


def drafted(proposal: Proposal, facts: Facts, policy: ApprovalPolicy, verdict: Verdict = Verdict.APPROVE) -> Proposal:
    """The proposal with what the customer would be told about it."""
    return proposal.model_copy(update={"customer_message": policy.draft(verdict, proposal, facts)})
