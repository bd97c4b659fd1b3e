"""The closed list of reason codes that analysts answer with."""

import re
from enum import StrEnum


class ReasonCode(StrEnum):
    """In the order of precedence: of several that a text speaks of, the first is the one that it is about."""

    FRAUD_SUSPECTED = "fraud_suspected"
    DUPLICATE_CHARGE = "duplicate_charge"
    WRONG_ITEM = "wrong_item"
    MISSING_PART = "missing_part"
    DAMAGED = "damaged"
    NOT_RECEIVED = "not_received"
    LATE = "late"
    PRICE_MATCH = "price_match"
    CHANGED_MIND = "changed_mind"
    QUALITY = "quality"
    OTHER = "other"


_SHOPS_OWN_WORDS = {
    "broken": ReasonCode.DAMAGED,
    "defective": ReasonCode.QUALITY,
    "delayed": ReasonCode.LATE,
    "double_charge": ReasonCode.DUPLICATE_CHARGE,
    "fraud": ReasonCode.FRAUD_SUSPECTED,
    "incomplete": ReasonCode.MISSING_PART,
    "item_damaged": ReasonCode.DAMAGED,
    "item_not_received": ReasonCode.NOT_RECEIVED,
    "lost": ReasonCode.NOT_RECEIVED,
    "missing_item": ReasonCode.MISSING_PART,
    "no_longer_needed": ReasonCode.CHANGED_MIND,
    "wrong_size": ReasonCode.WRONG_ITEM,
}

_SEPARATORS = re.compile(r"[^a-z]+")

_AN_ITEM_THAT_CAME = frozenset({ReasonCode.DAMAGED, ReasonCode.WRONG_ITEM, ReasonCode.MISSING_PART, ReasonCode.QUALITY})


def known_code(given: str) -> ReasonCode | None:
    """The code that a producer's spelling means: `Wrong-Item` and `wrong size` are `wrong_item`."""
    word = _SEPARATORS.sub("_", given.casefold()).strip("_")
    if word in _SHOPS_OWN_WORDS:
        return _SHOPS_OWN_WORDS[word]
    return next((code for code in ReasonCode if code == word), None)


def contradict(one: ReasonCode, other: ReasonCode) -> bool:
    """Whether both cannot be true of one item: what never came is not broken, and who changed their mind does not
    complain. Codes that merely differ do not contradict each other."""
    for here, there in ((one, other), (other, one)):
        if here is ReasonCode.NOT_RECEIVED and (there in _AN_ITEM_THAT_CAME or there is ReasonCode.CHANGED_MIND):
            return True
        if here is ReasonCode.CHANGED_MIND and there in _AN_ITEM_THAT_CAME:
            return True
    return False
