"""Amounts, durations, rates and plain numbers as people write them in a policy."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from schemas.values import MAX_AMOUNT_MINOR, Money, minor_unit_digits
from worker.domain.approval_policy import Cap

Limit = Money | int | float
"""A figure that rules refer to by its name."""

_DURATION = re.compile(r"([1-9][0-9]{0,5})(s|m|h|d)", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,9})?"
_MONEY = re.compile(rf"({_NUMBER}) ([A-Z]{{3}})", re.ASCII)
_PERCENTAGE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)%", re.ASCII)
LONGEST = timedelta(days=366)
LARGEST_QUORUM = 20


def duration(text: str) -> timedelta:
    """`24h`, `30m`, `90s`, `7d`. Raises ValueError for anything else, zero and more than a year."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("is not a duration such as 24h, 30m, 90s or 7d")
    length = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if length > LONGEST:
        raise ValueError("is longer than a year")
    return length


def written_duration(length: timedelta, *, days: bool = True) -> str:
    """The other way round, in the largest unit that fits: `1d`, `36h`. A day of working time is not 24 hours of it:
    there `days` are left out."""
    seconds = int(length.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds % size == 0 and (days or unit != "d"):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def limit(text: str) -> Limit:
    """`100.00 USD`, `3` or `0.7`. Raises ValueError for anything else."""
    if match := _MONEY.fullmatch(text):
        return _money(Decimal(match[1]), match[2])
    number = _number(text, "is neither an amount such as 100.00 USD nor a number such as 3 or 0.7")
    return float(number) if "." in text else int(number)


def rate(text: str) -> Fraction:
    """What one unit is worth in the base currency, exactly. Raises ValueError unless above 0."""
    number = _number(text, "is not a number such as 1.08")
    if not 0 < number <= 1_000_000:
        raise ValueError("is not above 0 and at most 1000000")
    return Fraction(number)


def money(text: str) -> Money:
    """`100.00 USD`. Raises ValueError for anything else."""
    if match := _MONEY.fullmatch(text):
        return _money(Decimal(match[1]), match[2])
    raise ValueError("is not an amount such as 1000.00 USD")


def cap(text: str) -> Cap:
    """`10000.00 USD per 24h`. Raises ValueError for anything else."""
    amount, per, window = text.partition(" per ")
    if not per:
        raise ValueError("is not an amount in a time, such as 10000.00 USD per 24h")
    return Cap(amount=money(amount.strip()), window=duration(window.strip()))


def quorum(text: str) -> int:
    """`2`: how many people must agree. Raises ValueError for anything but 1 to 20."""
    if not re.fullmatch(r"[0-9]{1,2}", text, re.ASCII) or not 1 <= int(text) <= LARGEST_QUORUM:
        raise ValueError(f"is not a whole number from 1 to {LARGEST_QUORUM}")
    return int(text)


def fraction(text: str) -> float:
    """`50%` as 0.5. Raises ValueError unless it is above 0% and below 100%."""
    match = _PERCENTAGE.fullmatch(text)
    if match is None or not 0 < float(match[1]) < 100:
        raise ValueError("is not a part of the time such as 50%, above 0% and below 100%")
    return float(match[1]) / 100


def _number(text: str, otherwise: str) -> Decimal:
    if re.fullmatch(_NUMBER, text, re.ASCII) is None:
        raise ValueError(otherwise)
    return Decimal(text)


def _money(amount: Decimal, currency: str) -> Money:
    minor = amount.scaleb(minor_unit_digits(currency))
    if minor != minor.to_integral_value():
        digits = minor_unit_digits(currency)
        raise ValueError(f"has more than the {digits} digits after the point that {currency} has")
    if minor > MAX_AMOUNT_MINOR:
        raise ValueError("is larger than any order")
    return Money(amount_minor=int(minor), currency=currency)


@dataclass(frozen=True, slots=True)
class Rates:
    """The policy's own rates: they compare, they never pay. `worth` is of one unit, in units of
    `base`.
    """

    base: str
    worth: Mapping[str, Fraction]

    def knows(self, currency: str) -> bool:
        return currency == self.base or currency in self.worth

    def in_base(self, money: Money) -> int | None:
        """Minor units of the base currency, rounded up (the stricter side); None without a rate."""
        return self.compare(money, self.base)

    def compare(self, money: Money, currency: str) -> int | None:
        """Minor units of a currency, rounded up; None when there is no rate for either."""
        if money.currency == currency:
            return money.amount_minor
        worth, unit = self._worth(money.currency), self._worth(currency)
        if worth is None or unit is None:
            return None
        digits = minor_unit_digits(currency) - minor_unit_digits(money.currency)
        return math.ceil(money.amount_minor * worth / unit * Fraction(10) ** digits)

    def _worth(self, currency: str) -> Fraction | None:
        return Fraction(1) if currency == self.base else self.worth.get(currency)
