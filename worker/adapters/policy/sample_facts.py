"""Facts to try every condition on at start: each kind, sparse and full, known and unknown."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from uuid import UUID

from schemas.values import (
    Action,
    Alternative,
    Customer,
    CustomerTier,
    ExceptionKind,
    LineItem,
    Money,
    Order,
    OrderStatus,
)
from worker.domain.exposure import Exposure, RelatedCase
from worker.domain.order_exception import Facts, Feedback, OrderException
from worker.domain.resolution import propose

_A_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def samples(currency: str) -> Mapping[str, Facts]:
    """By a description that completes "fails for …". `currency` is the policy's base currency."""
    return dict(_described(currency))


def _described(currency: str) -> Iterator[tuple[str, Facts]]:
    for kind in ExceptionKind:
        noun = f"a {kind.replace('_', ' ')}" if kind[0] not in "ae" else f"an {kind.replace('_', ' ')}"
        for status in OrderStatus:
            yield f"{noun} with every field, order {status}", _full(kind, status, currency)
        order = Order(captured=Money(amount_minor=0, currency=currency))
        yield f"{noun} with few fields", _sparse(kind, order)
        yield f"{noun} with few fields and an unknown order", _sparse(kind, None)


def _sparse(kind: ExceptionKind, order: Order | None) -> Facts:
    return Facts(
        exception=OrderException(exception_id="E", kind=kind, requested_by="sample"),
        order=order,
        customer=None,
    )


def _full(kind: ExceptionKind, status: OrderStatus, currency: str) -> Facts:
    large = Money(amount_minor=10**12, currency=currency)
    asked = Facts(
        exception=_exception(kind, large),
        order=Order(captured=large, refunded=large, status=status, payment_method="card"),
        customer=Customer(tier=CustomerTier.VIP, name="sample"),
        available=large,
        exposure=_exposure(large),
        round=2,
    )
    feedback = Feedback(
        round=1, level="sample", reviewer="sample", at=_A_MOMENT, comment="sample", proposal=propose(asked)
    )
    return asked.model_copy(update={"feedback": (feedback,), "difference": "sample"})


def _exception(kind: ExceptionKind, large: Money) -> OrderException:
    return OrderException(
        exception_id="E",
        kind=kind,
        order_id="O",
        customer_id="C",
        requested_by="sample",
        reason="sample",
        reason_code="sample",
        amount=large,
        items=(LineItem(sku="A", quantity=2), LineItem(sku="B", quantity=3)),
        confidence=0.01,
        customer_requests_human=True,
        failed_attempts=1000,
        irreversible=True,
        compliance_flags=("sample", "other"),
        alternatives=(Alternative(action="sample"),) * 100,
        changes={"email": "sample"},
        actions=(Action(name="sample"), Action(name="other", args={"sample": 1})),
    )


def _exposure(large: Money) -> Exposure:
    again = RelatedCase(case_id=UUID(int=1), exception_id="F", state="waiting", amount=large, opened_at=_A_MOMENT)
    return Exposure(customer=(large,), customer_cases=10, order=(large,), order_cases=5, near_duplicates=(again,))
