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

_LINK = re.compile(r"@|://|\]\(|[<>{}]|\b(?:www|mailto|tel|javascript)\b[.:]|\w\.[^\W\d_]{2,}")
_NUMBER = re.compile(r"\d(?:[.,'\u2019 ]?\d)*")
_GROUPING = ("", ",", ".", " ", "'", "\u2019")
_POINTS = (".", ",")


def usable_draft(text: str | None, facts: Facts) -> str | None:
    """The draft as it may be shown, or None. It may name the amount in any usual spelling, the order, the exception,
    and quantities of items."""
    exception = facts.exception
    amounts = {amount for amount in (exception.amount, propose(facts).amount) if amount is not None}
    numbers = {str(item.quantity) for item in exception.items}
    for amount in amounts:
        numbers.update(_spellings(amount))
    ids = [name for name in (exception.order_id, exception.exception_id) if name]
    return _usable(text, MAX_DRAFT, ids, numbers)


def usable_description(text: str) -> str | None:
    """Of an alternative: it has no figures of its own."""
    return _usable(text, MAX_DESCRIPTION, [], set())


def _usable(text: str | None, longest: int, ids: list[str], numbers: set[str]) -> str | None:
    if text is None or len(text) > longest:
        return None
    seen = visible(text).strip()
    read = unicodedata.normalize("NFKC", seen).casefold()
    for known in sorted(ids, key=len, reverse=True):
        read = re.sub(rf"(?<!\w){re.escape(known.casefold())}(?!\w)", " ", read)
    if not seen or _LINK.search(read):
        return None
    if any(number not in numbers for number in _NUMBER.findall(read)):
        return None
    return seen


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
