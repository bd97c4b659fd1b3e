"""The names of the figures that a unit of work may watch."""

from worker.application.unit_of_work import OthersQuery
from worker.domain.reviewers import person_key


def keys_of_others(others: OthersQuery) -> tuple[str, ...]:
    """What else is asked for the same order and the same customer."""
    named = (("order", others.order_id), ("customer", others.customer_id))
    return tuple(f"{kind}:{name}" for kind, name in named if name is not None)


def key_of_reviewer(reviewer_id: str) -> str:
    """What one reviewer has signed for, however their id is spelt."""
    return f"reviewer:{person_key(reviewer_id)}"
