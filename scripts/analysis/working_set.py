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

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

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
    """
    loads = sorted(costs)
    measured = np.array([costs[n] for n in loads])
    best, least = WorkingSet(float(np.median(measured)), 0.0, loads[-1]), float("inf")
    steps = max(1, round(STEPS_PER_DOUBLING * float(np.log2(loads[-1] / loads[0]))))
    for fits in np.geomspace(loads[0], loads[-1], steps + 1)[:-1]:
        missing = np.array([max(0.0, 1.0 - fits / n) for n in loads])
        design = np.stack([np.ones_like(missing), missing], axis=1) / measured[:, None]
        (base, miss), *_ = np.linalg.lstsq(design, np.ones_like(measured), rcond=None)
        if miss < 0:  # it grows cheaper: no law of caches
            base, miss = 1.0 / float(np.mean(1.0 / measured)), 0.0
        error = float(np.sum(((base + miss * missing) / measured - 1.0) ** 2))
        if error < least - 1e-12:
            best, least = WorkingSet(float(base), float(miss), float(fits)), error
    return best
