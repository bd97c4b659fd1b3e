"""How good an analyst is, from what it said of exceptions whose answers are known."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

BINS = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """One exception: what its label says and what the analyst said, how sure it was, and how long it took."""

    code: str
    said_code: str | None
    wants_human: bool
    said_wants_human: bool
    confidence: float | None
    seconds: float
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """Of one answer among many. `precision` is None where it was never said, `recall` where it was never right to say
    it; `support` is how often it was right."""

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose confidence lies from `least` up to `below`; the last bin includes 1."""

    least: float
    below: float
    count: int
    mean_confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`calibration_error` is the expected one: how far confidence and accuracy of a bin are apart, weighted by its
    count; None when the analyst never said how sure it was. `fell_back` counts its problems."""

    count: int
    accuracy: float
    codes: tuple[Score, ...]
    wants_human: Score
    reliability: tuple[Bin, ...]
    calibration_error: float | None
    p50_s: float
    p99_s: float
    fell_back: dict[str, int]


def evaluate(judged: Sequence[Judged]) -> Evaluation:
    """Raises ValueError for no exceptions at all."""
    if not judged:
        raise ValueError("there is nothing to evaluate")
    pairs = [(one.code, one.said_code) for one in judged]
    reliability = tuple(_reliability(judged))
    seconds = sorted(one.seconds for one in judged)
    return Evaluation(
        count=len(judged),
        accuracy=sum(code == said for code, said in pairs) / len(pairs),
        codes=tuple(
            _score(name, [(code == name, said == name) for code, said in pairs])
            for name in sorted({code for pair in pairs for code in pair if code is not None})
        ),
        wants_human=_score("wants_human", [(one.wants_human, one.said_wants_human) for one in judged]),
        reliability=reliability,
        calibration_error=_calibration_error(reliability),
        p50_s=_percentile(seconds, 0.50),
        p99_s=_percentile(seconds, 0.99),
        fell_back=dict(Counter(one.problem for one in judged if one.problem is not None)),
    )


def _score(name: str, pairs: Sequence[tuple[bool, bool]]) -> Score:
    """Of pairs of what is right and what was said."""
    hits = sum(right and said for right, said in pairs)
    support, claims = sum(right for right, _ in pairs), sum(said for _, said in pairs)
    return Score(
        name=name,
        precision=hits / claims if claims else None,
        recall=hits / support if support else None,
        f1=2 * hits / (support + claims) if support + claims else None,
        support=support,
    )


def _reliability(judged: Sequence[Judged]) -> Iterator[Bin]:
    binned: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for one in judged:
        if one.confidence is not None:
            binned[min(int(one.confidence * BINS), BINS - 1)].append((one.confidence, one.code == one.said_code))
    for place, answers in enumerate(binned):
        count = len(answers)
        yield Bin(
            least=place / BINS,
            below=(place + 1) / BINS,
            count=count,
            mean_confidence=sum(sure for sure, _ in answers) / count if count else None,
            accuracy=sum(right for _, right in answers) / count if count else None,
        )


def _calibration_error(reliability: Sequence[Bin]) -> float | None:
    total = sum(bin_.count for bin_ in reliability)
    if not total:
        return None
    return sum(
        bin_.count / total * abs(bin_.mean_confidence - bin_.accuracy)
        for bin_ in reliability
        if bin_.mean_confidence is not None and bin_.accuracy is not None
    )


def _percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest rank: a value that was measured."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
