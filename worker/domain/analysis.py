"""What an analyst makes of an exception. It may ask for more care, and never for less."""

from typing import Annotated

from pydantic import Field

from schemas.values import Alternative, ExceptionKind, Value


class Opinion(Value):
    """Advice, not a decision.

    `by` names the analyst: `rules`, or `model:` and the model's name. `intent` is what the requester seems to want,
    `confidence` how sure the analyst is of it (0 to 1). `concerns` are short words such as `legal-threat`.
    `customer_message` is a draft for a reviewer, in the customer's language. `problem` says why an analyst that was
    asked first had nothing to say.
    """

    by: str
    intent: ExceptionKind | None = None
    reason_code: str | None = None
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    wants_human: bool = False
    concerns: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    customer_message: str | None = None
    problem: str | None = None
