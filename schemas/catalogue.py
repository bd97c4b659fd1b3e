"""Which event goes where: the six topics, their directions and the types each may carry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from schemas.cloudevents import Refused
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
    ReviewDecided,
    ReviewReceipt,
)
from schemas.values import RejectionReason


class Direction(StrEnum):
    """As the worker sees it."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True, eq=False)
class Topic:
    """`name` is the default one, without the configured prefix.

    `plain` is the type of a record without CloudEvents attributes; only topics that people write to have one.
    `plain_with` names fields by which such a record says that it is of another type.
    """

    name: str
    direction: Direction
    events: Mapping[str, type[Event]]
    about: str
    plain: str | None = None
    plain_with: Mapping[str, str] = field(default_factory=dict)

    def model(self, type_: str | None, data: object = None) -> type[Event]:
        """The model of a record by its CloudEvents type; by its data where it is plain, and the type None.

        Raises `Refused` with SCHEMA_UNSUPPORTED for a type that this topic does not carry.
        """
        model = self.events.get(type_ or self._plain_type(data))
        if model is None:
            carried = ", ".join(self.events)
            raise Refused(RejectionReason.SCHEMA_UNSUPPORTED, f"the type is not one of this topic: {carried}")
        return model

    def _plain_type(self, data: object) -> str:
        fields = data if isinstance(data, dict) else {}
        return next((type_ for name, type_ in self.plain_with.items() if name in fields), self.plain or "")


def _types(*models: type[Event]) -> Mapping[str, type[Event]]:
    return MappingProxyType({model.TYPE: model for model in models})


ORDER_EXCEPTIONS = Topic(
    "order-exceptions",
    Direction.IN,
    _types(ExceptionRaised, ExceptionWithdrawn, PaymentFailed, RecoveryRequested),
    "Something about an order asks for action, or no longer does; a payment failed after it was made; or a stuck case"
    " is to go on.",
    # A hand-typed withdrawal looks like an exception that lacks its fields: only the attribute can tell.
    plain=ExceptionRaised.TYPE,
)
APPROVALS = Topic(
    "approvals",
    Direction.OUT,
    _types(ApprovalNeeded, ApprovalUpdated),
    "What waits for a person, and what became of it.",
)
REVIEW_DECISIONS = Topic(
    "review-decisions",
    Direction.IN,
    _types(ReviewDecided, ApprovalCommanded),
    "What a reviewer decided, one decision or a batch of them; and who takes or hands over an approval request.",
    plain=ReviewDecided.TYPE,
    plain_with={"command": ApprovalCommanded.TYPE},
)
DECISION_RECEIPTS = Topic(
    "decision-receipts",
    Direction.OUT,
    _types(ReviewReceipt),
    "One answer to each decision and each command, always; and to each recovery of a case.",
)
ORDER_OUTCOMES = Topic(
    "order-outcomes",
    Direction.OUT,
    _types(ResolutionOutcome),
    "How a case ended: exactly one for each.",
)
DEAD_LETTERS = Topic(
    "dead-letters",
    Direction.OUT,
    _types(MessageRejected),
    "Records that were refused, and why.",
)

TOPICS = (ORDER_EXCEPTIONS, APPROVALS, REVIEW_DECISIONS, DECISION_RECEIPTS, ORDER_OUTCOMES, DEAD_LETTERS)
EVENTS: Mapping[str, type[Event]] = MappingProxyType(
    {type_: model for topic in TOPICS for type_, model in topic.events.items()}
)


def topic_name(prefix: str, topic: Topic) -> str:
    """The name on the broker: the prefix goes in front as it is, with whatever separator it ends in."""
    return f"{prefix}{topic.name}"
