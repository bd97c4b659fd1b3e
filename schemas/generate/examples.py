"""One or more examples of each event: published with the contract, and validated against it by the tests."""

from collections.abc import Mapping
from typing import Any

from schemas.events import (
    ApprovalCommanded,
    ApprovalNeeded,
    ApprovalUpdated,
    Event,
    ExceptionRaised,
    ExceptionWithdrawn,
    MessageRejected,
    PaymentFailed,
    RecoveryRequested,
    ResolutionOutcome,
    ReviewBatch,
    ReviewDecided,
    ReviewReceipt,
)

Example = dict[str, Any]

_CASE = "0193a1b2-7c00-7000-8000-000000000001"
_APPROVAL = "0193a1b2-7c00-7000-8000-000000000002"
_DECISION = "0193a1b2-7c00-7000-8000-000000000003"
_REFUND = {"amount_minor": 15000, "currency": "USD"}
_AGREED = {"amount_minor": 12000, "currency": "USD"}
_ORDER = {
    "captured": {"amount_minor": 18000, "currency": "USD"},
    "refunded": {"amount_minor": 0, "currency": "USD"},
    "status": "delivered",
    "payment_method": "card",
    "items": [{"sku": "MUG-1", "name": "Mug, blue", "quantity": 1, "unit_price": _REFUND}],
}
_SEAL = "7d7be4b219c3b94a2111ef9a8a7c8424afad9c988ed9bfbe9af55229d3252817"
_SEAL_OF_THE_NEXT = "d3725072ea2e5f8dfbbe7e2539fce928960348e336fcf19de608e00eae661936"
_DECIDED = {
    "decision_id": _DECISION,
    "approval_id": _APPROVAL,
    "verdict": "modify",
    "reviewer": {"id": "user:maria", "roles": ["manager"]},
    "changes": {"amount": _AGREED, "method": "store_credit", "customer_message": "We refund 120.00 USD."},
    "choice": None,
    "comment": "keeps the mug",
    "review_hash": _SEAL,
}
_BY_BUSINESS_KEY = {
    "decision_id": "5b1a9c1e",
    "exception_id": "EXC-1002",
    "level": "finance",
    "verdict": "reject",
    "reviewer": {"id": "user:omar", "roles": ["finance"]},
    "comment": "already refunded by the carrier",
}

_ESCALATED = {
    "decision_id": "5b1a9c1f",
    "approval_id": _APPROVAL,
    "verdict": "escalate",
    "escalate_to": "director",
    "reviewer": {"id": "user:maria", "roles": ["manager"]},
}
_CHOSEN = {
    "decision_id": "5b1a9c20",
    "approval_id": _APPROVAL,
    "verdict": "choose",
    "choice": 0,
    "reviewer": {"id": "user:maria", "roles": ["manager"]},
}
_ANSWERED_ELSEWHERE = {
    "decision_id": "5b1a9c21",
    "approval_id": _APPROVAL,
    "reviewer": {"id": "user:maria", "roles": ["manager"]},
    "response": {"decisions": [{"type": "reject", "message": "the carrier has refunded it"}]},
}
_SIGNED = {"level": "manager", "reviewer": "user:maria", "verdict": "modify", "at": "2026-01-05T10:20:00Z"}
_SIGNED_FOR_ANOTHER = {
    "level": "director",
    "reviewer": "user:jonas",
    "verdict": "approve",
    "at": "2026-01-05T10:30:00Z",
    "on_behalf_of": ["user:dora"],
}
_COMMANDED: dict[str, Example] = {
    "claim": {
        "command_id": "0193a1b2-7c00-7000-8000-000000000004",
        "approval_id": _APPROVAL,
        "command": "claim",
        "by": {"id": "user:maria", "roles": ["manager"]},
    },
    "hand-over by business key": {
        "command_id": "77aa02",
        "exception_id": "EXC-1001",
        "level": "manager",
        "command": "delegate",
        "by": {"id": "user:maria", "roles": ["manager"]},
        "to": "user:jonas",
        "comment": "I am away from noon",
    },
}

_RAISED: dict[str, Example] = {
    "refund": {
        "exception_id": "EXC-1001",
        "kind": "refund",
        "order_id": "ORD-1001",
        "customer_id": "CUST-7",
        "requested_by": "agent:web-chat",
        "reason": "arrived broken",
        "reason_code": "damaged",
        "amount": _REFUND,
        "items": [{"sku": "MUG-1", "quantity": 1}],
        "confidence": 0.93,
        "customer_requests_human": False,
        "failed_attempts": 0,
        "alternatives": [{"action": "refund", "method": "store_credit"}],
        "order": _ORDER,
        "customer": {"tier": "vip", "name": "Ada"},
    },
    "account change": {
        "exception_id": "EXC-1003",
        "kind": "account_change",
        "order_id": "ORD-1003",
        "customer_id": "CUST-8",
        "requested_by": "user:sam",
        "changes": {"shipping_address": {"city": "Lyon"}},
    },
    "tool call": {
        "exception_id": "EXC-1004",
        "kind": "action_request",
        "requested_by": "agent:mailer",
        "action": {"name": "send_email", "args": {"template": "apology"}},
        "irreversible": True,
    },
}

