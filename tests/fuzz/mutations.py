"""Ways to spoil a record. Each takes what is valid and gives what may not be; all chance comes from the dice."""

from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

from schemas.cloudevents import Header
from tests.fuzz.material import CANARY, Data

Headers = list[Header]
OnBytes = Callable[[bytes, Random], bytes]
OnData = Callable[[Data, Random], Data]
OnHeaders = Callable[[Headers, Random], Headers]

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
_TOKENS = [
    b"NaN",
    b"-Infinity",
    b"1e999999",
    b"-0",
    b"0x10",
    b"01",
    b"1" * 400,
    b"99999999999999999999",
    b'"\\u0000"',
    b'"\\ud800"',
    b'"\\udfff\\ud800"',
    "\u202e\u2066".encode(),
    b"\x00",
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xef\xbb\xbf",
    b"'",
    b"//x\n",
    b"[" * 40,
    b'{"a":' * 40,
    b"}",
    b"]",
    b",",
    b"\\",
    b'"',
]


# Bytes


def flipped_bits(raw: bytes, dice: Random) -> bytes:
    spoilt = bytearray(raw)
    for _ in range(dice.randint(1, 4) if raw else 0):
        spoilt[dice.randrange(len(spoilt))] ^= 1 << dice.randrange(8)
    return bytes(spoilt)


def truncated(raw: bytes, dice: Random) -> bytes:
    return raw[: dice.randrange(len(raw))] if raw else raw


def spliced(raw: bytes, dice: Random) -> bytes:
    """A piece of it once more, somewhere else."""
    start, end = _span(raw, dice)
    at = dice.randrange(len(raw) + 1)
    return raw[:at] + raw[start:end] + raw[at:]


def cut_out(raw: bytes, dice: Random) -> bytes:
    start, end = _span(raw, dice)
    return raw[:start] + raw[end:]


def hostile_token(raw: bytes, dice: Random) -> bytes:
    start = dice.randrange(len(raw) + 1)
    return raw[:start] + dice.choice(_TOKENS) + raw[start + dice.randrange(4) :]


def hostile_value(raw: bytes, dice: Random) -> bytes:
    """In place of some value."""
    places = [at for at in range(len(raw)) if raw[at : at + 2] == b": "]
    if not places:
        return dice.choice(_TOKENS)
    start = dice.choice(places) + 2
    end = next((at for at in range(start, len(raw)) if raw[at : at + 1] in b",}]"), len(raw))
    return raw[:start] + dice.choice(_TOKENS) + raw[end:]


def key_twice(raw: bytes, dice: Random) -> bytes:
    names = [
        name for name in (b"exception_id", b"decision_id", b"amount_minor", b"kind", b"type", b"id") if name in raw
    ]
    name = dice.choice(names or [b"x"])
    return raw.replace(b"{", b'{"%s": "%s", "%s": 1, ' % (name, CANARY.encode(), name), 1)


def byte_order_mark(raw: bytes, dice: Random) -> bytes:
    return dice.choice([b"\xef\xbb\xbf" + raw, raw.decode(errors="replace").encode("utf-16"), b"\x00" + raw])


def too_deep(raw: bytes, dice: Random) -> bytes:
    depth = dice.choice([28, 33, 300, 20_000])
    return b"[" * depth + raw + b"]" * depth if dice.random() < 0.5 else b'{"a":' * depth + raw + b"}" * depth


def too_large(raw: bytes, dice: Random) -> bytes:
    return raw + b" " * (256 * 1024) if dice.random() < 0.5 else raw[:-1] + b', "x": "' + b"x" * 300_000 + b'"}'


def nothing_or_noise(raw: bytes, dice: Random) -> bytes:
    return dice.choice([b"", b"  \n", b"null", b"[]", b'"text"', b"0", b"true", raw * 2, dice.randbytes(64)])


# Data


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


# Headers


def header_without_value(headers: Headers, dice: Random) -> Headers:
    name, _ = dice.choice(headers)
    return [(held, None if held == name else value) for held, value in headers]


def header_not_utf8(headers: Headers, dice: Random) -> Headers:
    bad = dice.choice([b"\xff\xfe", b"\xc3", b"\x00", CANARY.encode() * 200])
    at = dice.randrange(len(headers))
    return [(name, bad if place == at else value) for place, (name, value) in enumerate(headers)]


def modes_mixed_up(headers: Headers, dice: Random) -> Headers:
    """The content type of one mode on the body of another."""
    kinds = [b"application/cloudevents+json", b"application/cloudevents+avro", b"application/cloudevents-batch+json"]
    others = [held for held in headers if held[0] != "content-type"]
    return [*others, ("Content-Type", dice.choice([*kinds, b"text/html", CANARY.encode()]))]


def wrong_attributes(headers: Headers, dice: Random) -> Headers:
    wrong: list[Header] = [
        ("ce_type", b"signoff.exception.raised.v2"),
        ("ce_type", b"signoff.approval.needed.v1"),
        ("ce_type", CANARY.encode()),
        ("ce_type", b""),
        ("ce_specversion", b"0.3"),
        ("ce_specversion", b"1.0.2"),
        ("ce_id", b""),
        ("ce_" + CANARY * 3, b"\xff"),
        ("CE_SOURCE", b"/other"),
    ]
    added = dice.choice(wrong)
    return [*(held for held in headers if held[0] != added[0] or dice.random() < 0.3), added]


def thousands_of_headers(headers: Headers, dice: Random) -> Headers:
    count = dice.choice([1_000, 5_000])
    many: Headers = [(f"{dice.choice(['x', 'ce_x'])}{number}", CANARY.encode()) for number in range(count)]
    return [*headers, *many]


def headers_missing(headers: Headers, dice: Random) -> Headers:
    return [held for held in headers if dice.random() < 0.6]


ON_BYTES: list[OnBytes] = [
    flipped_bits,
    truncated,
    spliced,
    cut_out,
    hostile_token,
    hostile_value,
    key_twice,
    byte_order_mark,
    too_deep,
    nothing_or_noise,
]
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
ON_HEADERS: list[OnHeaders] = [
    header_without_value,
    header_not_utf8,
    modes_mixed_up,
    wrong_attributes,
    headers_missing,
]
RARE_BYTES: list[OnBytes] = [too_large]
RARE_HEADERS: list[OnHeaders] = [thousands_of_headers]
"""They cost a thousand times what the others do."""


def _span(raw: bytes, dice: Random) -> tuple[int, int]:
    start = dice.randrange(len(raw) + 1)
    return start, min(len(raw), start + dice.randint(1, 40))


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
