"""Our amounts as Stripe counts them, and back: for most currencies both mean the same by a minor unit.

Source: https://docs.stripe.com/currencies, "Minor units in API amounts" and "Special cases".
"""

from schemas.values import Money, minor_unit_digits
from worker.application.ports.payments import PaymentDeclined

_OTHER_DIGITS = {"ISK": 2, "MGA": 0}
"""ISK has no minor unit, and Stripe still counts in hundredths; MGA has one that Stripe leaves out."""

_POWERS = (1, 10, 100, 1000)

_AMBIGUOUS = frozenset({"UGX"})
"""Stripe documents it both as without a minor unit and as counted in hundredths: the wrong one is a factor of 100."""


def stripe_amount(money: Money) -> int:
    """Raises PaymentDeclined for an amount that Stripe cannot say."""
    if money.currency in _AMBIGUOUS:
        raise PaymentDeclined(
            f"{money}: how Stripe counts {money.currency} is ambiguous; refund it in Stripe's dashboard instead"
        )
    ours = minor_unit_digits(money.currency)
    theirs = _OTHER_DIGITS.get(money.currency, ours)
    if theirs > ours:
        return money.amount_minor * _POWERS[theirs - ours]
    amount, rest = divmod(money.amount_minor, _POWERS[ours - theirs])
    if rest:
        raise PaymentDeclined(f"{money}: Stripe takes whole {money.currency} only; approve one without a fraction")
    if theirs == 3 and amount % 10:
        raise PaymentDeclined(
            f"{money}: Stripe takes {money.currency} with 0 as the last digit only; approve an amount rounded to that"
        )
    return amount


def says_the_same(money: Money, amount: int | None, currency: str | None) -> bool:
    """Whether what Stripe says, in lower case, is this money."""
    return (amount, currency) == (stripe_amount(money), money.currency.lower())
