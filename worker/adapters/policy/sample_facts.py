"""Facts to try every condition on at start: each kind, sparse and full, known and unknown."""

from collections.abc import Callable, Iterator, Mapping

from schemas.values import (
    Alternative,
    Customer,
    CustomerTier,
    ExceptionKind,
    LineItem,
    Money,
    Order,
    OrderStatus,
)
from worker.adapters.policy.vocabulary import Evidence
from worker.domain.order_exception import Facts, OrderException


def samples(read: Callable[[Facts], Evidence], currency: str) -> Mapping[str, Evidence]:
    """By a description that completes "fails for …". `currency` is the policy's base currency."""
    return {described: read(facts) for described, facts in _described(currency)}


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
    return Facts(
        exception=OrderException(
            exception_id="E",
            kind=kind,
            order_id="O",
            customer_id="C",
            requested_by="sample",
            reason_code="sample",
            amount=large,
            items=(LineItem(sku="A", quantity=2), LineItem(sku="B", quantity=3)),
            confidence=0.01,
            customer_requests_human=True,
            failed_attempts=1000,
            irreversible=True,
            compliance_flags=("sample", "other"),
            alternatives=(Alternative(action="sample"),) * 100,
        ),
        order=Order(captured=large, refunded=large, status=status, payment_method="card"),
        customer=Customer(tier=CustomerTier.VIP),
    )
