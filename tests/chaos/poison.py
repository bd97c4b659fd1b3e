"""Records that nobody may act on, whoever reads them: each certainly ends among the dead letters.

What a mutation of a valid record comes to is anybody's guess, perhaps a valid one. So those that are mutated here are
spoilt twice before.
"""

import json
from collections.abc import Callable
from random import Random

from schemas.catalogue import ORDER_EXCEPTIONS, REVIEW_DECISIONS
from schemas.events import ExceptionRaised, ReviewDecided
from tests.builders import Event, refund_event
from tests.chaos.mail import Header, Letter
from tests.chaos.shop import CANARIES
from tests.fuzz.byte_mutations import ON_BYTES, too_large
from tests.fuzz.header_mutations import header_not_utf8, header_without_value
from tests.fuzz.material import CANARY

_JSON: tuple[Header, ...] = (("content-type", b"application/json"),)

_HOPELESS: tuple[bytes | None, ...] = (
    None,
    b"",
    b"  \n",
    b"null",
    b"[]",
    b'"text"',
    b"{",
    b"{}",
    b"\xff\xfe{}",
    b'{"a": NaN}',
    b'{"a": 1e999999}',
    b'{"a": "\\u0000"}',
    b'{"a": "\\ud800"}',
    b"[" * 20_000 + b"]" * 20_000,
    b'{"exception_id": "%s", "exception_id": "2"}' % CANARY.encode(),
    b'{"decision_id": 7, "verdict": "approve"}',
    b'{"decisions": []}',
)


def poison(dice: Random, number: int) -> Letter:
    """One of them, about an exception that nobody else raises."""
    made: Letter = dice.choice(_WAYS)(dice, number)
    return made


def _hopeless(dice: Random, number: int) -> Letter:
    topic = dice.choice([ORDER_EXCEPTIONS.name, REVIEW_DECISIONS.name])
    return Letter(topic, f"POISON-{number}", dice.choice(_HOPELESS), dice.choice([(), _JSON]))


def _mutated(dice: Random, number: int) -> Letter:
    """Without who asks for it, and of a kind that there is not: no single mutation mends both."""
    event = {**_refund(dice, number), "kind": f"refund {CANARY}"}
    del event["requested_by"]
    value = dice.choice(ON_BYTES)(json.dumps(event).encode(), dice)
    return Letter(ORDER_EXCEPTIONS.name, f"POISON-{number}", value, dice.choice([(), _JSON]))


def _too_large(dice: Random, number: int) -> Letter:
    value = too_large(json.dumps(_refund(dice, number)).encode(), dice)
    return Letter(ORDER_EXCEPTIONS.name, f"POISON-{number}", value)


def _against_the_contract(dice: Random, number: int) -> Letter:
    wrong: list[Event] = [
        {"amount": {"amount_minor": -1, "currency": "USD"}},
        {"amount": {"amount_minor": 0, "currency": "USD"}},
        {"amount": {"amount_minor": "15000", "currency": "USD"}},
        {"amount": {"amount_minor": 15_000.5, "currency": "USD"}},
        {"amount": {"amount_minor": 10**15 + 1, "currency": "USD"}},
        {"amount": {"amount_minor": 15_000, "currency": "usd"}},
        {"amount": {"amount_minor": 15_000, "currency": "\uff35\uff33\uff24"}},
        {"amount": None},
        {"kind": "auto_approve"},
        {"order_id": None},
        {"requested_by": ""},
        {"exception_id": "x" * 201},
        {"confidence": 7},
        {"kind": "action_request"},
        {"order": {"captured": {"amount_minor": 14_999, "currency": "USD"}}},
        {"order": {"captured": {"amount_minor": 20_000, "currency": "EUR"}}},
    ]
    event = {**_refund(dice, number), **dice.choice(wrong)}
    return Letter(ORDER_EXCEPTIONS.name, f"POISON-{number}", json.dumps(event).encode())


def _not_what_was_paid(dice: Random, number: int) -> Letter:
    """The shop knows better: the first order was paid with 300.00 USD."""
    wrong = [{"amount_minor": 30_001, "currency": "USD"}, {"amount_minor": 1_000, "currency": "EUR"}]
    event = {**_refund(dice, number), "order_id": "ORD-00000", "amount": dice.choice(wrong)}
    return Letter(ORDER_EXCEPTIONS.name, f"POISON-{number}", json.dumps(event).encode())


def _of_no_type(dice: Random, number: int) -> Letter:
    attributes = {"specversion": "1.0", "id": str(number), "source": "/chaos"}
    wrong = dice.choice(
        [
            {"type": "signoff.exception.raised.v2"},
            {"type": "signoff.approval.needed.v1"},
            {"type": ReviewDecided.TYPE},
            {"type": ""},
            {"type": ExceptionRaised.TYPE, "specversion": "0.3"},
            {"type": ExceptionRaised.TYPE, "id": ""},
        ]
    )
    headers: list[Header] = [(f"ce_{name}", text.encode()) for name, text in {**attributes, **wrong}.items()]
    return Letter(ORDER_EXCEPTIONS.name, f"POISON-{number}", json.dumps(_refund(dice, number)).encode(), headers)


def _illegible_attributes(dice: Random, number: int) -> Letter:
    attributes = {"specversion": "1.0", "id": str(number), "source": "/chaos", "type": ExceptionRaised.TYPE}
    name = dice.choice(sorted(attributes))
    headers: list[Header] = [(f"ce_{name}", attributes[name].encode())]
    spoil = dice.choice([header_without_value, header_not_utf8])
    others: list[Header] = [(f"ce_{each}", text.encode()) for each, text in attributes.items() if each != name]
    event = {**_refund(dice, number), "kind": CANARY}
    return Letter(
        ORDER_EXCEPTIONS.name, f"POISON-{number}", json.dumps(event).encode(), [*others, *spoil(headers, dice)]
    )


_WAYS: tuple[Callable[[Random, int], Letter], ...] = (
    _hopeless,
    _hopeless,
    _mutated,
    _mutated,
    _against_the_contract,
    _against_the_contract,
    _not_what_was_paid,
    _of_no_type,
    _illegible_attributes,
    *((_hopeless, _mutated, _against_the_contract) * 6),
    _too_large,
)
"""What is large comes seldom."""


def _refund(dice: Random, number: int) -> Event:
    return refund_event(f"POISON-{number}", order_id="ORD-00001", reason=dice.choice(CANARIES))
