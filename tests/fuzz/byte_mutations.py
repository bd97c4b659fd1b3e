"""Ways to spoil the bytes of a record: what is no UTF-8, no JSON, or JSON that common parsers let through."""

from collections.abc import Callable
from random import Random

from tests.fuzz.material import CANARY

OnBytes = Callable[[bytes, Random], bytes]

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
RARE_BYTES: list[OnBytes] = [too_large]
"""They cost a thousand times what the others do."""


def _span(raw: bytes, dice: Random) -> tuple[int, int]:
    start = dice.randrange(len(raw) + 1)
    return start, min(len(raw), start + dice.randint(1, 40))
