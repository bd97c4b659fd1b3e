"""The questions of one case on its page: the one that waits, and those that were asked before it."""

from collections.abc import Sequence
from datetime import datetime

from schemas.values import Signature
from worker.cli.output import in_utc, in_words, print_table
from worker.cli.waiting import due_in
from worker.domain.approval import ApprovalRequest
from worker.domain.deadlines import DeadlineAction, Timer
from worker.domain.order_exception import Feedback

Fields = list[tuple[str, str | Sequence[str]]]

_TIMERS = {
    DeadlineAction.REMIND: "a reminder",
    DeadlineAction.HAND_OVER: "it is asked of",
    DeadlineAction.ESCALATE: "the next level is asked",
    DeadlineAction.REJECT: "it is rejected",
    DeadlineAction.RELEASE: "the claim runs out",
}


def signed(signature: Signature) -> str:
    whose = f" on behalf of {', '.join(signature.on_behalf_of)}" if signature.on_behalf_of else ""
    return f"{signature.verdict} by {signature.reviewer}{whose} ({signature.level}) at {in_utc(signature.at)}"


def waiting_fields(approval: ApprovalRequest, now: datetime) -> Fields:
    """Who must act, who did, and what happens when nobody does."""
    question = approval.question
    return [
        ("waits for", f"{approval.role} (level {_level(approval)})"),
        ("held by", _held_by(approval)),
        ("delegated by", ", ".join(approval.handover.on_behalf_of) if approval.handover else ""),
        ("votes", [f"{len(approval.votes)} of {question.quorum}", *map(signed, approval.votes)]),
        ("may", ", ".join(question.allowed_verdicts)),
        ("due", f"{in_utc(approval.due_at)}, {_time_left(approval.due_at, now)}; then {question.on_timeout}"),
        ("until then", [_timer(timer, now) for timer in approval.timers if timer.at < approval.due_at]),
        ("approval", str(approval.approval_id)),
    ]


def print_questions(approvals: Sequence[ApprovalRequest]) -> None:
    """One line for each question, the oldest first."""
    print_table(
        ("question", "asked of", "round", "votes", "asked", "answer", "by", "at"),
        [_row(approval) for approval in approvals],
        long=(),
    )


def history(feedback: Sequence[Feedback]) -> list[str]:
    """What reviewers asked to be changed, round for round, and what they had been shown."""
    return [
        f"round {one.round}: {one.reviewer} ({one.level}) at {in_utc(one.at)}: {one.comment}"
        f"{f'; shown was {one.proposal.amount}' if one.proposal.amount else ''}"
        for one in feedback
    ]


def _level(approval: ApprovalRequest) -> str:
    level, part = approval.question.level, approval.question.part
    number = f", {level.number} of {level.of}" if level.of > 1 else ""
    return f"{level.name}{number}{f', the {part}' if part else ''}"


def _held_by(approval: ApprovalRequest) -> str:
    if approval.assignee is None:
        return ""
    by = approval.assigned_by
    return approval.assignee if by in (None, approval.assignee) else f"{approval.assignee}, by {by}"


def _timer(timer: Timer, now: datetime) -> str:
    what = f"{_TIMERS[timer.do]} {timer.to}" if timer.to else _TIMERS[timer.do]
    return f"{what} {_time_left(timer.at, now)}, at {in_utc(timer.at)}"


def _time_left(at: datetime, now: datetime) -> str:
    return f"in {in_words(at - now)}" if at > now else due_in(at, now)


def _row(approval: ApprovalRequest) -> tuple[str, ...]:
    question = approval.question
    return (
        _level(approval),
        approval.role,
        str(question.round),
        f"{len(approval.votes)} of {question.quorum}" if approval.is_open else "",
        in_utc(approval.requested_at),
        approval.closed_as or "waits",
        approval.closed_by or approval.assignee or "",
        in_utc(approval.closed_at),
    )
