"""Which texts of a model may be put before a reviewer: those without links, and with no figures but the case's own.

A reviewer in a hurry signs what reads well. A wrong amount, a link or an address in a draft is what they would
overlook, so such a draft is dropped whole.
"""

import re
import unicodedata
from collections.abc import Iterator

from schemas.values import Money, minor_unit_digits
from worker.adapters.analysis.plain_text import visible
from worker.domain.order_exception import Facts
from worker.domain.resolution import propose

MAX_DRAFT = 1_000
MAX_DESCRIPTION = 300

_LINK = re.compile(
    r"@|://|\]\(|[<>{}]|\b(?:www|mailto|tel|javascript)\b[.:]|\w\.[^\W\d_]{2,}"
    r"|[a-z0-9]\u3002[a-z]{2,}",  # a full stop of the far east, which browsers read as a dot between letters of ours
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d(?:[.,'\u2019 ]?\d)*")
_GROUPING = ("", ",", ".", " ", "'", "\u2019")
_POINTS = (".", ",")

_OUR_AMOUNT, _OUR_COUNT = "\x01", "\x02"
"""They stand for figures of the case; a text that is visible holds no controls."""

_SIGN = r"[$\xa2-\xa5\u058f\u060b\u09f2\u09f3\u0e3f\u17db\u20a0-\u20cf]"
_FALSE_MONEY = re.compile(
    rf"{_OUR_COUNT}(?:\s*(?:{_SIGN}|[A-Z]{{3}}\b)|[^\W\d_])"
    rf"|(?:{_SIGN}|\b[A-Z]{{3}})\s*{_OUR_COUNT}"
    rf"|{_OUR_AMOUNT}(?![A-Z]{{3}}\b)[^\W\d_]"
)
"""A quantity or an id with a currency beside it, and an amount with a letter that multiplies it."""

_AMOUNT_WITH_CURRENCY = re.compile(rf"(?:{_SIGN}|[A-Z]{{3}})\s*[\d.,]+|[\d.,]+\s*(?:{_SIGN}|[A-Z]{{3}})", re.IGNORECASE)


def usable_draft(text: str | None, facts: Facts) -> str | None:
    """The draft as it may be shown, or None. It may name the amount in any usual spelling, the order, the exception,
    and quantities of items. What it says in words is not checked: a reviewer reads it."""
    exception = facts.exception
    own = {amount for amount in (exception.amount, propose(facts).amount) if amount is not None}
    amounts = {spelling for amount in own for spelling in _spellings(amount)}
    counts = {str(item.quantity) for item in exception.items}
    ids = [name for name in (exception.order_id, exception.exception_id) if name]
    return _usable(text, MAX_DRAFT, ids, amounts, counts)


def usable_description(text: str) -> str | None:
    """Of an alternative: it has no figures of its own."""
    return _usable(text, MAX_DESCRIPTION, [], set(), set())


def _usable(text: str | None, longest: int, ids: list[str], amounts: set[str], counts: set[str]) -> str | None:
    if text is None or len(text) > longest:
        return None
    seen = visible(text).strip()
    read = unicodedata.normalize("NFKC", seen)
    if not seen or _LINK.search(read):
        return None
    for known in sorted(ids, key=len, reverse=True):
        read = _without_id(read, known)
    marks = {**dict.fromkeys(counts, _OUR_COUNT), **dict.fromkeys(amounts, _OUR_AMOUNT)}
    read = _NUMBER.sub(lambda found: marks.get(found[0], found[0]), read)
    return None if _NUMBER.search(read) or _FALSE_MONEY.search(read) else seen


def _without_id(read: str, known: str) -> str:
    """One of figures alone could be taken for an amount, and is looked at as a quantity is; one that reads as an amount
    of money is none that a customer needs to be told."""
    if _AMOUNT_WITH_CURRENCY.fullmatch(known):
        return read
    has_letters = any(character.isalpha() for character in known)
    own = re.compile(rf"(?<!\w)(?<!\d[.,]){re.escape(known)}(?!\w|[.,]\d)", re.IGNORECASE)
    return own.sub(" " if has_letters else _OUR_COUNT, read)


def _spellings(amount: Money) -> Iterator[str]:
    """`1500`, `1,500.00`, `1.500,00`, `1 500,00`, `1'500.00` and so on; without the fraction only where it is zero."""
    digits = minor_unit_digits(amount.currency)
    whole, fraction = divmod(amount.amount_minor, 10**digits)
    for separator in _GROUPING:
        grouped = f"{whole:,}".replace(",", separator)
        if fraction == 0:
            yield grouped
        if digits:
            yield from (f"{grouped}{point}{fraction:0{digits}d}" for point in _POINTS if point != separator)
