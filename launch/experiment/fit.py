"""Fits T(np) = serial + parallel / np + communication * log2(np) to the times of strong scaling.

    fit = fit_of(series)      # None for weak scaling and for fewer than 3 values of np
    fit.at(8)                 # seconds at 8 ranks
"""
import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

FEWEST_SIZES = 3  # values of np


@dataclass(frozen=True)
class Fit:
    serial: float         # seconds, all three >= 0
    parallel: float
    communication: float
    residual: float       # root mean square of (fitted / measured - 1)
    sizes: tuple          # the np that were fitted
    oversubscribed: bool  # some of them are oversubscribed

    def at(self, np):
        return self.serial + self.parallel / np + self.communication * math.log2(np)

    @property
    def residual_has_meaning(self):
        return len(self.sizes) > FEWEST_SIZES


def fit_times(sizes, seconds):
    """(serial, parallel, communication, residual): non-negative least squares of the relative errors."""
    sizes, seconds = np.asarray(sizes, dtype=float), np.asarray(seconds, dtype=float)
    terms = np.stack([np.ones_like(sizes), 1 / sizes, np.log2(sizes)], axis=1) / seconds[:, None]
    factors, distance = nnls(terms, np.ones_like(sizes))
    return *map(float, factors), float(distance / math.sqrt(len(sizes)))


def fit_of(series):
    """The fit to the fastest mesh of each np. Oversubscribed points count only if the others are fewer than 3."""
    if series.mode != "strong":
        return None
    points = series.judged(FEWEST_SIZES)
    if len(points) < FEWEST_SIZES:
        return None
    sizes = tuple(point.np for point in points)
    factors = fit_times(sizes, [point.time.value for point in points])
    return Fit(*factors, sizes=sizes, oversubscribed=any(point.oversubscribed for point in points))
