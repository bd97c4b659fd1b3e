"""Can a condition ever be true? A rule that cannot looks like protection and is none.

A condition is refused only where this is sure of it: `boolean_cases` supposes that whatever it cannot read may hold,
and names are taken to be independent of each other.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, pairwise

from schemas.values import Money
from worker.adapters.policy.boolean_cases import Case, CaseReader, Comparison, Scalar
from worker.adapters.policy.quantities import Limit
from worker.adapters.policy.vocabulary import VARIABLES, Variable

_SOME_OTHER_TEXT = "\0"


def why_never(source: str, limits: Mapping[str, Limit]) -> str | None:
    """Why the condition is false whatever the facts are; None when it may be true."""
    reader = CaseReader(
        types={name: variable.type for name, variable in _COMPARABLE.items()},
        constants={
            f"limits.{name}": limit.amount_minor if isinstance(limit, Money) else limit
            for name, limit in limits.items()
        },
    )
    cases = reader.cases(source)
    if not cases:
        return "it is always false"
    reasons = [_impossible(case) for case in cases]
    return None if None in reasons else reasons[0]


_COMPARABLE: Mapping[str, Variable] = {
    **VARIABLES,
    **{f"size({name})": Variable(int, "") for name, variable in VARIABLES.items() if variable.type in (str, list)},
}


def _impossible(case: Case) -> str | None:
    """The comparisons of a case that exclude each other, in words."""
    by_name = sorted(case, key=lambda comparison: comparison.name)
    for name, group in groupby(by_name, key=lambda comparison: comparison.name):
        comparisons = tuple(group)
        candidates = _candidates(_COMPARABLE[name], comparisons)
        if any(all(comparison.holds(value) for comparison in comparisons) for value in candidates):
            continue
        texts = list(dict.fromkeys(f"`{comparison.text}`" for comparison in comparisons))
        return f"{' and '.join(texts)} never hold together" if len(texts) > 1 else f"{texts[0]} never holds"
    return None


def _candidates(variable: Variable, comparisons: Iterable[Comparison]) -> Iterator[Scalar]:
    """Values of the variable such that, if none of them satisfies the comparisons, no value does."""
    values = {value for comparison in comparisons for value in comparison.values}
    if variable.type is bool:
        yield from (False, True)
    elif variable.type is str:
        yield from variable.words or {*values, _SOME_OTHER_TEXT}
    else:
        numbers = {value for value in values if not isinstance(value, str)}
        near = _whole_numbers_near(numbers) if variable.type is int else _numbers_near(numbers, variable)
        yield from (number for number in near if variable.least <= number <= variable.most)


def _whole_numbers_near(numbers: Iterable[float]) -> set[float]:
    """Every number itself where it is whole, and one in each gap: between neighbours, below and above all."""
    return {math.floor(number) + step for number in numbers for step in (-1, 0, 1, 2)}


def _numbers_near(numbers: Iterable[float], variable: Variable) -> set[float]:
    bounds = [bound for bound in (variable.least, variable.most) if math.isfinite(bound)]
    marks = sorted({*numbers, *bounds})
    between = {(low + high) / 2 for low, high in pairwise(marks)}
    return {*marks, *between, marks[0] - 1, marks[-1] + 1}
