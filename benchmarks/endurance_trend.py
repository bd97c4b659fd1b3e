"""Does a series of samples grow? A slope that a few odd samples do not move, how sure it is, and a verdict.

The slope is Theil and Sen's: the median of the slopes between all pairs of samples. Its interval is Sen's (1968), from
the variance of Kendall's S. Samples of a process resemble their neighbours, and each then says less than a new one
would: the variance is raised by Yue and Wang's (2004) factor, from the autocorrelation of what the slope leaves over.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

CONFIDENCE = 0.95
FEWEST_SAMPLES = 8


class Verdict(StrEnum):
    FLAT = "flat"
    GROWS = "grows"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Trend:
    """`level` is the median of the samples; the slope and its 95 % interval are per hour, in the samples' unit."""

    level: float
    slope: float
    low: float
    high: float

    def verdict(self, tolerance: float) -> Verdict:
        """`tolerance` is the growth per hour that does not matter.

        Flat: the whole interval lies at or below it. Grows: the slope is above it, and the interval above zero.
        Undecided otherwise: the samples are too few or too scattered to say either.
        """
        if self.high <= tolerance:
            return Verdict.FLAT
        return Verdict.GROWS if self.low > 0 and self.slope > tolerance else Verdict.UNDECIDED


def trend_of(hours: Sequence[float], values: Sequence[float]) -> Trend:
    """Raises ValueError when there are too few samples for an interval."""
    count = len(values)
    if count < FEWEST_SAMPLES:
        raise ValueError(f"{count} samples are too few for a trend, which takes {FEWEST_SAMPLES}: run longer")
    slopes = sorted(
        (values[later] - values[earlier]) / (hours[later] - hours[earlier])
        for earlier in range(count)
        for later in range(earlier + 1, count)
    )
    slope = statistics.median(slopes)
    rest = [value - slope * hour for hour, value in zip(hours, values, strict=True)]
    spread = math.sqrt(_variance_of_kendalls_s(count) * redundancy(rest))
    reach = statistics.NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * spread
    low, high = round((len(slopes) - reach) / 2), round((len(slopes) + reach) / 2)
    return Trend(statistics.median(values), slope, slopes[max(0, low)], slopes[min(len(slopes) - 1, high)])


def after_warm_up(hours: Sequence[float], share: float) -> int:
    """The index of the first sample that counts: the first `share` of the time is warm-up."""
    begin = hours[0] + (hours[-1] - hours[0]) * share
    return next(index for index, hour in enumerate(hours) if hour >= begin)


def peaks(hours: Sequence[float], values: Sequence[float], span: float) -> list[float]:
    """Each sample becomes the highest of the last `span` hours: what a series swings below, if it swings faster."""
    return [
        max(value for then, value in zip(hours, values, strict=True) if hour - span <= then <= hour) for hour in hours
    ]


def redundancy(values: Sequence[float]) -> float:
    """How many samples of this series say as much as one that resembles no other: 1 or more.

    Autocorrelations are summed up to the first that is not positive; those behind it are noise.
    """
    count, mean = len(values), statistics.fmean(values)
    apart = [value - mean for value in values]
    whole = math.fsum(one * one for one in apart)
    if math.isclose(whole, 0.0, abs_tol=1e-12):
        return 1.0
    total = 0.0
    for lag in range(1, count):
        correlation = math.fsum(one * other for one, other in zip(apart, apart[lag:], strict=False)) / whole
        if correlation <= 0:
            break
        total += (1 - lag / count) * correlation
    return 1 + 2 * total


def _variance_of_kendalls_s(count: int) -> float:
    return count * (count - 1) * (2 * count + 5) / 18
