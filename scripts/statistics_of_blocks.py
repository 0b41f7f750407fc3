"""What may be said from a handful of blocks: a median with its interval, a paired ratio with its own.

The block is the unit: all cells of a block ran within the same stretch of time with fresh server
processes, so whatever the machine did to one it did to its neighbours. Thousands of requests inside
one cell do not make more blocks.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special  # not scipy.stats, which takes a second to import

Logs = np.ndarray[tuple[int], np.dtype[np.float64]]  # log-ratios, one for each block

LEVEL = 0.95
# Fewer blocks cannot support a 95 % statement: even "all of n blocks agree" has confidence
# 1 - 2^(1-n), which is 0.9375 for five and 0.96875 for six.
ENOUGH_BLOCKS = 6
# The tails of the widened bootstrap hold 0.24 % each at six blocks: about 50 of these resamples.
RESAMPLES = 20_000
SEED = 1999  # any fixed number; with it the same data give the same analysis


@dataclass(frozen=True)
class Interval:
    """Median over `n` blocks. `low`..`high` covers the true median with probability `confidence`."""

    median: float
    low: float
    high: float
    n: int
    confidence: float  # at least LEVEL where the number of blocks allows it


@dataclass(frozen=True)
class Ratio:
    """Geometric mean over blocks of the ratio of two cells of the same block."""

    ratio: float
    low: float
    high: float
    n: int
    confidence: float
    verdict: str  # ahead, behind, indistinguishable, or too_few_blocks
    p: float | None  # paired t test on log-ratios against 1; None below two blocks


def median_interval(values: Sequence[float]) -> Interval:
    """Exact interval of the median from order statistics; it supposes nothing about the shape.

    The interval between the d-th smallest and the d-th largest of n values covers the median with
    probability 1 - 2 P(Binomial(n, 1/2) < d). The largest d that keeps LEVEL is taken; below six
    values even d = 1 does not reach it, and `confidence` says what the range does give.
    """
    ordered = sorted(values)
    n = len(ordered)
    depth = 1
    while _coverage(n, depth + 1) >= LEVEL:
        depth += 1
    return Interval(
        median=float(np.median(ordered)),
        low=ordered[depth - 1],
        high=ordered[n - depth],
        n=n,
        confidence=max(0.0, _coverage(n, depth)),
    )


def _coverage(n: int, depth: int) -> float:
    return 1.0 - 2.0 * float(special.bdtr(depth - 1, n, 0.5))


def paired_ratio(
    above: Mapping[int, float], below: Mapping[int, float], identity: str
) -> Ratio | None:
    """`above` / `below` over the blocks that both have; None when they share no block.

    `identity` names the comparison and seeds its bootstrap, so that adding one comparison to an
    analysis does not move the others.
    """
    blocks = sorted(b for b in above.keys() & below.keys() if above[b] > 0 and below[b] > 0)
    if not blocks:
        return None
    logs = np.array([math.log(above[b] / below[b]) for b in blocks])
    n = len(logs)
    centre = float(logs.mean())
    if n < ENOUGH_BLOCKS:
        low, high = float(logs.min()), float(logs.max())
        verdict, confidence = "too_few_blocks", max(0.0, _coverage(n, 1))
    else:
        low, high = _bootstrap(logs, identity)
        confidence = LEVEL
        verdict = "ahead" if low > 0 else "behind" if high < 0 else "indistinguishable"
    return Ratio(
        ratio=math.exp(centre),
        low=math.exp(low),
        high=math.exp(high),
        n=n,
        confidence=confidence,
        verdict=verdict,
        p=_t_test(logs),
    )


def _bootstrap(logs: Logs, identity: str) -> tuple[float, float]:
    """Percentile bootstrap of the mean over blocks, widened for small samples.

    The plain percentile interval is too narrow by sqrt((n-1)/n) and by using normal where Student's
    quantiles belong. Hesterberg, "What Teachers Should Know About the Bootstrap" (2015), corrects
    both by taking the percentiles at Phi(-sqrt(n/(n-1)) t). Simulated with normal blocks this covers
    the truth in 93 % of campaigns of six blocks and 94 % of eight, where the plain one has 86 %.
    """
    n = len(logs)
    generator = np.random.default_rng([SEED, zlib.crc32(identity.encode())])
    means = logs[generator.integers(0, n, size=(RESAMPLES, n))].mean(axis=1)
    student = float(special.stdtrit(n - 1, (1 + LEVEL) / 2))
    tail = float(special.ndtr(-math.sqrt(n / (n - 1)) * student))
    return float(np.quantile(means, tail)), float(np.quantile(means, 1 - tail))


def _t_test(logs: Logs) -> float | None:
    if len(logs) < 2:
        return None
    if float(np.ptp(logs)) == 0.0:  # the statistic would divide by zero
        return 1.0 if logs[0] == 0.0 else 0.0
    n = len(logs)
    statistic = abs(float(logs.mean())) / (float(logs.std(ddof=1)) / math.sqrt(n))
    return 2.0 * float(special.stdtr(n - 1, -statistic))


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down adjustment over one family of comparisons; None stays None."""
    known = sorted((value, index) for index, value in enumerate(p) if value is not None)
    adjusted: list[float | None] = [None] * len(p)
    running = 0.0
    for rank, (value, index) in enumerate(known):
        running = max(running, min(1.0, value * (len(known) - rank)))
        adjusted[index] = running
    return adjusted
