"""Ways to spoil what a record says: fields that are missing, too many, of another type or of another size."""

from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

from tests.fuzz.material import CANARY, Data

OnData = Callable[[Data, Random], Data]

_WRONG: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    10**15 + 1,
    2**63,
    -(2**63) - 1,
    1e308,
    "",
    " ",
    CANARY,
    CANARY * 400,
    "\u202e" + CANARY,
    "\ufeff",
    "\uff11\uff12",
    "1e999999",
    "<script>",
    [],
    [CANARY],
    {},
    {CANARY: CANARY},
    [[[[CANARY]]]],
]


def field_missing(data: Data, dice: Random) -> Data:
    holder, name = _place(data, dice)
    del holder[name]
    return data


def field_unknown(data: Data, dice: Random) -> Data:
    holder, _ = _place(data, dice)
    if isinstance(holder, dict):
        holder[dice.choice([CANARY, "Amount", "__class__", "verdict ", "\u200b", ""])] = dice.choice(_WRONG)
    return data


def field_of_wrong_type(data: Data, dice: Random) -> Data:
    holder, name = _place(data, dice)
    holder[name] = deepcopy(dice.choice(_WRONG))
    return data


def field_null(data: Data, dice: Random) -> Data:
    holder, name = _place(data, dice)
    holder[name] = None
    return data


def word_not_of_the_enum(data: Data, dice: Random) -> Data:
    names = ("kind", "verdict", "command", "method", "status", "tier", "type")
    return _replaced(data, names, [CANARY, "REFUND", "refund ", "auto_approve", "", 3], dice)


def wrong_money(data: Data, dice: Random) -> Data:
    if dice.random() < 0.4:
        return _replaced(data, ("currency",), ["usd", "US", "EURO", "EUR", "\uff35\uff33\uff24", CANARY, 840], dice)
    amounts = [-1, 0, 0.5, "9000", True, 10**15 + 1, 2**63 - 1, "\uff19", CANARY, 17_999_999, None]
    return _replaced(data, ("amount_minor",), amounts, dice)


def wrong_id(data: Data, dice: Random) -> Data:
    names = (
        "exception_id",
        "approval_id",
        "decision_id",
        "command_id",
        "order_id",
        "customer_id",
        "requested_by",
        "id",
    )
    return _replaced(data, names, ["", " ", "x" * 201, f"{CANARY}\n", "\u202e1", 7, None, [], {}, "'; --"], dice)


def swapped_values(data: Data, dice: Random) -> Data:
    (one, first), (other, second) = _place(data, dice), _place(data, dice)
    one[first], other[second] = deepcopy(other[second]), deepcopy(one[first])
    return data


def repeated_list(data: Data, dice: Random) -> Data:
    """A list that is longer than it may be, or empty."""
    holder, name = _place(data, dice)
    holder[name] = dice.choice([[], [holder[name]] * 2, [0] * 1_001, [{}] * 600, [{"name": CANARY}] * 101])
    return data


ON_DATA: list[OnData] = [
    field_missing,
    field_unknown,
    field_of_wrong_type,
    field_null,
    word_not_of_the_enum,
    wrong_money,
    wrong_id,
    swapped_values,
    repeated_list,
]


def _place(data: Data, dice: Random) -> tuple[Any, Any]:
    """Some value in it, as the object or list that holds it and where it is there."""
    holder: Any = data
    while True:
        name = dice.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        below = holder[name]
        if not isinstance(below, dict | list) or not below or dice.random() < 0.3:
            return holder, name
        holder = below


def _replaced(data: Data, names: tuple[str, ...], values: list[Any], dice: Random) -> Data:
    """One of the fields of these names, wherever it is; another one where there is none."""
    found = [(holder, name) for holder in _objects(data) for name in names if name in holder]
    holder, name = dice.choice(found) if found else _place(data, dice)
    holder[name] = deepcopy(dice.choice(values))
    return data


def _objects(data: Any) -> list[Data]:
    match data:
        case dict():
            return [data, *(inner for held in data.values() for inner in _objects(held))]
        case list():
            return [inner for held in data for inner in _objects(held)]
    return []
