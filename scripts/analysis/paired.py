"""Two cells of the same block, as a ratio with interval and verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from analysis import signed_rank
from analysis.intervals import ENOUGH_BLOCKS, LEVEL
from analysis.signed_rank import Numbers

# A campaign "could see" an effect when it would have found it with this probability.
POWER = 0.9

Blocks = Mapping[int, float]  # a measurement by block


@dataclass(frozen=True)
class Ratio:
    """What one thing is of another, from `n` blocks that have both.

    `ratio` is the pseudomedian (Hodges-Lehmann) of the log-ratios, `low`..`high` its exact
    signed-rank interval. `detectable` is the smallest factor above 1 that as many blocks with this
    spread would find in 90 % of campaigns.
    """

    ratio: float
    low: float
    high: float
    n: int
    confidence: float
    verdict: str  # ahead, behind, indistinguishable, or too_few_blocks
    p: float | None  # see `t_test`; None below two blocks
    detectable: float | None  # None below ENOUGH_BLOCKS


def log_ratios(above: Blocks, below: Blocks) -> dict[int, float]:
    """log(above/below) in each block that has both, in the order of blocks."""
    common = sorted(above.keys() & below.keys())
    return {b: math.log(above[b] / below[b]) for b in common if above[b] > 0 and below[b] > 0}


def paired_ratio(above: Blocks, below: Blocks) -> Ratio | None:
    """`above` / `below` over the blocks that both have; None when they share no block."""
    return from_logs(log_ratios(above, below))


def from_logs(by_block: Blocks) -> Ratio | None:
    """A ratio from its logarithms by block, for ratios of more than two cells."""
    if not by_block:
        return None
    logs = np.array([by_block[b] for b in sorted(by_block)])
    low, high, confidence = signed_rank.interval(logs, LEVEL)
    if len(logs) < ENOUGH_BLOCKS:
        verdict = "too_few_blocks"
    else:
        verdict = "ahead" if low > 0 else "behind" if high < 0 else "indistinguishable"
    return Ratio(
        ratio=math.exp(signed_rank.pseudomedian(logs)),
        low=math.exp(low),
        high=math.exp(high),
        n=len(logs),
        confidence=confidence,
        verdict=verdict,
        p=t_test(logs),
        detectable=_detectable(low, high, len(logs)),
    )


def _detectable(low: float, high: float, n: int) -> float | None:
    """The half-width is t(97.5 %) standard errors; t(90 %) more make the power 90 %."""
    if n < ENOUGH_BLOCKS:
        return None
    errors_in_half = float(special.stdtrit(n - 1, (1 + LEVEL) / 2))
    more = float(special.stdtrit(n - 1, POWER))
    return math.exp((high - low) / 2 * (1 + more / errors_in_half))


def t_test(logs: Numbers) -> float | None:
    """Paired t test of the log-ratios against 0, the p that Holm's adjustment takes.

    Not the signed-rank p: from six blocks that one cannot go below 2^-5 = 0.03, so no family of two
    comparisons could ever be significant. Heavy tails make the t test timid rather than rash.
    """
    n = len(logs)
    if n < 2:
        return None
    if float(np.ptp(logs)) == 0.0:  # the statistic would divide by zero
        return 1.0 if logs[0] == 0.0 else 0.0
    statistic = abs(float(logs.mean())) / (float(logs.std(ddof=1)) / math.sqrt(n))
    return 2.0 * float(special.stdtr(n - 1, -statistic))
