"""What a model is asked to fill in. Its schema goes to the provider, so its descriptions are part of the prompt.

Every word comes from a closed list, except two texts that a reviewer reads: nothing else that a model writes can reach
a rule, a log or an event.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from schemas.values import ExceptionKind, PayoutMethod
from worker.adapters.analysis.concerns import Concern
from worker.adapters.analysis.reason_codes import ReasonCode


class AlternativeAction(StrEnum):
    """Refund, price adjustment and cancellation pay the amount of the case back; the others pay nothing."""

    REFUND = "refund"
    PRICE_ADJUSTMENT = "price_adjustment"
    CANCELLATION = "cancellation"
    REPLACEMENT = "replacement"
    REPAIR = "repair"
    RESHIPMENT = "reshipment"
    RETURN = "return"


class SuggestedAlternative(BaseModel):
    """Another way to resolve the exception."""

    model_config = ConfigDict(frozen=True)

    action: AlternativeAction
    method: PayoutMethod | None = Field(description="How money goes back, where it does; else null.")
    description: str = Field(description="One short sentence for the reviewer, without figures and links.")


class Answer(BaseModel):
    """Your reading of one order exception."""

    model_config = ConfigDict(frozen=True)

    intent: ExceptionKind = Field(description="What the customer or agent really wants.")
    reason_code: ReasonCode = Field(description="What the reason is about.")
    confidence: float = Field(
        ge=0, le=1, allow_inf_nan=False, description="How sure you are of intent and reason code, from 0 to 1."
    )
    wants_human: bool = Field(description="The customer asks for a person, in any words.")
    concerns: list[Concern] = Field(description="Every one that applies; empty when none does.")
    alternatives: list[SuggestedAlternative] = Field(description="Up to two other ways to resolve it, or none.")
    customer_message: str | None = Field(
        description="A polite draft of two or three sentences to the customer, for the case that the request is "
        "granted, in the language that `language` names, else in that of the reason. No name, no link, no "
        "e-mail address, and no figure besides the amount and the order id. Null when nothing is to be said."
    )
