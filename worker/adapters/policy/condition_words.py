"""The text of a condition as words and signs, and how they are held together by brackets and operators."""

import math
import re
from collections.abc import Iterator

Words = list[str]

_WORD = re.compile(
    r"""\s+|//[^\n]*
    |(?P<word>[rR](?:"[^"\n]*"|'[^'\n]*')
    |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'
    |\d+(?:\.\d+)?(?:[eE][-+]?\d+)?
    |[A-Za-z_]\w*
    |==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE,
)


def words_of(source: str) -> Words | None:
    """Without layout and comments; None where the text has what this does not read, such as triple quotes."""
    if '"""' in source or "'''" in source:
        return None
    words: Words = []
    place = 0
    while place < len(source):
        match = _WORD.match(source, place)
        if match is None:
            return None
        if match["word"]:
            words.append(match["word"])
        place = match.end()
    return words


def written(words: Words) -> str:
    """The words in one line, laid out as people do."""
    text = re.sub(r" (?=[.,)\]])|(?<=[(\[.!]) |(?<=\bsize) (?=\()", "", " ".join(words))
    return re.sub(r"(^|[=<>&|,(\[] ?)- ", r"\1-", text)


def at_top(words: Words) -> Iterator[tuple[int, str]]:
    """The words that stand in no bracket, and the outermost brackets, with their places."""
    depth = 0
    for place, word in enumerate(words):
        depth -= word in (")", "]", "}")
        if depth == 0:
            yield place, word
        depth += word in ("(", "[", "{")


def split(words: Words, separator: str) -> list[Words]:
    places = [place for place, word in at_top(words) if word == separator]
    starts = [0, *(place + 1 for place in places)]
    return [words[start:end] for start, end in zip(starts, [*places, len(words)], strict=True)]


def split_conditional(words: Words) -> tuple[Words, Words, Words] | None:
    """The three parts of `condition ? then : otherwise`, which binds weakest, and to the right."""
    opened, pending = -1, 0
    for place, word in at_top(words):
        if word == "?":
            opened = place if pending == 0 else opened
            pending += 1
        elif word == ":" and pending:
            pending -= 1
            if pending == 0:
                return words[:opened], words[opened + 1 : place], words[place + 1 :]
    return None


def is_bracketed(words: Words, opening: str) -> bool:
    """Whether one pair of brackets holds them all."""
    closers = (place for place, word in at_top(words) if word in (")", "]", "}"))
    return words[:1] == [opening] and next(closers, -1) == len(words) - 1


def is_negation(words: Words) -> bool:
    """Whether a `!` stands in front, and for all that follows: a name, a parenthesis, or another `!`."""
    rest = words[1:]
    if words[:1] != ["!"]:
        return False
    return len(rest) == 1 or is_negation(rest) or is_bracketed(rest, "(") or bool(name_of(rest))


def name_of(words: Words) -> str:
    """`order.status` or `size(exception.reason_code)` in one piece; empty for anything else."""
    if words[:1] == ["size"] and is_bracketed(words[1:], "("):
        inner = name_of(words[2:-1])
        return f"size({inner})" if inner else ""
    names, dots = words[::2], words[1::2]
    is_path = len(words) % 2 == 1 and set(dots) <= {"."} and all(name.isidentifier() for name in names)
    return ".".join(names) if is_path else ""


def literal_of(words: Words) -> str | bool | int | float | None:
    """The fixed value that the words are; None when they are something else, or a text with escapes."""
    if words[:1] == ["-"] and len(words) == 2 and (number := _number(words[1])) is not None:
        return -number
    if len(words) != 1:
        return None
    (word,) = words
    if word in ("true", "false"):
        return word == "true"
    if word[0].isdigit():
        return _number(word)
    if word[0] in "rR" and word[-1] in "\"'":
        return word[2:-1]
    return word[1:-1] if word[0] in "\"'" and "\\" not in word else None


def _number(word: str) -> int | float | None:
    if not word[0].isdigit():
        return None
    number = int(word) if word.isdecimal() else float(word)
    return number if math.isfinite(number) else None
