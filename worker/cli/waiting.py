"""Words for a question that waits: what is asked of whom, how far it is, and when it ends."""

from datetime import datetime

from worker.adapters.postgres.case_listing import OpenApproval
from worker.cli.output import in_words


def asked(approval: OpenApproval) -> str:
    """`director, 2 of 3, the method, round 2`: the level, and what of the matter it is asked."""
    level = approval.level_reference
    parts = [
        level.name,
        f"{level.number} of {level.of}" if level.of > 1 else "",
        f"the {approval.part}" if approval.part else "",
        f"round {approval.round}" if approval.round > 1 else "",
    ]
    return ", ".join(part for part in parts if part)


def votes(approval: OpenApproval) -> str:
    return f"{approval.votes} of {approval.quorum}"


def waits_for(approval: OpenApproval) -> str:
    """`user:maria, for manager, 1 of 2, 1 of 2 votes`: who must act, in one cell."""
    role, level = approval.role, asked(approval)
    who = level if role == approval.level_reference.name else f"{role} ({level})"
    held = f"{approval.assignee}, for {who}" if approval.assignee else who
    return f"{held}, {votes(approval)} votes" if approval.quorum > 1 else held


def due_in(due_at: datetime, now: datetime) -> str:
    left = due_at - now
    return in_words(left) if left.total_seconds() > 0 else f"overdue {in_words(-left)}"
