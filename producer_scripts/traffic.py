"""Made-up exceptions, the same for the same seed, each with what is known of its order and customer."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.values import ExceptionKind

LIMIT_MINOR = 100_00
"""Where the default policy begins to ask a person, in USD cents."""

_REASONS = ("arrived broken", "never arrived", "wrong size", "cheaper elsewhere", "ordered by mistake")


@dataclass(frozen=True, slots=True)
class Traffic:
    """`mix` weighs the kinds; `over_limit`, from 0 to 1, is the share that needs a person (account changes and action
    requests all do)."""

    run: str
    count: int
    mix: Mapping[ExceptionKind, int]
    over_limit: float
    seed: int

    def exceptions(self) -> Iterator[dict[str, Any]]:
        """Ids begin with the run's, so that two runs never meet. Orders and customers are each exception's own: what
        several cases of one customer add up to may need more people than their amounts say."""
        chance = random.Random(self.seed)  # noqa: S311 - made-up traffic, no secrets
        kinds, weights = list(self.mix), list(self.mix.values())
        for number in range(1, self.count + 1):
            kind = chance.choices(kinds, weights)[0]
            yield _exception(chance, f"{self.run}-{number}", kind, needs_person=chance.random() < self.over_limit)


def parse_mix(text: str) -> dict[ExceptionKind, int]:
    """`refund=70,cancellation=30`. Raises ValueError with a sentence."""
    mix: dict[ExceptionKind, int] = {}
    for part in text.split(","):
        name, _, weight = (piece.strip() for piece in part.partition("="))
        if name not in list(ExceptionKind) or not (weight.isascii() and weight.isdecimal()):
            raise ValueError(f"{part!r} is no part of a mix; write KIND=WEIGHT with one of {', '.join(ExceptionKind)}")
        mix[ExceptionKind(name)] = int(weight)
    if not any(mix.values()):
        raise ValueError("all weights are zero")
    return mix


def _exception(chance: random.Random, name: str, kind: ExceptionKind, *, needs_person: bool) -> dict[str, Any]:
    amount = chance.randint(LIMIT_MINOR + 1, 5 * LIMIT_MINOR) if needs_person else chance.randint(1_00, LIMIT_MINOR)
    captured = amount + chance.randint(0, LIMIT_MINOR)
    shipped = needs_person or kind is not ExceptionKind.CANCELLATION
    exception: dict[str, Any] = {
        "exception_id": f"EXC-{name}",
        "kind": kind.value,
        "order_id": f"ORD-{name}",
        "customer_id": f"CUST-{name}",
        "requested_by": "script:flood",
        "reason": chance.choice(_REASONS),
        "items": [{"sku": f"SKU-{chance.randint(1, 500)}", "quantity": 1}],
        "confidence": round(chance.uniform(0.75, 1), 2),
        "order": {
            "captured": _usd(captured),
            "status": "delivered" if shipped else "paid",
            "payment_method": "card",
        },
        "customer": {"tier": "standard"},
    }
    if kind in (ExceptionKind.REFUND, ExceptionKind.PRICE_ADJUSTMENT):
        exception["amount"] = _usd(amount)
    if kind is ExceptionKind.ACCOUNT_CHANGE:
        exception["changes"] = {"shipping_address": {"city": chance.choice(("Lyon", "Porto", "Gdynia"))}}
        exception["customer"]["account"] = {"shipping_address": {"city": "Bergen"}}
    if kind is ExceptionKind.ACTION_REQUEST:
        exception["actions"] = [
            {"name": "send_email", "args": {"to": f"{name}@example.org", "template": "apology"}},
            {"name": "add_note", "args": {"text": "the customer was written to"}},
        ]
    return exception


def _usd(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "USD"}
