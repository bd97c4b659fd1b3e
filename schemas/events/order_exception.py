"""What a producer says of an order: something asks for action, or no longer does."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from schemas.events.conditions import JsonSchema, given, when
from schemas.events.event import Event
from schemas.values import (
    Action,
    Alternative,
    Customer,
    ExceptionKind,
    Identifier,
    LineItem,
    Money,
    Order,
    Text,
)

Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]

_PAYS = (ExceptionKind.REFUND, ExceptionKind.PRICE_ADJUSTMENT)
_ABOUT_AN_ORDER = tuple(kind for kind in ExceptionKind if kind is not ExceptionKind.ACTION_REQUEST)

_PUBLISHED_RULES: JsonSchema = {
    "allOf": [
        when("kind", _ABOUT_AN_ORDER, given("order_id", "customer_id")),
        when("kind", _PAYS, given("amount")),
        when(
            "kind",
            _PAYS,
            {"properties": {"amount": {"properties": {"amount_minor": {"exclusiveMinimum": 0}}}}},
        ),
        when("kind", [ExceptionKind.ACCOUNT_CHANGE], given("changes")),
        when("kind", [ExceptionKind.ACCOUNT_CHANGE], {"properties": {"changes": {"minProperties": 1}}}),
        when(
            "kind",
            [ExceptionKind.ACTION_REQUEST],
            {"oneOf": [given("action"), {"required": ["actions"], "properties": {"actions": {"minItems": 1}}}]},
        ),
        when(
            "kind",
            _ABOUT_AN_ORDER,
            {"properties": {"action": {"type": "null"}, "actions": {"maxItems": 0}}},
        ),
    ]
}


class ExceptionRaised(Event):
    """Something about an order asks for action.

    `exception_id` is the business key: the same id with the same content is one exception however
    often it arrives. `order` and `customer` are snapshots; without them the shop is asked. An
    `action_request` is an agent's tool call that wants a signature; it may concern no order and no
    customer.
    """

    TYPE: ClassVar[str] = "signoff.exception.raised.v1"

    model_config = ConfigDict(json_schema_extra=_PUBLISHED_RULES)

    exception_id: Identifier
    kind: ExceptionKind
    order_id: Identifier | None = None
    customer_id: Identifier | None = None
    requested_by: Identifier
    reason: Text = ""
    reason_code: Word | None = None
    amount: Money | None = None
    items: Annotated[tuple[LineItem, ...], Field(max_length=500)] = ()
    confidence: Annotated[float, Field(strict=True, ge=0, le=1)] | None = None
    customer_requests_human: Annotated[bool, Field(strict=True)] = False
    failed_attempts: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] = 0
    irreversible: Annotated[bool, Field(strict=True)] = False
    compliance_flags: Annotated[tuple[Word, ...], Field(max_length=50)] = ()
    alternatives: Annotated[tuple[Alternative, ...], Field(max_length=50)] = ()
    changes: dict[str, Any] | None = None
    action: Action | None = None
    actions: Annotated[tuple[Action, ...], Field(max_length=100)] = ()
    order: Order | None = None
    customer: Customer | None = None

    @property
    def requested_actions(self) -> tuple[Action, ...]:
        """What was sent as `action` or as `actions`, in one form: each with an id."""
        sent = self.actions if self.action is None else (self.action,)
        return tuple(
            action if action.id is not None else action.model_copy(update={"id": str(index)})
            for index, action in enumerate(sent)
        )

    @property
    def record_key(self) -> str:
        """The Kafka key: what keeps the events of one order in order."""
        return self.order_id or self.exception_id

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        if self.kind is ExceptionKind.ACTION_REQUEST:
            if (self.action is None) == (not self.actions):
                raise PydanticCustomError("action_missing", "an action_request needs either `action` or `actions`")
            ids = [action.id for action in self.requested_actions]
            if len(set(ids)) < len(ids):
                told = "`actions`: two have the same `id`; one without an id has its index, counted from 0"
                raise PydanticCustomError("action_id_repeated", told)
            return self
        if self.requested_actions:
            told = "`actions` belong to an action_request; a {kind} has none"
            raise PydanticCustomError("actions_forbidden", told, {"kind": self.kind.value})
        for name in ("order_id", "customer_id"):
            if getattr(self, name) is None:
                raise _missing(name, self.kind)
        if self.kind in _PAYS and self.amount is None:
            raise _missing("amount", self.kind)
        if self.kind is ExceptionKind.ACCOUNT_CHANGE and not self.changes:
            raise _missing("changes", self.kind)
        return self

    @model_validator(mode="after")
    def _asks_for_money_that_was_paid(self) -> Self:
        """Checked against the snapshot only; what other cases refunded, only the ledger knows."""
        if self.kind in _PAYS and self.amount is not None and self.amount.amount_minor == 0:
            raise PydanticCustomError("amount_invalid", "`amount` must be more than zero")
        captured = self.order.captured if self.order else None
        for name, money in self._sums():
            expected = captured or self.amount
            if expected is not None and money.currency != expected.currency:
                raise PydanticCustomError(
                    "currency_mismatch",
                    "`{field}` must be in the currency of the order",
                    {"field": name},
                )
            if captured is not None and money.amount_minor > captured.amount_minor:
                raise PydanticCustomError(
                    "over_captured",
                    "`{field}` must not be more than `order.captured`",
                    {"field": name},
                )
        return self

    def _sums(self) -> Iterator[tuple[str, Money]]:
        if self.amount is not None:
            yield "amount", self.amount
        if self.order is not None and self.order.refunded is not None:
            yield "order.refunded", self.order.refunded
        for index, alternative in enumerate(self.alternatives):
            if alternative.amount is not None:
                yield f"alternatives.{index}.amount", alternative.amount


class ExceptionWithdrawn(Event):
    """Ends a case that still waits; one that executes or has ended stays as it is."""

    TYPE: ClassVar[str] = "signoff.exception.withdrawn.v1"

    exception_id: Identifier
    requested_by: Identifier
    reason: Text = ""


def _missing(field: str, kind: ExceptionKind) -> PydanticCustomError:
    return PydanticCustomError("field_missing", "a {kind} needs `{field}`", {"kind": kind.value, "field": field})
