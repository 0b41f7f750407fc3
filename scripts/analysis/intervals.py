"""A median over blocks with its exact interval.

The block is the unit: all cells of a block ran within the same stretch of time with fresh server
processes, so whatever the machine did to one it did to its neighbours. Thousands of requests inside
one cell do not make more blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special  # not scipy.stats, which takes a second to import

LEVEL = 0.95
# Fewer blocks cannot support a 95 % statement: even "all of n blocks agree" has confidence
# 1 - 2^(1-n), which is 0.9375 for five and 0.96875 for six.
ENOUGH_BLOCKS = 6


@dataclass(frozen=True)
class Interval:
    """Median over `n` blocks. `low`..`high` covers the true median with probability `confidence`."""

    median: float
    low: float
    high: float
    n: int
    confidence: float  # at least LEVEL where the number of blocks allows it


def median_interval(values: Sequence[float]) -> Interval:
    """Exact interval of the median from order statistics; it supposes nothing about the shape.

    The interval between the d-th smallest and the d-th largest of n values covers the median with
    probability 1 - 2 P(Binomial(n, 1/2) < d). The largest d that keeps LEVEL is taken; below six
    values even d = 1 does not reach it, and `confidence` says what the range does give.
    """
    ordered = sorted(float(v) for v in values)
    n = len(ordered)
    depth = 1
    while coverage(n, depth + 1) >= LEVEL:
        depth += 1
    return Interval(
        median=float(np.median(ordered)),
        low=ordered[depth - 1],
        high=ordered[n - depth],
        n=n,
        confidence=max(0.0, coverage(n, depth)),
    )


def coverage(n: int, depth: int) -> float:
    """How surely the depth-th smallest and largest of n values enclose the median."""
    return 1.0 - 2.0 * float(special.bdtr(depth - 1, n, 0.5))
