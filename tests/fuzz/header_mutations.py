"""Ways to spoil the headers of a record: attributes that are none, and the modes of CloudEvents mixed up."""

from collections.abc import Callable
from random import Random

from schemas.cloudevents import Header
from tests.fuzz.material import CANARY

Headers = list[Header]
OnHeaders = Callable[[Headers, Random], Headers]


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


ON_HEADERS: list[OnHeaders] = [
    header_without_value,
    header_not_utf8,
    modes_mixed_up,
    wrong_attributes,
    headers_missing,
]
RARE_HEADERS: list[OnHeaders] = [thousands_of_headers]
"""They cost a thousand times what the others do."""
