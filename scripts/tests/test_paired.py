"""Intervals cover what they claim to cover, and nothing is claimed from too few """

from __future__ import annotations

import math
import random

import pytest

from analysis.holm import holm
from analysis.intervals import median_interval
from analysis.paired import paired_ratio


@pytest.mark.parametrize(
    ("n", "confidence"), [(1, 0.0), (2, 0.5), (5, 0.9375), (6, 0.96875), (9, 0.9609375)]
)
def test_confidence_of_the_median_interval_is_the_exact_one(n: int, confidence: float) -> None:
    assert median_interval(range(n)).confidence == pytest.approx(confidence)


def test_nine_blocks_drop_the_extremes() -> None:
    interval = median_interval([5, 1, 9, 3, 7, 2, 8, 4, 6])
    assert (interval.median, interval.low, interval.high) == (5, 2, 8)


def test_median_interval_covers_the_truth_as_often_as_it_says() -> None:
    chance = random.Random(4)
    covered = 0
    for _ in range(2000):
        interval = median_interval([chance.expovariate(1) for _ in range(7)])
        covered += interval.low <= math.log(2) <= interval.high
    assert covered / 2000 == pytest.approx(interval.confidence, abs=0.01)


def test_paired_ratio_interval_covers_the_truth_as_often_as_it_says() -> None:
    chance = random.Random(5)
    covered, confidence = 0, 0.0
    for _ in range(1000):
        mood = [chance.uniform(0.5, 2) for _ in range(8)]
        above = {b: 1.2 * m * math.exp(chance.gauss(0, 0.05)) for b, m in enumerate(mood)}
        below = {b: m * math.exp(chance.gauss(0, 0.05)) for b, m in enumerate(mood)}
        ratio = paired_ratio(above, below)
        assert ratio is not None
        covered += ratio.low <= 1.2 <= ratio.high
        confidence = ratio.confidence
    assert covered / 1000 == pytest.approx(confidence, abs=0.015) and confidence >= 0.95


def test_pairing_removes_what_a_block_did_to_both() -> None:
    mood = {b: 10.0 ** b for b in range(6)}
    ratio = paired_ratio({b: 3 * m for b, m in mood.items()}, mood)
    assert ratio is not None
    assert (ratio.ratio, ratio.low, ratio.high) == pytest.approx((3, 3, 3))
    assert ratio.verdict == "ahead"


def test_five_blocks_never_decide() -> None:
    ratio = paired_ratio({b: 2.0 + b for b in range(5)}, {b: 1.0 for b in range(5)})
    assert ratio is not None
    assert ratio.verdict == "too_few_blocks"
    assert (ratio.low, ratio.high, ratio.confidence) == pytest.approx((2, 6, 0.9375))


def test_only_common_blocks_are_compared() -> None:
    ratio = paired_ratio({0: 2.0, 1: 2.0}, {1: 1.0, 2: 1.0})
    assert ratio is not None and ratio.n == 1
    assert paired_ratio({0: 1.0}, {1: 1.0}) is None


def test_holm_multiplies_the_smallest_most_and_never_goes_down() -> None:
    assert holm([0.01, None, 0.04, 0.03]) == pytest.approx([0.03, None, 0.06, 0.06])
