"""What the graph's `assess` node asks: what would be done about this exception, and who must sign it."""

from collections.abc import Awaitable, Callable
from typing import Any

from schemas.values import LevelReference
from worker.domain.approval import Question
from worker.domain.approval_policy import ApprovalPolicy, Level, Requirement
from worker.domain.order_exception import Facts
from worker.domain.resolution import propose

Assess = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


def assessor(policy: ApprovalPolicy) -> Assess:
    """The assess function of a policy, over plain data as the graph's state holds it."""

    async def assess(facts: dict[str, Any]) -> dict[str, Any]:
        known = Facts.model_validate(facts)
        requirement = policy.judge(known)
        question = requirement.level and _question(known, requirement, requirement.level)
        return {
            "proposal": propose(known).model_dump(mode="json"),
            "question": question.model_dump(mode="json") if question else None,
        }

    return assess


def _question(facts: Facts, requirement: Requirement, level: Level) -> Question:
    exception = facts.exception
    return Question(
        level=LevelReference(name=level.name),
        role=level.role,
        quorum=level.quorum,
        round=facts.round,
        allowed_verdicts=level.allowed_verdicts,
        proposal=propose(facts),
        alternatives=exception.alternatives,
        why=requirement.why,
        risk=requirement.risk,
        confidence=exception.confidence,
        context=_context(facts),
        due_in_seconds=int(level.due_in.total_seconds()),
        on_timeout=level.on_timeout,
    )


def _context(facts: Facts) -> dict[str, Any]:
    """What helps a person decide, beside the proposal itself."""
    exception = facts.exception
    shown = {
        "reason": exception.reason,
        "reason_code": exception.reason_code,
        "customer_id": exception.customer_id,
        "items": [item.model_dump(mode="json", exclude_none=True) for item in exception.items],
        "order": facts.order and facts.order.model_dump(mode="json", exclude_none=True),
        "customer": facts.customer and facts.customer.model_dump(mode="json", exclude_none=True),
        "available": facts.available and facts.available.model_dump(mode="json"),
        "failure": facts.failure,
    }
    return {name: value for name, value in shown.items() if value}
