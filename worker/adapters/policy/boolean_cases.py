"""A condition taken apart: the ways in which it can become true, each a set of comparisons that hold together.

It reads the part of CEL that rules are made of: `&&`, `||`, `!`, `? :`, parentheses, and comparisons of one name with
fixed values. Of everything else it supposes that it can be true and can be false, so that what is found impossible
is so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from worker.adapters.policy.condition_words import (
    Words,
    at_top,
    is_bracketed,
    is_negation,
    literal_of,
    name_of,
    split,
    split_conditional,
    words_of,
    written,
)

Scalar = str | bool | int | float
Case = tuple["Comparison", ...]

ALWAYS: tuple[Case, ...] = ((),)
NEVER: tuple[Case, ...] = ()

MOST_CASES = 256
DEEPEST = 60
"""Both bound the work that a hostile condition can make: a condition beyond them is not judged."""

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "in": "not in", "not in": "in"}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_UNORDERED = frozenset({"==", "!=", "in", "not in"})


class _TooManyCases(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Comparison:
    """`name operator values`: one value, except for `in` and `not in`. `text` is how its author wrote it."""

    name: str
    operator: str
    values: tuple[Scalar, ...]
    text: str

    def holds(self, value: Scalar) -> bool:
        if self.operator in _UNORDERED:
            return (value in self.values) is (self.operator in ("==", "in"))
        (limit,) = self.values
        if isinstance(value, str) or isinstance(limit, str):
            raise TypeError(f"`{self.text}`: texts have no order here")
        return {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}[self.operator]


@dataclass(frozen=True, slots=True)
class CaseReader:
    """`types` are those of the names that may be compared, `constants` the values of the policy's own figures."""

    types: Mapping[str, type]
    constants: Mapping[str, int | float]

    def cases(self, source: str) -> tuple[Case, ...]:
        """The ways in which the condition becomes true."""
        words = words_of(source)
        try:
            return ALWAYS if words is None else self._cases(words, True, DEEPEST)
        except _TooManyCases:
            return ALWAYS

    def _cases(self, words: Words, wanted: bool, depth: int) -> tuple[Case, ...]:
        """The ways in which these words become what is wanted."""
        if depth == 0:
            return ALWAYS
        if parts := split_conditional(words):
            condition, then, otherwise = parts
            return _either(
                _both(self._cases(condition, True, depth - 1), self._cases(then, wanted, depth - 1)),
                _both(self._cases(condition, False, depth - 1), self._cases(otherwise, wanted, depth - 1)),
            )
        for operator, one_is_enough in (("||", wanted), ("&&", not wanted)):
            first, *others = split(words, operator)
            if others:
                found = self._cases(first, wanted, depth - 1)
                for other in others:
                    more = self._cases(other, wanted, depth - 1)
                    found = _either(found, more) if one_is_enough else _both(found, more)
                return found
        if is_bracketed(words, "("):
            return self._cases(words[1:-1], wanted, depth - 1)
        if is_negation(words):
            return self._cases(words[1:], not wanted, depth - 1)
        return self._single(words, wanted)

    def _single(self, words: Words, wanted: bool) -> tuple[Case, ...]:
        if words in (["true"], ["false"]):
            return ALWAYS if (words == ["true"]) is wanted else NEVER
        name = name_of(words)
        if self.types.get(name) is bool:
            return ((Comparison(name, "==", (wanted,), name if wanted else f"!{name}"),),)
        places = [place for place, word in at_top(words) if word in _MIRRORED or word == "in"]
        if len(places) != 1:
            return ALWAYS
        (place,) = places
        text = written(words) if wanted else f"!({written(words)})"
        comparison = self._comparison(words[:place], words[place], words[place + 1 :], text)
        if comparison is None:
            return ALWAYS
        if isinstance(comparison, bool):
            return ALWAYS if comparison is wanted else NEVER
        if wanted:
            return ((comparison,),)
        return ((Comparison(comparison.name, _OPPOSITE[comparison.operator], comparison.values, text),),)

    def _comparison(self, left: Words, operator: str, right: Words, text: str) -> Comparison | bool | None:
        """A bool for two fixed values; None for what this does not read."""
        value = self._value(left)
        if value is not None and operator in _MIRRORED and self._value(right) is None:
            return self._comparison(right, _MIRRORED[operator], left, text)
        values = self._values(right, operator)
        if values is None:
            return None
        kind = type(value) if value is not None else self.types.get(name_of(left))
        if not _go_together(kind, operator, values):
            return None
        comparison = Comparison(name_of(left), operator, values, text)
        return comparison if value is None else comparison.holds(value)

    def _values(self, words: Words, operator: str) -> tuple[Scalar, ...] | None:
        if operator != "in":
            value = self._value(words)
            return None if value is None else (value,)
        if not is_bracketed(words, "["):
            return None
        entries = [self._value(entry) for entry in split(words[1:-1], ",")]
        known = tuple(entry for entry in entries if entry is not None)
        return known if len(known) == len(entries) else None

    def _value(self, words: Words) -> Scalar | None:
        literal = literal_of(words)
        return self.constants.get(name_of(words)) if literal is None else literal


def _go_together(kind: type | None, operator: str, values: tuple[Scalar, ...]) -> bool:
    """Numbers compare with numbers in every way, texts and yes or no with their like for being equal."""
    if kind in (int, float):
        return all(type(value) in (int, float) for value in values)
    return kind in (str, bool) and operator in _UNORDERED and all(type(value) is kind for value in values)


def _either(some: tuple[Case, ...], others: tuple[Case, ...]) -> tuple[Case, ...]:
    if len(some) + len(others) > MOST_CASES:
        raise _TooManyCases
    return some + others


def _both(some: tuple[Case, ...], others: tuple[Case, ...]) -> tuple[Case, ...]:
    if len(some) * len(others) > MOST_CASES:
        raise _TooManyCases
    return tuple((*one, *other) for one in some for other in others)
