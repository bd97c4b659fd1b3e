"""Moving a case: the one way to a new version, and it never comes without its audit entry."""

from datetime import datetime
from typing import Any

from worker.domain.audit import AuditEntry
from worker.domain.exception_case import Case, CaseState

SYSTEM = "system"
"""The actor of what nobody in particular did: an automatic resolution, a deadline, a payment."""


def transition(
    case: Case,
    state: CaseState,
    *,
    actor: str,
    action: str,
    at: datetime,
    detail: dict[str, Any] | None = None,
    **changes: object,
) -> tuple[Case, AuditEntry]:
    """The case in its new state, and the entry that says who did it. Raises IllegalTransition."""
    if state.is_terminal:
        changes["finished_at"] = at
    return _recorded(case, case.moved_to(state, **changes), actor, action, at, detail)


def note(
    case: Case,
    *,
    actor: str,
    action: str,
    at: datetime,
    detail: dict[str, Any] | None = None,
    **changes: object,
) -> tuple[Case, AuditEntry]:
    """Puts something on record that moves the case nowhere."""
    return _recorded(case, case.noted(**changes), actor, action, at, detail)


def _recorded(
    before: Case, after: Case, actor: str, action: str, at: datetime, detail: dict[str, Any] | None
) -> tuple[Case, AuditEntry]:
    entry = AuditEntry(
        case_id=after.case_id,
        number=after.version,
        at=at,
        actor=actor,
        action=action,
        from_state=before.state,
        to_state=after.state,
        detail={"policy": after.policy.version, **(detail or {})},
        previous_hash=before.audit_head,
    ).sealed()
    return after.model_copy(update={"audit_head": entry.hash}), entry
