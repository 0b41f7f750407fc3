"""When a server had settled, and whether it stayed so: MSER-5, then a test for a shift.

The harness samples the servers' counters every 100 ms. White (1997), "An effective truncation
heuristic for bias reduction": cut off as much of the start as makes the standard error of the mean
of what remains smallest, on means of five samples. Pettitt (1979) tests whether the remainder
consists of two parts with different levels.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.rank_sum import unpaired_ratio
from analysis.signed_rank import Numbers
from results import Cell

BATCH = 5  # samples; the five of MSER-5
# Fewer batches cannot show a cut of half and a shift in the rest.
FEWEST_BATCHES = 4
# A shift counts when chance would make it once in a hundred cells, and it is of a size that matters:
# cells of one server differ by 2 % and more from block to block anyway.
SHIFT_P = 0.01
SHIFT_SIZE = 0.05


@dataclass(frozen=True)
class Verdict:
    """`cut` samples of warm-up; `steady` is None when there are too few samples to say."""

    cut: int
    steady: bool | None
    reason: str


def judge(rates: Sequence[float]) -> Verdict:
    """`rates` are a counter's differences over equal times."""
    batches = np.array(
        [np.mean(rates[i : i + BATCH]) for i in range(0, len(rates) - BATCH + 1, BATCH)]
    )
    if len(batches) < FEWEST_BATCHES:
        return Verdict(0, None, f"{len(rates)} samples are too few to say")
    half = len(batches) // 2
    cut = mser(batches, len(batches))
    if cut > half:
        # Of a dozen batches without any warm-up the last few are often alike by chance, and MSER
        # would keep only those. It is believed when what it cuts off is of another level.
        if _differ(batches[:cut], batches[cut:]):
            return Verdict(cut * BATCH, False, "the warm-up takes more than half of the window")
        cut = mser(batches, half)
    rest = batches[cut:]
    place, p = pettitt(rest)
    size = _step(rest[:place], rest[place:])
    if p < SHIFT_P and size > SHIFT_SIZE:
        return Verdict(cut * BATCH, False, f"the rate shifted by {100 * size:.0f} % later on")
    return Verdict(cut * BATCH, True, "")


def _step(before: Numbers, after: Numbers) -> float:
    """How far apart two levels are, as a share of the first."""
    level = float(before.mean())
    return abs(float(after.mean()) / level - 1) if level > 0 else math.inf


def _differ(before: Numbers, after: Numbers) -> bool:
    ratio = unpaired_ratio(list(before), list(after))
    surely = ratio is not None and ratio.p is not None and ratio.p < SHIFT_P
    return surely and _step(before, after) > SHIFT_SIZE


def mser(values: Numbers, longest: int) -> int:
    """How many values to cut off the start, at most `longest`. The last fifth is never cut: few
    equal values there would look infinitely precise."""
    best, best_error = 0, math.inf
    for cut in range(0, min(longest, len(values) - max(3, len(values) // 5)) + 1):
        rest = values[cut:]
        error = float(rest.var()) / len(rest)
        if error < best_error:
            best, best_error = cut, error
    return best


def pettitt(values: Numbers) -> tuple[int, float]:
    """(length of the first part, p) of the likeliest change of level."""
    n = len(values)
    signs = np.sign(np.subtract.outer(values, values))
    statistic = np.array([abs(signs[:t, t:].sum()) for t in range(1, n)])
    place = int(np.argmax(statistic))
    largest = float(statistic[place])
    return place + 1, min(1.0, 2 * math.exp(-6 * largest**2 / (n**3 + n**2)))


def sampled_rates(directory: Path, cell: Cell) -> list[float] | None:
    """Requests per second between the samples of a cell's window; None where there are none.

    The samples are in the cell, in older campaigns in a file beside it.
    """
    samples: dict[str, list[float]] = cell.samples
    if not samples:
        names = [n for n in cell.provenance.get("raw", ()) if n.endswith(".samples.json")]
        if not names or not (directory / names[0]).is_file():
            return None
        samples = json.loads((directory / names[0]).read_text(encoding="utf-8"))
    times, requests = samples["time_s"], samples["requests"]
    return [
        (requests[i + 1] - requests[i]) / (times[i + 1] - times[i])
        for i in range(len(times) - 1)
        if times[i + 1] > times[i] >= 0  # the window begins at 0
    ]
