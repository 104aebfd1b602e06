"""Medians of a few runs, ratios of two sets of runs, and the interval of each.

    median([1.1, 1.0, 1.2, 1.1, 1.3])            -> Estimate(value=1.1, low=1.0, high=1.3)
    ratio(new=[1.1, 1.2, ...], old=[1.0, ...])   -> how many times as long the new runs take

The intervals come from order statistics (the sorted times), not from random resampling: README.md compares both. They
are exact for every distribution of the times. With 3 or 4 runs, Student's t on the logarithms of the times gives the
interval. It is exact if the times have a log-normal distribution. With fewer runs there is no interval.
"""
import functools
import itertools
import math
from typing import NamedTuple

import numpy as np
from scipy import stats

LEVEL = 0.95
FEWEST = 3  # of 2 runs, Student's t gives an interval that says nothing: its factor is 12.7, of 3 runs 4.3
FEWEST_FOR_ORDER = 5  # the range of 5 runs covers the median with 93.75 %, that of 4 only with 87.5 %


class Estimate(NamedTuple):
    value: float
    low: float | None = None  # None: fewer than 3 runs have no interval
    high: float | None = None

    def scaled(self, factor):
        return Estimate(*(None if number is None else number * factor for number in self))

    def around(self, value):
        """The same interval for `value`, widened if it does not contain it."""
        if self.low is None:
            return Estimate(value)
        return Estimate(value, min(self.low, value), max(self.high, value))


def median(values, level=LEVEL):
    """The median of positive values, with an interval that covers the true median with probability `level`.

    It interpolates between order statistics (Hettmansperger and Sheather, Statistics & Probability Letters 4, 1986).
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    value = float(np.median(ordered))
    if len(ordered) < FEWEST:
        return Estimate(value)
    if len(ordered) < FEWEST_FOR_ORDER:
        logarithms = np.log(ordered)
        spread = logarithms.std(ddof=1) / math.sqrt(len(ordered))
        return _student(logarithms.mean(), spread, len(ordered) - 1, level).around(value)
    outside, weight = _place(len(ordered), level)
    low, high = ((1 - weight) * values[outside] + weight * values[outside + 1] for values in (ordered, ordered[::-1]))
    return Estimate(value, float(low), float(high))


def ratio(new, old, level=LEVEL):
    """How many times as long the runs of `new` take as those of `old`: the median over all pairs (Hodges and Lehmann),
    with the interval of the Mann-Whitney test. Runs of `new` and `old` are independent."""
    new, old = np.asarray(new, dtype=float), np.asarray(old, dtype=float)
    pairs = np.sort(np.divide.outer(new, old), axis=None)
    value = float(np.median(pairs))
    if min(len(new), len(old)) < FEWEST:
        return Estimate(value)
    outside = _pairs_outside(len(new), len(old), level)
    if outside is not None:
        return Estimate(value, float(pairs[outside]), float(pairs[-1 - outside]))
    logarithms = np.log(new), np.log(old)
    shares = [part.var(ddof=1) / len(part) for part in logarithms]
    total = sum(shares)
    freedom = total**2 / sum(share**2 / (len(part) - 1) for share, part in zip(shares, logarithms)) if total > 0 else 1
    centre = logarithms[0].mean() - logarithms[1].mean()
    return _student(centre, math.sqrt(total), freedom, level).around(value)


def paired_ratio(new, old, level=LEVEL):
    """The same for paired runs: new[i] and old[i] ran in the same round, so a drift of the machine affected both."""
    return median(np.asarray(new, dtype=float) / np.asarray(old, dtype=float), level)


def _student(centre, spread, freedom, level):
    reach = stats.t.ppf((1 + level) / 2, freedom) * spread
    return Estimate(math.exp(centre), math.exp(centre - reach), math.exp(centre + reach))


@functools.cache
def _place(n, level):
    """(outside, weight): each end of the median's interval lies after `outside` of the n sorted values, and `weight` of
    the way to the next one."""
    def covered(outside):  # probability that the median lies inside, if `outside` values are left out at each end
        return 1 - 2 * stats.binom.cdf(outside, n, 0.5)

    outside = 0
    while covered(outside + 1) >= level:
        outside += 1
    if covered(outside) < level:
        return 0, 0.0
    share = (covered(outside) - level) / (covered(outside) - covered(outside + 1))
    return outside, float((n - outside - 1) * share / (outside + 1 + (n - 2 * (outside + 1)) * share))


@functools.cache
def _pairs_outside(n, m, level):
    """How many of the n m sorted ratios to leave out at each end; None if not even all of them cover `level`."""
    if math.comb(n + m, n) * (1 - level) < 2:
        return None
    ways = np.zeros(n * m + 1)  # ways[u]: orders of n + m values in which u pairs are in the wrong order
    ways[0] = 1
    for i in range(1, n + 1):  # the Gaussian binomial coefficient: times (1 - q^(m + i)) / (1 - q^i)
        ways[m + i:] -= ways[:-(m + i)].copy() if m + i <= n * m else 0
        for u in range(i, n * m + 1):
            ways[u] += ways[u - i]
    tail = list(itertools.accumulate(ways / math.comb(n + m, n)))
    return sum(2 * probability <= 1 - level for probability in tail[:n * m // 2]) - 1
