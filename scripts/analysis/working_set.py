"""What a request costs when the memory of more and more connections competes for one cache.

    D(n) = base + miss max(0, 1 - fits / n)

A request touches the memory of its connection. While the memory of all n connections fits, that costs
`base`. With more of them than `fits`, and each as likely to be the next, the cache holds the share
fits / n, and what is not held costs up to `miss` more: the hit ratio of the independent reference model
(King, "Analysis of Demand Paging Algorithms", 1971) for pages that are all equally popular. So a cost
rises once, steeply, and then levels off; a further cache beyond the loads that were measured does not
show in them, and is the law's blind side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, median

STEPS_PER_DOUBLING = 8  # in the search for `fits`; finer than any campaign's loads


@dataclass(frozen=True)
class WorkingSet:
    """Microseconds, and a number of connections' ends."""

    base_us: float
    miss_us: float
    fits: float

    def at(self, ends: float) -> float:
        return self.base_us + self.miss_us * max(0.0, 1.0 - self.fits / ends)


def fitted(costs: Mapping[float, float]) -> WorkingSet:
    """The law that comes nearest to the costs, by least squares of the relative errors.

    Of laws that are equally near the one with the smallest `fits`, which grows the least beyond the
    largest load: a rise that only that load shows says where it began and not where it will end.
    In Python's own floats and not numpy's, whose powers differ in the last digit from one processor to
    the next: the same cells shall give the same file on all of them.
    """
    loads = sorted(costs)
    measured = [costs[n] for n in loads]
    best, least = WorkingSet(median(measured), 0.0, loads[-1]), math.inf
    steps = round(STEPS_PER_DOUBLING * math.log2(loads[-1] / loads[0]))
    for step in range(steps):
        fits = loads[0] * (loads[-1] / loads[0]) ** (step / steps)
        missing = [max(0.0, 1.0 - fits / n) for n in loads]
        base, miss = _nearest(missing, measured)
        if miss < 0:  # it grows cheaper: no law of caches
            base, miss = 1.0 / fmean(1.0 / cost for cost in measured), 0.0
        error = math.fsum(((base + miss * x) / cost - 1.0) ** 2 for x, cost in zip(missing, measured))
        if error < least - 1e-12:
            best, least = WorkingSet(base, miss, fits), error
    return best


def _nearest(missing: list[float], measured: list[float]) -> tuple[float, float]:
    """The base and the miss whose errors relative to the measured costs have the least squares."""
    ones = [1.0 / cost for cost in measured]
    shares = [x / cost for x, cost in zip(missing, measured)]
    aa = math.fsum(x * x for x in ones)
    ab = math.fsum(x * y for x, y in zip(ones, shares))
    bb = math.fsum(y * y for y in shares)
    a, b = math.fsum(ones), math.fsum(shares)
    determinant = aa * bb - ab * ab
    return (a * bb - b * ab) / determinant, (b * aa - a * ab) / determinant
