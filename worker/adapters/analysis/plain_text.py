"""Strangers' text in a form that can be compared, and in one that hides nothing.

Everything here is linear in the length of the text.
"""

import re
import unicodedata

MAX_LENGTH = 4_000
"""Characters that are looked at. The event contract lets no longer reason in."""

_LOOK_ALIKES = str.maketrans(
    "авеекмнорстухіјѕԁһӏԛԝαβεηικμνορτυχ",
    "abeekmhopctyxijsdhlqwabehikmvoptux",
)
"""Small Cyrillic and Greek letters, and the Latin ones that they are mistaken for (Unicode TS 39, the common ones)."""

_APOSTROPHES = re.compile(r"['`\u2018\u2019\u02bc\u00b4]")
_NO_WORD = re.compile(r"[\W_]+")
_NEITHER_ASCII_NOR_WORD = re.compile(r"[^\x00-\x7f\w]")

_MOST_MARKS = 30
"""On one letter, as the Stream-Safe Text Format has it (UAX 15, 13): normal forms sort them, by a method whose time
grows with the square of their number. No script needs so many."""

_MAY_BE_A_HEAP = re.compile(rf"(?:[^\x00-\x7f\w\s]|[\uff9e\uff9f]){{{_MOST_MARKS + 1},}}")

_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
_DROPPED = _INVISIBLE | {"Mn", "Me"}

_BLACK_FLAG = "\U0001f3f4"
_FLAG_OF_A_REGION = re.compile(f"{_BLACK_FLAG}[\U000e0020-\U000e007e]+\U000e007f")
"""Emoji such as the flag of Scotland: the one honest use of tag characters."""

_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls besides tab and line ends
    "\u115f\u1160\u2061-\u2064\u206a-\u206f\u3164\uffa0\ufff9-\ufffb"  # fillers, invisible operators, annotations
    "\u202d\u202e"  # overrides of the direction
    "\U000e0000-\U000e007f]"  # tags
    "|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2}"  # a row of variation selectors carries bytes
    "|[A-Za-z0-9][\u200b-\u200d\u2060\ufeff]+[A-Za-z0-9]"  # a Latin word that is broken where nobody sees it
)
_CYRILLIC = re.compile("[\u0400-\u052f]")
_MIXED = re.compile("[a-z][\u0430-\u045f\u0501\u051b\u051d]{1,3}[a-z]|[\u0430-\u045f][a-z]{1,3}[\u0430-\u045f]")


def hides_characters(text: str) -> bool:
    """Whether the text holds what no honest keyboard types: characters to be read by a machine and seen by nobody.

    Joiners between emoji, Persian or Indic letters, marks of direction, and soft hyphens are ordinary.
    """
    if text.isascii() and text.isprintable():
        return False
    if _BLACK_FLAG in text:
        text = _FLAG_OF_A_REGION.sub("", text)
    return _HIDDEN.search(text) is not None


def mixes_alphabets(text: str) -> bool:
    """Whether a Latin word has Cyrillic letters inside, or the other way round. A Latin word with a Cyrillic ending,
    as Russian writes loan words, is ordinary."""
    if text.isascii() or not _CYRILLIC.search(text):
        return False
    return _MIXED.search(text.casefold()) is not None


def comparable(text: str) -> str:
    """The words in lower case, each with one space on either side: without marks, accents, invisible characters and
    punctuation, and with look-alikes of Latin letters replaced."""
    text = text[:MAX_LENGTH]
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", _stream_safe(text))
        text = _NEITHER_ASCII_NOR_WORD.sub(_kept, decomposed[: 2 * MAX_LENGTH])
    folded = _APOSTROPHES.sub("", text.casefold())
    if not folded.isascii():
        folded = folded.translate(_LOOK_ALIKES)
    return f" {_NO_WORD.sub(' ', folded).strip()} "


def visible(text: str) -> str:
    """The text as a person should see it: NFC, without controls, invisible characters and turns of direction. Line
    ends stay; joined emoji fall apart into their parts."""
    if text.isascii() and text.isprintable():
        return text
    kept = (
        character if character == "\n" or unicodedata.category(character) not in _INVISIBLE else ""
        for character in unicodedata.normalize("NFC", _stream_safe(text.replace("\r\n", "\n").replace("\t", " ")))
    )
    return "".join(kept)


def _kept(character: re.Match[str]) -> str:
    return "" if unicodedata.category(character[0]) in _DROPPED else character[0]


def _stream_safe(text: str) -> str:
    return _MAY_BE_A_HEAP.sub(_without_heaps, text)


def _without_heaps(run: re.Match[str]) -> str:
    kept, marks = [], 0
    for character in run[0]:
        is_mark = unicodedata.combining(unicodedata.normalize("NFKD", character)[0])
        marks = marks + 1 if is_mark else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)
