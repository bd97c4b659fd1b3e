"""What each named query is called with, in the measure of a batch under load."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any
from uuid import UUID

BATCH = 200

SOON = timedelta(seconds=30)


def _uuid(kind: str, number: int) -> UUID:
    return UUID(md5(f"{kind}{number}".encode(), usedforsecurity=False).hexdigest())


NUMBERS = range(1, BATCH + 1)
CASES = [_uuid("case", number) for number in NUMBERS]
THREADS = [str(case) for case in CASES]
INBOX = list(NUMBERS)
KEYS = {"keys": CASES}
LIMIT = {"limit": BATCH, "lease": SOON, "worker": "w1"}
LISTING = {"state": None, "customer": None, "limit": 50}
ONE = {"case_id": CASES[0]}
NOW = datetime.now(UTC)
HALF_A_DAY = {"begin": NOW - timedelta(hours=12), "end": NOW}
TRIED = {"number": 1, "endpoint": "managers", "problem": "answered 500"}
OPENED_AT = "2026-01-05T09:00:00Z"


def _rows(*each: Mapping[str, Any]) -> dict[str, str]:
    return {"rows": json.dumps(each, default=str)}


def _per_case(**fields: Any) -> dict[str, str]:
    return _rows(*({"case_id": case, **fields} for case in CASES))


def _per_order(**fields: Any) -> dict[str, str]:
    return _rows(*({"order_id": f"ORD-{number}", **fields} for number in NUMBERS))


def _per_key(**fields: Any) -> dict[str, Any]:
    return _rows(*({"idempotency_key": f"signoff:{case}:1", **fields} for case in CASES))


def _named(prefix: str) -> dict[str, list[str]]:
    return {"keys": [f"{prefix}-{number}" for number in NUMBERS]}


def _each(**fields: Any) -> dict[str, str]:
    """One question for each place of a batch; a field may be made from its number."""
    return _rows(
        *(
            {name: value.format(number) if isinstance(value, str) else value for name, value in fields.items()}
            | {"place": number}
            for number in NUMBERS
        )
    )


OTHERS = _each(
    exception_id="EXC-{}",
    kind="refund",
    order_id="ORD-{}",
    customer_id="CUST-{}",
    amount_minor=15_000,
    currency="USD",
    seconds=30 * 86_400.0,
)


def _columns(*values: Any) -> list[list[Any]]:
    return [[value] * BATCH if not isinstance(value, list) else value for value in values]


_MESSAGES = [
    {"topic": "order-exceptions", "partition": 0, "offset": 10**6 + number, "part": 0, "type": "t", "correlation": "c"}
    for number in NUMBERS
]

SAMPLES: dict[str, dict[str, Any]] = {
    "orders.sql": {
        "orders": _named("ORD"),
        "customers": _named("CUST"),
        "store_orders": _per_order(body={}),
        "store_customers": _rows(*({"customer_id": f"CUST-{number}", "body": {}} for number in NUMBERS)),
    },
    "ledger.sql": {
        "pay": _per_key(order_id="ORD-1", amount_minor=1, currency="USD", method="m", reference="r"),
        "entries": {"keys": [f"signoff:{case}:1" for case in CASES]},
    },
    "audit_trail.sql": {"entries_with_their_cases": {}, "entries_of_one_case": ONE},
    "audit_report.sql": {"decisions_between": HALF_A_DAY, "questions_between": HALF_A_DAY, "time_of_report": {}},
    "audit_labels.sql": {"answered_between": HALF_A_DAY},
    "cases.sql": {
        "cases_by_exception": _named("EXC"),
        "cases_by_id": KEYS,
        "cases_by_approval": {"keys": [_uuid("approval", number) for number in NUMBERS]},
        "latest_approvals": KEYS,
        "receipts": _named("DEC"),
        "balances": _named("ORD"),
        "database_time": {},
    },
    "figures.sql": {
        "watches": _named("order:ORD"),
        "exposure": OTHERS,
        "near_duplicates": OTHERS,
        "signed": _each(reviewer_key="user:{}", seconds=86_400.0),
    },
    "people.sql": {"people": {"keys": [f"user:{number}" for number in NUMBERS]}},
    "reviewer_register.sql": {
        "register": {},
        "database_now": {},
        "put_reviewers": _rows({"key": "user:new", "delegate": None, "body": {}}),
        "remove_reviewers": {"keys": ["user:1"]},
    },
    "case_listing.sql": {
        "unfinished_cases": LISTING,
        "cases_of_order": {**LISTING, "order": "ORD-1"},
        "latest_cases": LISTING,
        "open_approvals": {"assignee": None, "role": None, "limit": 50},
        "open_approvals_of_cases": KEYS,
        "named_case": {"name": "EXC-1", "id": CASES[0]},
        "case_body": ONE,
        "case_approvals": ONE,
        "case_decisions": ONE,
        "case_intents": ONE,
        "case_entries": ONE,
    },
    "checkpoints.sql": {
        "latest_of_many": {"thread_ids": THREADS},
        "store_blobs": _columns(THREADS, "", "case", "2", "msgpack", b"x"),
        "store_checkpoints": _columns(THREADS, "", "c", "p", "{}", "{}"),
        "store_pending": _columns(THREADS, "", "c", "t", "", 0, "case", "msgpack", b"x"),
        "delete_checkpoints": [THREADS],
        "delete_blobs": [THREADS],
        "delete_pending": [THREADS],
    },
    "commit.sql": {
        "lock_inbox": {"keys": INBOX},
        "lock_cases": KEYS,
        "lock_intents": {"keys": ["signoff:nobody:1"]},
        "open_balances": _per_order(currency="USD", captured_minor=1, refunded_minor=0),
        "lock_balances": _named("ORD"),
        "open_watches": _named("order:ORD"),
        "lock_watches": _named("order:ORD"),
        "known_exceptions": _named("EXC"),
        "known_decisions": _named("DEC"),
        "unsent": {"keys": THREADS},
        "insert_cases": _per_case(exception_id="E", kind="refund", state="waiting", version=1, opened_at=OPENED_AT),
        "update_cases": _per_case(state="executed", version=2, body={}),
        "change_approvals": _rows(*({"approval_id": _uuid("approval", number), "body": {}} for number in NUMBERS)),
        "insert_approvals": _per_case(approval_id=UUID(int=0), exception_id="E", case_version=1, body={}),
        "insert_decisions": _per_case(decision_id="d", reviewer="u", verdict="approve", code="X", body={}, receipt={}),
        "insert_intents": {**_per_key(case_id=CASES[0], state="pending", body={}), "lease": SOON},
        "finish_intents": _per_key(state="succeeded", body={}),
        "postpone_intents": _per_key(state="unknown", attempts=1, body={}, seconds=1.0),
        "insert_bookings": _per_key(order_id="ORD-1", amount_minor=1, currency="USD", method="m", reference="r"),
        "update_balances": _per_order(refunded_minor=1),
        "update_watches": _rows(*({"key": f"order:ORD-{number}", "version": 2} for number in NUMBERS)),
        "insert_audit": _per_case(number=9, actor="a", action="x", to_state="y", detail={}, previous_hash="", hash=""),
        "insert_notifications": _per_case(
            message_id=UUID(int=1), endpoint="managers", kind="needed", approval_id=UUID(int=0), body={}
        ),
        "insert_outbox": _rows({"event_id": UUID(int=1), "ordering": "o", "topic": "t", "key": "k", "headers": {}}),
        "refuse_messages": _rows(*({"inbox_id": number, "reason": "r", "detail": "d"} for number in NUMBERS)),
        "finish_inbox": {"keys": INBOX},
        "postpone_inbox": _rows(*({"inbox_id": number, "seconds": 1.0} for number in NUMBERS)),
        "wake_parked": _named("EXC"),
    },
    "dead_letters.sql": {
        "list_dead_letters": {"reason": None, "topic": None, "replayed": False, "limit": 50},
        "dead_letters_by_id": {"keys": INBOX},
        "newest_dead_letter": {},
        "not_yet_replayed": {"after": 10, "up_to": 10**6, "reason": None, "limit": 100},
        "mark_replayed": {"keys": INBOX},
    },
    "health.sql": {
        "tables_there": {"names": ["cases"]},
        "checkpoint_schema": {},
        "stuck_cases": {},
        "unsent_events": {"patience": SOON},
        "overdue_approvals": {"patience": SOON, "longest_lease": SOON},
        "unknown_intents": {},
        "abandoned_intents": {"patience": SOON},
        "abandoned_messages": {"patience": SOON},
        "failing_messages": {},
        "disabled_endpoints": {},
        "failed_notifications": {},
        "waiting_notifications": {"patience": SOON},
    },
    "inbox.sql": {
        "receive": {**_rows(*_MESSAGES), "worker": "w1", "lease": SOON},
        "reject": _rows(*_MESSAGES),
        "take_up": LIMIT,
        "release_inbox": {"worker": "w1"},
        "due_approvals": LIMIT,
        "abandoned_intents": LIMIT,
    },
    "notifications.sql": {
        "take_up_notifications": {"endpoint": "managers", "limit": 8, "lease": SOON},
        "delivered": TRIED,
        "finish_untold": {**TRIED, "state": "overtaken"},
        "postpone": {**TRIED, "seconds": 5.0},
        "give_up": TRIED,
        "disable": {"endpoint": "managers", "because": "410"},
        "enable": {"endpoint": "managers"},
        "retry_failed": {"endpoint": "managers"},
        "list_notifications": {"endpoint": None, "state": None, "limit": 50},
        "list_endpoints": {},
    },
    "outbox.sql": {
        "mark_published": {"keys": INBOX},
        "unsent_rows": {"grace": SOON, "limit": 500},
        "take_relay": {},
    },
}
