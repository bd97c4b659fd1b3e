"""Amounts as people write them, in major units, made into money without any rounding."""

import re

from schemas.values import Money, minor_unit_digits

_AMOUNT = re.compile(r"(\d+)(?:\.(\d+))?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


def parse_money(amount: str, currency: str) -> Money:
    """`150`, `150.5` and `150.50` are all 15050 or so minor units of USD, exactly.

    Raises ValueError, with a sentence, for anything that would need rounding or guessing: signs, thousands
    separators, exponents, more digits after the point than the currency has.
    """
    if _CURRENCY.fullmatch(currency) is None:
        raise ValueError(f"{currency!r} is not a currency; write three capitals as in USD")
    match = _AMOUNT.fullmatch(amount)
    if match is None:
        raise ValueError(f"{amount!r} is not an amount; write it as in 150 or 150.00")
    major, minor = match[1], match[2] or ""
    digits = minor_unit_digits(currency)
    if len(minor) > digits:
        raise ValueError(f"{amount} has {len(minor)} digits after the point; {currency} has {digits}")
    return Money(amount_minor=int(major + minor.ljust(digits, "0")), currency=currency)
