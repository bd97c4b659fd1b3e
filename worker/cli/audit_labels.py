"""An answered question as a training example: what a model may learn from, and nothing that names a person.

What is listed here is exported; what somebody adds to an exception or a proposal later is not, until it is listed.
"""

import hashlib
from collections.abc import Collection
from typing import Any
from uuid import UUID

from worker.adapters.postgres.audit_labels import AnsweredQuestion
from worker.cli.output import instant

_EXCEPTION = ("reason_code", "failed_attempts", "irreversible", "customer_requests_human", "compliance_flags")
"""Fields of the exception that are words and numbers; `reason` is free text, ids and arguments may name somebody."""


def example_of(answered: AnsweredQuestion, *, with_text: bool) -> dict[str, Any]:
    """`with_text` adds what people wrote: the requester's reason and the reviewer's comment."""
    question, exception = answered.question, answered.facts["exception"]
    example = {
        "example": pseudonym(answered.approval_id),
        "case": pseudonym(answered.case_id),
        "asked_at": instant(answered.asked_at),
        "policy": answered.policy["name"],
        "policy_version": answered.policy["version"],
        "level": question["level"]["name"],
        "part": question["asked"]["part"],
        "round": question["round"],
        "shown": {
            "kind": answered.kind,
            **_only(exception, _EXCEPTION),
            "confidence": question["confidence"],
            "risk": question["risk"],
            "rules": [rule["rule"] for rule in question["why"]],
            "proposal": proposal_of(question["proposal"]),
            "alternatives": [_only(way, ("action", "method", "amount")) for way in question["alternatives"]],
            "items": len(exception["items"]),
            "order": _order(answered.facts["order"]),
            "customer_tier": (answered.facts["customer"] or {}).get("tier"),
            "near_duplicates": len(answered.facts["exposure"]["near_duplicates"]),
        },
        "answer": {
            "verdict": answered.verdict,
            "changes": _changes(answered.changes),
            "choice": answered.choice,
            "signatures": answered.signatures,
            "seconds_to_decide": max(0.0, round((answered.received_at - answered.asked_at).total_seconds(), 3)),
        },
        "outcome": {
            "state": answered.state,
            "finished_at": instant(answered.finished_at),
            "proposal": proposal_of(answered.final),
        },
    }
    if with_text:
        example["shown"]["reason"] = exception["reason"]
        example["answer"]["comment"] = answered.comment
    return example


def pseudonym(identifier: UUID) -> str:
    """Tells examples of one case apart from others', and leads to the case only through the database."""
    return hashlib.sha256(identifier.bytes).hexdigest()[:16]


def proposal_of(proposal: dict[str, Any]) -> dict[str, Any]:
    """What is done and for how much; of an account change and of actions only their names, never their values."""
    return {
        **_only(proposal, ("action", "method", "amount")),
        "changes": sorted(proposal.get("changes") or {}),
        "actions": [action["name"] for action in proposal.get("actions") or []],
        "passing": [action["name"] for action in proposal.get("passing") or []],
    }


def _changes(changes: dict[str, Any] | None) -> dict[str, Any] | None:
    """A rewritten message to the customer, and rewritten arguments of an action, are only said to be there: they may
    name somebody."""
    if not changes:
        return None
    edited = [edit["index"] for edit in changes.get("edited_actions") or []]
    kept = {name: changes[name] for name in ("amount", "method", "approved_actions") if changes.get(name) is not None}
    kept |= {"edited_actions": edited} if edited else {}
    return kept | ({"customer_message": True} if changes.get("customer_message") is not None else {})


def _order(order: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if order is None else _only(order, ("captured", "refunded", "status", "payment_method"))


def _only(fields: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: fields.get(name) for name in names}
