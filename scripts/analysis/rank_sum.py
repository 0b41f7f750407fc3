"""Two campaigns that share no block: the exact rank-sum interval of a ratio."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from analysis.intervals import LEVEL
from analysis.paired import Ratio
from analysis.signed_rank import Numbers

# Up to here all orders are counted exactly; beyond, the tail of 2.5 % is right to 0.05 %.
COUNTED = 900  # differences, 30 blocks against 30


@functools.cache
def _at_most(n: int, m: int) -> Numbers:
    """P(U <= u) for u = 0..nm under "no difference": partitions into n parts of at most m."""
    ways = [[np.ones(1) if j == 0 or i == 0 else np.zeros(0) for j in range(m + 1)]
            for i in range(n + 1)]
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            total = np.zeros(i * j + 1)
            total[j : j + len(ways[i - 1][j])] += ways[i - 1][j]
            total[: len(ways[i][j - 1])] += ways[i][j - 1]
            ways[i][j] = total
    counts = np.cumsum(ways[n][m])
    at_most: Numbers = counts / counts[-1]
    return at_most


def _tail(u: int, n: int, m: int) -> float:
    """P(U <= u)."""
    if u < 0:
        return 0.0
    if n * m <= COUNTED:
        return float(_at_most(n, m)[u])
    deviation = math.sqrt(n * m * (n + m + 1) / 12)
    return float(special.ndtr((u + 0.5 - n * m / 2) / deviation))


def unpaired_ratio(above: Sequence[float], below: Sequence[float]) -> Ratio | None:
    """The shift between two independent samples on the log scale; None when one is empty.

    `ratio` is the median of all quotients, the interval the exact one between quotients. Four blocks
    against four are the fewest that reach 95 %.
    """
    first = np.log([v for v in above if v > 0])
    second = np.log([v for v in below if v > 0])
    n, m = len(first), len(second)
    if n == 0 or m == 0:
        return None
    differences = np.sort(np.subtract.outer(first, second).ravel())
    depth = 1
    while depth < len(differences) // 2 and 1 - 2 * _tail(depth, n, m) >= LEVEL:
        depth += 1
    confidence = max(0.0, 1 - 2 * _tail(depth - 1, n, m))
    low, high = float(differences[depth - 1]), float(differences[-depth])
    if confidence < LEVEL:
        verdict = "too_few_blocks"
    else:
        verdict = "ahead" if low > 0 else "behind" if high < 0 else "indistinguishable"
    larger = int(np.sum(differences > 0))
    not_smaller = int(np.sum(differences >= 0))
    p = min(1.0, 2 * min(1 - _tail(larger - 1, n, m), _tail(not_smaller, n, m)))
    return Ratio(
        ratio=math.exp(float(np.median(differences))), low=math.exp(low), high=math.exp(high),
        n=min(n, m), confidence=confidence, verdict=verdict, p=p, detectable=None,
    )
