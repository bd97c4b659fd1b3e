"""Amounts as people type them, `120.00`, to integer minor units: exactly, or not at all."""

import re
from decimal import Decimal

from schemas.values import MAX_AMOUNT_MINOR, Money, minor_unit_digits

_AMOUNT = re.compile(r"(\d+)(?:\.(\d+))?", re.ASCII)

_LONGEST = 25
"""Characters: Decimal is exact up to 28 digits, and no amount has as many."""


class AmountProblem(ValueError):
    """The message says what is wrong with the amount and how to write it."""


def parse_amount(text: str, currency: str) -> Money:
    """`120.00` or `120` in a currency with two decimals. Raises AmountProblem; nothing is ever rounded."""
    digits = minor_unit_digits(currency)
    example = f"120.{'0' * digits}" if digits else "120"
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise AmountProblem(f"{text!r} is no amount; write it like {example}, without sign, currency or separators")
    decimals = match[2]
    if decimals is not None and len(decimals) != digits:
        raise AmountProblem(f"{text!r} has {len(decimals)} decimals, {currency} has {digits}; write it like {example}")
    minor = int(Decimal(match[0]).scaleb(digits)) if len(match[0]) <= _LONGEST else MAX_AMOUNT_MINOR + 1
    if minor > MAX_AMOUNT_MINOR:
        raise AmountProblem(f"{text!r} is more than any order; check the number of digits")
    return Money(amount_minor=minor, currency=currency)
