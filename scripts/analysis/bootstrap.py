"""Blocks drawn with replacement, for quantities that have no exact interval.

For comparisons use `paired`: over six blocks a percentile bootstrap is too narrow (`signed_rank` has
the figures). Where the quantity is a fitted parameter nothing exact exists, and this is used with
its percentiles widened for the small sample.
"""

from __future__ import annotations

import math
import zlib

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analysis.intervals import LEVEL
from analysis.signed_rank import Numbers

SEED = 1999  # any fixed number; with it the same data give the same analysis
# The tails of the widened interval hold 0.24 % each at six blocks: five of these resamples.
RESAMPLES = 2_000


def resamples(n: int, identity: str, count: int = RESAMPLES) -> NDArray[np.int64]:
    """`count` rows of `n` indices. `identity` names the quantity and seeds its draw, so that one
    more quantity in an analysis does not move the others."""
    generator = np.random.default_rng([SEED, zlib.crc32(identity.encode())])
    return generator.integers(0, n, size=(count, n))


def intervals(resampled: Numbers, n: int) -> list[tuple[float, float]]:
    """The interval of each column of `resampled`: a row for each resample of `n` blocks.

    Hesterberg, "What Teachers Should Know About the Bootstrap" (2015): the percentiles are taken at
    Phi(-sqrt(n/(n-1)) t), which corrects the narrowness of small samples to first order.
    """
    student = float(special.stdtrit(n - 1, (1 + LEVEL) / 2))
    tail = float(special.ndtr(-math.sqrt(n / (n - 1)) * student))
    return [
        (float(np.quantile(column, tail)), float(np.quantile(column, 1 - tail)))
        for column in resampled.T
    ]
