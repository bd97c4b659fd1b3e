"""What happens in the demo shop: each scenario shows one thing that the default policy looks at."""

from dataclasses import dataclass
from typing import Any

from schemas.values import (
    Action,
    Customer,
    CustomerTier,
    ExceptionKind,
    LineItem,
    Money,
    Order,
    OrderStatus,
    PayoutMethod,
    Verdict,
)

CUSTOMERS = {
    "CUST-ADA": Customer(
        name="Ada", tier=CustomerTier.STANDARD, account={"delivery_address": "7 Mill Lane, Bath", "newsletter": True}
    ),
    "CUST-GRACE": Customer(name="Grace", tier=CustomerTier.VIP),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the demo's own reviewer says to it."""

    verdict: Verdict
    comment: str
    changes: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """`asks` is what the event says beside its ids. Without `answer` the case waits for whoever watches.

    `in_event` puts the order and the customer into the event; otherwise the worker asks the orders port.
    """

    title: str
    kind: ExceptionKind
    order: Order
    asks: dict[str, Any]
    customer: str = "CUST-ADA"
    in_event: bool = False
    answer: Answer | None = None


def _usd(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="USD")


def _order(*items: LineItem, status: OrderStatus = OrderStatus.DELIVERED) -> Order:
    captured = sum(item.quantity * item.unit_price.amount_minor for item in items if item.unit_price)
    return Order(captured=_usd(captured), status=status, payment_method="card", items=items)


MUG = LineItem(sku="MUG-1", name="Mug", unit_price=_usd(25_00))
LAMP = LineItem(sku="LAMP-2", name="Lamp", unit_price=_usd(60_00))
HEADPHONES = LineItem(sku="PHONES-3", name="Headphones", unit_price=_usd(150_00))
DESK = LineItem(sku="DESK-4", name="Desk", unit_price=_usd(480_00))

SCENARIOS = (
    Scenario(
        title="small refund",
        kind=ExceptionKind.REFUND,
        order=_order(MUG),
        asks={"amount": _usd(25_00), "reason": "arrived broken", "reason_code": "damaged", "confidence": 0.97},
    ),
    Scenario(
        title="early cancellation",
        kind=ExceptionKind.CANCELLATION,
        order=_order(LAMP, status=OrderStatus.PAID),
        asks={"reason": "ordered by mistake", "confidence": 0.95},
        in_event=True,
    ),
    Scenario(
        title="several items",
        kind=ExceptionKind.REFUND,
        order=_order(MUG.model_copy(update={"quantity": 3})),
        asks={
            "amount": _usd(50_00),
            "items": (LineItem(sku="MUG-1", quantity=2),),
            "reason": "two of three are the wrong colour",
            "confidence": 0.9,
        },
        answer=Answer(Verdict.APPROVE, "the picture shows it"),
    ),
    Scenario(
        title="price adjustment",
        kind=ExceptionKind.PRICE_ADJUSTMENT,
        order=_order(DESK),
        asks={"amount": _usd(120_00), "reason": "cheaper elsewhere a day later", "confidence": 0.88},
        in_event=True,
        answer=Answer(
            Verdict.MODIFY,
            "half of it, as store credit",
            {"amount": _usd(60_00).model_dump(), "method": PayoutMethod.STORE_CREDIT.value},
        ),
    ),
    Scenario(
        title="low confidence",
        kind=ExceptionKind.REFUND,
        order=_order(LAMP),
        asks={"amount": _usd(60_00), "reason": "it hums, or perhaps the neighbour does", "confidence": 0.41},
        answer=Answer(Verdict.REJECT, "ask for a recording first"),
    ),
    Scenario(
        title="large refund",
        kind=ExceptionKind.REFUND,
        order=_order(HEADPHONES),
        asks={"amount": _usd(150_00), "reason": "the left side is silent", "confidence": 0.93},
    ),
    Scenario(
        title="VIP customer",
        kind=ExceptionKind.REFUND,
        order=_order(LAMP),
        asks={"amount": _usd(60_00), "reason": "too bright", "confidence": 0.91},
        customer="CUST-GRACE",
    ),
    Scenario(
        title="account change",
        kind=ExceptionKind.ACCOUNT_CHANGE,
        order=_order(MUG, status=OrderStatus.SHIPPED),
        asks={
            "changes": {"delivery_address": "1 Harbour Street, Bristol"},
            "reason": "moved house",
            "confidence": 0.96,
        },
        in_event=True,
    ),
    Scenario(
        title="tool calls",
        kind=ExceptionKind.ACTION_REQUEST,
        order=_order(LAMP),
        asks={
            "actions": (
                Action(name="send_email", args={"to": "ada@example.org", "subject": "Your lamp"}),
                Action(name="erase_note", args={"note": 7}),
                Action(name="add_note", args={"text": "told her that a new lamp is on its way"}),
            ),
            "reason": "she asked twice where her lamp is",
            "confidence": 0.9,
        },
        answer=Answer(Verdict.MODIFY, "keep the note", {"approved_actions": [0, 2]}),
    ),
)
