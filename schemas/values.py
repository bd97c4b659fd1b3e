"""Value types of the event contract: money, identifiers and the closed sets of words.

Amounts are integers in the currency's minor unit (15000 is 150.00 USD), so that no rounding exists
anywhere.
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Identifier = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
"""An id that somebody else made: opaque, never parsed."""

ShortText = Annotated[str, StringConstraints(max_length=500)]
Text = Annotated[str, StringConstraints(max_length=4000)]
"""What a person wrote to be read by another; never parsed, never obeyed."""

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""ISO 4217 alphabetic code."""

Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=35)]
"""A BCP 47 language tag, such as de or pt-BR."""

MAX_AMOUNT_MINOR = 10**15
"""No order is larger; anything above is a mistake in the sender's arithmetic, not a refund."""

_EXPONENTS = {"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3} | dict.fromkeys(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(),  # noqa: SIM905
    0,
)
"""ISO 4217 exponents that are not 2."""


def minor_unit_digits(currency: str) -> int:
    """How many digits of an amount stand after the point: 2 for USD, 0 for JPY, 3 for KWD."""
    return _EXPONENTS.get(currency, 2)


class Value(BaseModel):
    """A frozen value. Unknown fields are ignored: a sender may be newer than we are."""

    model_config = ConfigDict(frozen=True, extra="ignore", json_schema_serialization_defaults_required=True)


class Money(Value):
    """An amount in minor units and its ISO 4217 currency."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount_minor: Annotated[int, Field(strict=True, ge=0, le=MAX_AMOUNT_MINOR)]
    currency: Currency

    def __str__(self) -> str:
        exponent = minor_unit_digits(self.currency)
        if exponent == 0:
            return f"{self.amount_minor} {self.currency}"
        major, minor = divmod(self.amount_minor, 10**exponent)
        return f"{major}.{minor:0{exponent}d} {self.currency}"


class ExceptionKind(StrEnum):
    REFUND = "refund"
    CANCELLATION = "cancellation"
    PRICE_ADJUSTMENT = "price_adjustment"
    ACCOUNT_CHANGE = "account_change"
    ACTION_REQUEST = "action_request"


class OrderStatus(StrEnum):
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class CustomerTier(StrEnum):
    STANDARD = "standard"
    VIP = "vip"


class PayoutMethod(StrEnum):
    """How money goes back to the customer."""

    ORIGINAL = "original_method"
    STORE_CREDIT = "store_credit"
    BANK_TRANSFER = "bank_transfer"


class Verdict(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    MODIFY = "modify"
    CHOOSE = "choose"
    ESCALATE = "escalate"
    REQUEST_CHANGES = "request_changes"


class Command(StrEnum):
    """What may be done with an approval request besides answering it."""

    CLAIM = "claim"
    RELEASE = "release"
    REASSIGN = "reassign"
    DELEGATE = "delegate"


class ApprovalPart(StrEnum):
    """What one question of a two-step level is about: first what is done, then how the money goes back."""

    DETAILS = "details"
    METHOD = "method"


class Risk(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class OnTimeout(StrEnum):
    """What happens when nobody decided in time. There is no automatic approval."""

    REJECT = "reject"
    ESCALATE = "escalate"


class ApprovalChange(StrEnum):
    CLAIMED = "claimed"
    REASSIGNED = "reassigned"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    CLOSED = "closed"


class ReceiptCode(StrEnum):
    """Our answer to a decision; ACCEPTED and RECORDED are the two that took effect."""

    ACCEPTED = "ACCEPTED"
    RECORDED = "RECORDED"
    DUPLICATE = "DUPLICATE"
    ALREADY_DECIDED = "ALREADY_DECIDED"
    EXPIRED = "EXPIRED"
    STALE = "STALE"
    UNKNOWN_APPROVAL = "UNKNOWN_APPROVAL"
    NOT_AUTHORISED = "NOT_AUTHORISED"
    SELF_APPROVAL = "SELF_APPROVAL"
    SAME_REVIEWER = "SAME_REVIEWER"
    VERDICT_NOT_ALLOWED = "VERDICT_NOT_ALLOWED"
    INVALID_CHANGES = "INVALID_CHANGES"
    INVALID = "INVALID"
    UNVERIFIED = "UNVERIFIED"


class OutcomeStatus(StrEnum):
    EXECUTED = "executed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class RejectionReason(StrEnum):
    """Why a record was refused; the `reason` of message.rejected."""

    EMPTY = "EMPTY"
    TOO_LARGE = "TOO_LARGE"
    TOO_DEEP = "TOO_DEEP"
    INVALID_UTF8 = "INVALID_UTF8"
    INVALID_JSON = "INVALID_JSON"
    INVALID_CLOUDEVENT = "INVALID_CLOUDEVENT"
    SCHEMA_UNSUPPORTED = "SCHEMA_UNSUPPORTED"
    SCHEMA_INVALID = "SCHEMA_INVALID"
    AMOUNT_INVALID = "AMOUNT_INVALID"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    OVER_CAPTURED = "OVER_CAPTURED"
    CONFLICTING_DUPLICATE = "CONFLICTING_DUPLICATE"
    PAYMENT_UNCONFIRMED = "PAYMENT_UNCONFIRMED"
    PROCESSING_FAILED = "PROCESSING_FAILED"


class LineItem(Value):
    sku: Identifier
    quantity: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 1
    name: ShortText | None = None
    unit_price: Money | None = None


class Order(Value):
    """What is known of an order: `captured` was paid, `refunded` of it went back already. `payment_reference` is the
    payment provider's own id of the payment."""

    captured: Money
    refunded: Money | None = None
    status: OrderStatus = OrderStatus.PAID
    payment_method: ShortText | None = None
    payment_reference: Identifier | None = None
    items: tuple[LineItem, ...] = ()


