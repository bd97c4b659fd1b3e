"""The baseline's graph: assess → human_review (interrupt) → execute, with as many rules as our default policy has."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

Payments = Callable[[dict[str, Any], dict[str, Any]], Awaitable[str]]
"""Pays an exception's amount and returns the reference."""


class State(TypedDict, total=False):
    """What a thread remembers: a channel for each step, as in the documentation's examples."""

    exception: dict[str, Any]
    assessment: dict[str, Any]
    decision: dict[str, Any]
    outcome: dict[str, Any]


class Step(Protocol):
    async def __call__(self, state: State) -> State: ...


def _amount(exception: dict[str, Any]) -> int:
    return int(exception.get("amount", {}).get("amount_minor", 0))


RULES: tuple[tuple[str, Callable[[dict[str, Any]], bool], str], ...] = (
    ("refund-over-100", lambda e: e["kind"] == "refund" and _amount(e) > 10_000, "the refund is over 100.00 USD"),
    (
        "price-adjustment-over-100",
        lambda e: e["kind"] == "price_adjustment" and _amount(e) > 10_000,
        "the price adjustment is over 100.00 USD",
    ),
    ("vip-customer", lambda e: e["customer"]["tier"] == "vip", "the customer is a VIP"),
    ("several-items", lambda e: sum(i["quantity"] for i in e.get("items", ())) > 1, "several items are asked for"),
    ("account-change", lambda e: e["kind"] == "account_change", "account changes always need a person"),
    (
        "order-already-shipped",
        lambda e: e["kind"] == "cancellation" and e["order"]["status"] != "paid",
        "the order to cancel is already shipped",
    ),
    ("low-confidence", lambda e: e.get("confidence", 1.0) < 0.7, "confidence is under 0.7"),
    ("customer-requests-human", lambda e: e.get("customer_requests_human", False), "the customer asks for a person"),
    ("many-alternatives", lambda e: len(e.get("alternatives", ())) > 2, "there are more than 2 alternatives"),
    ("many-failed-attempts", lambda e: e.get("failed_attempts", 0) > 3, "more than 3 attempts failed"),
    ("irreversible", lambda e: e.get("irreversible", False), "this cannot be undone"),
    ("compliance-flagged", lambda e: bool(e.get("compliance_flags")), "flagged for compliance"),
)


async def assess(state: State) -> State:
    exception = state["exception"]
    why = [{"rule": name, "says": says} for name, fires, says in RULES if fires(exception)]
    proposal = {"action": exception["kind"], "amount": exception["amount"], "method": "original_method"}
    return {"assessment": {"proposal": proposal, "why": why}}


async def human_review(state: State) -> State:
    return {"decision": interrupt(state["assessment"])}


def execute_with(pay: Payments) -> Step:
    async def execute(state: State) -> State:
        proposal, decision = state["assessment"]["proposal"], state["decision"]
        if decision["verdict"] != "approve":
            return {"outcome": {"status": "rejected"}}
        reference = await pay(state["exception"], proposal["amount"])
        return {
            "outcome": {
                "status": "executed",
                **proposal,
                "payment_reference": reference,
                "decided_by": decision["reviewer"]["id"],
                "reason": decision["comment"],
            }
        }

    return execute


def build(pay: Payments) -> StateGraph[State]:
    graph = StateGraph(State)
    graph.add_node("assess", assess)
    graph.add_node("human_review", human_review)
    graph.add_node("execute", execute_with(pay))
    graph.add_edge(START, "assess")
    graph.add_edge("assess", "human_review")
    graph.add_edge("human_review", "execute")
    graph.add_edge("execute", END)
    return graph