_NEEDED: Example = {
    "approval_id": _APPROVAL,
    "case_id": _CASE,
    "exception_id": "EXC-1001",
    "order_id": "ORD-1001",
    "kind": "refund",
    "level": {"name": "manager", "number": 1, "of": 2},
    "role": "manager",
    "quorum": 1,
    "round": 1,
    "allowed_verdicts": ["approve", "reject", "modify", "choose", "escalate", "request_changes"],
    "proposal": {
        "action": "refund",
        "amount": _REFUND,
        "method": "original_method",
        "customer_message": "We refund 150.00 USD.",
    },
    "alternatives": [{"action": "refund", "method": "store_credit"}],
    "why": [{"rule": "refund-over-100", "says": "refund of 150.00 USD is over 100.00 USD"}],
    "risk": "medium",
    "confidence": 0.93,
    "context": {"reason": "arrived broken", "order": _ORDER, "customer": {"tier": "vip", "name": "Ada"}},
    "requested_by": "agent:web-chat",
    "requested_at": "2026-01-05T10:00:00Z",
    "due_at": "2026-01-05T14:00:00Z",
    "on_timeout": "escalate",
    "review_hash": _SEAL,
    "policy": {"name": "default", "version": "3f2c9a10"},
    "hitl": {
        "action_requests": [
            {
                "name": "refund",
                "args": {**_REFUND, "method": "original_method", "customer_message": "We refund 150.00 USD."},
                "description": "A person has to decide this.\n\n    Proposed: refund of 150.00 USD",
            }
        ],
        "review_configs": [{"action_name": "refund", "allowed_decisions": ["approve", "reject", "edit", "respond"]}],
    },
}

_NEEDED_NEXT: Example = {
    **_NEEDED,
    "approval_id": "0193a1b2-7c00-7000-8000-000000000005",
    "level": {"name": "director", "number": 2, "of": 2},
    "part": "method",
    "role": "director",
    "quorum": 2,
    "allowed_verdicts": ["approve", "reject", "choose"],
    "proposal": {**_NEEDED["proposal"], "amount": _AGREED, "customer_message": "We refund 120.00 USD."},
    "signed_by": [_SIGNED],
    "review_hash": _SEAL_OF_THE_NEXT,
    "hitl": None,
}

_OUTCOME: Example = {
    "case_id": _CASE,
    "exception_id": "EXC-1001",
    "order_id": "ORD-1001",
    "kind": "refund",
    "status": "executed",
    "automatic": False,
    "action": "refund",
    "amount": _AGREED,
    "method": "store_credit",
    "payment_reference": "re_1001",
    "decided_by": [_SIGNED, _SIGNED_FOR_ANOTHER],
    "reason": "keeps the mug",
    "customer_message": "We refund 120.00 USD.",
    "opened_at": "2026-01-05T10:00:00Z",
    "finished_at": "2026-01-05T10:30:01Z",
}

_SENT: Mapping[type[Event], dict[str, Example]] = {
    ExceptionRaised: _RAISED,
    ExceptionWithdrawn: {
        "withdrawal": {"exception_id": "EXC-1001", "requested_by": "user:sam", "reason": "solved by phone"}
    },
    PaymentFailed: {
        "closed card": {
            "idempotency_key": f"signoff:{_CASE}:1",
            "payment_reference": "re_1001",
            "reason": "refund failed: expired_or_canceled_card",
            "provider": "stripe",
            "reported_by": "provider:stripe",
        }
    },
    RecoveryRequested: {
        "after a roll-back": {
            "recovery_id": "0193a1b2-7c00-7000-8000-000000000005",
            "exception_id": "EXC-1001",
            "requested_by": "user:ines",
            "reason": "the release that paused it is back",
        }
    },
    ApprovalNeeded: {"refund at a manager": _NEEDED, "its method at two directors": _NEEDED_NEXT},
    ApprovalUpdated: {
        "claimed": {
            "approval_id": _APPROVAL,
            "case_id": _CASE,
            "exception_id": "EXC-1001",
            "order_id": "ORD-1001",
            "change": "claimed",
            "by": "user:maria",
            "at": "2026-01-05T10:10:00Z",
            "level": {"name": "manager", "number": 1, "of": 2},
            "role": "manager",
            "due_at": "2026-01-05T14:00:00Z",
            "assignee": "user:maria",
        }
    },
    ApprovalCommanded: _COMMANDED,
    ReviewDecided: {
        "modify": _DECIDED,
        "by business key": _BY_BUSINESS_KEY,
        "escalation": _ESCALATED,
        "choice": _CHOSEN,
        "answer of LangChain's middleware": _ANSWERED_ELSEWHERE,
    },
    ReviewBatch: {"two decisions": {"decisions": [_DECIDED, _BY_BUSINESS_KEY]}},
    ReviewReceipt: {
        "second answer": {
            "decision_id": "77aa01",
            "approval_id": _APPROVAL,
            "case_id": _CASE,
            "accepted": False,
            "code": "ALREADY_DECIDED",
            "message": "user:maria decided this at 2026-01-05T10:20:00Z",
            "decided_by": "user:maria",
            "decided_at": "2026-01-05T10:20:00Z",
        },
        "claimed": {
            "decision_id": _COMMANDED["claim"]["command_id"],
            "approval_id": _APPROVAL,
            "case_id": _CASE,
            "accepted": True,
            "code": "RECORDED",
            "message": "user:maria holds it until 2026-01-05 11:10:00Z",
        },
    },
    ResolutionOutcome: {"paid as modified": _OUTCOME},
    MessageRejected: {
        "negative amount": {
            "topic": "order-exceptions",
            "partition": 3,
            "offset": 4711,
            "reason": "AMOUNT_INVALID",
            "detail": "amount.amount_minor: Input should be greater than or equal to 0",
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "head": '{"exception_id": "EXC-1009", "kind": "refund", "amount": {"amount_minor": -1',
        }
    },
}


def sent(model: type[Event]) -> dict[str, Example]:
    """Examples by name, as a sender may write them: optional fields are left out."""
    return _SENT[model]


def published(model: type[Event]) -> dict[str, Example]:
    """Examples by name, as we write them: every field is there."""
    return {name: model.model_validate(example).model_dump(mode="json") for name, example in _SENT[model].items()}