class Customer(Value):
    """`language` is the one to write to the customer in. `account` is what the account says now, as far as an account
    change is about it."""

    tier: CustomerTier = CustomerTier.STANDARD
    name: ShortText | None = None
    language: Language | None = None
    account: dict[str, Any] | None = None


class Alternative(Value):
    """Another way to resolve the exception, offered to the reviewer."""

    action: Identifier
    method: PayoutMethod | None = None
    amount: Money | None = None
    description: Text | None = None


class Action(Value):
    """An agent's tool call that wants a signature. `id` is the agent's own id of the call, and comes back with its
    result; a call without one is known by its place in the request, counted from 0."""

    name: Identifier
    args: dict[str, Any] = {}
    id: Identifier | None = None


class EditedAction(Value):
    """Other arguments for the action of that index, counted from 0 as the actions were shown. They stand for all of
    its arguments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: Annotated[int, Field(strict=True, ge=0)]
    args: dict[str, Any]


class ActionStatus(StrEnum):
    """What became of one action. APPROVED: whoever asked may run it, for no executor here does. UNKNOWN: it may have
    run, and nobody could find out."""

    EXECUTED = "executed"
    APPROVED = "approved"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


class ActionResult(Value):
    """`reference` is the id that whoever ran it gave it; `result` what it answered; `problem` why it did not run."""

    id: Identifier
    name: Identifier
    status: ActionStatus
    reference: str | None = None
    result: Any = None
    problem: str | None = None


class Proposal(Value):
    """What will be done when the case is approved as it stands. `passing` are actions of the same request that want no
    signature: they run together with the `actions` that do."""

    action: Identifier
    amount: Money | None = None
    method: PayoutMethod | None = None
    changes: dict[str, Any] | None = None
    actions: tuple[Action, ...] | None = None
    passing: tuple[Action, ...] | None = None
    customer_message: str | None = None


class Changes(Value):
    """What a reviewer altered in a proposal. A misspelt field must not pass for "no change":
    unknown ones are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Money | None = None
    method: PayoutMethod | None = None
    customer_message: Text | None = None
    approved_actions: tuple[Annotated[int, Field(strict=True, ge=0)], ...] | None = None
    edited_actions: tuple[EditedAction, ...] | None = None


class FiredRule(Value):
    """A policy rule that asked for a person, and why in words."""

    rule: str
    says: str


class PolicyReference(Value):
    """The policy a case was judged by; `version` is the digest of its content."""

    name: str
    version: str


class LevelReference(Value):
    """One level of a chain of approvals: its name, and that it is number `number` of `of`."""

    name: str
    number: Annotated[int, Field(ge=1)] = 1
    of: Annotated[int, Field(ge=1)] = 1


class Reviewer(Value):
    id: Identifier
    roles: tuple[str, ...] = ()


class Signature(Value):
    """Who decided what at which level; the `decided_by` of an outcome.

    `on_behalf_of` names those whose authority the reviewer used, from the one who handed it to them to the one who
    holds the role; it is empty when the role is the reviewer's own.
    """

    level: str
    reviewer: Identifier
    verdict: Verdict
    at: AwareDatetime
    on_behalf_of: tuple[Identifier, ...] = ()
