"""Builds what a thread needs: facts, an assessment, and answers."""

from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from worker.graph.state import Dependencies

PROPOSAL = {
    "action": "refund",
    "amount": {"amount_minor": 15000, "currency": "USD"},
    "method": "original_method",
    "customer_message": "We are sorry.",
}
APPROVE = {"verdict": "approve", "changes": None}
REJECT = {"verdict": "reject", "changes": None}


def facts(order: str = "ORD-1001", *, asks: bool = True) -> dict[str, Any]:
    return {"exception": {"kind": "refund", "order_id": order}, "asks": asks}


def question(order: str = "ORD-1001") -> dict[str, Any]:
    return {"order_id": order, "proposal": PROPOSAL, "why": [{"rule": "r", "says": "over 100"}]}


async def assess(given: dict[str, Any]) -> dict[str, Any]:
    """Asks about the order it was given, so that a question shows whose thread it belongs to."""
    return {
        "proposal": PROPOSAL,
        "why": [],
        "risk": "medium",
        "level": None,
        "question": question(given["exception"]["order_id"]) if given["asks"] else None,
    }


DEPENDENCIES = Dependencies(assess=assess)


async def connect(database: str) -> AsyncConnection[DictRow]:
    """A connection as LangGraph's saver wants it."""
    return await AsyncConnection.connect(database, autocommit=True, prepare_threshold=0, row_factory=dict_row)
