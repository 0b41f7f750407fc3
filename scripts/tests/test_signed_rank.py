"""The exact distributions, against counting all cases by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from analysis import rank_sum, signed_rank
from analysis.paired import from_logs
from analysis.rank_sum import unpaired_ratio


@pytest.mark.parametrize("n", [1, 2, 5, 7])
def test_signed_rank_distribution_is_that_of_all_signs(n: int) -> None:
    sums = [
        sum(rank for rank, plus in enumerate(signs, 1) if plus)
        for signs in itertools.product((False, True), repeat=n)
    ]
    at_most = signed_rank._at_most(n)
    for w in range(n * (n + 1) // 2 + 1):
        assert at_most[w] == pytest.approx(sum(s <= w for s in sums) / 2**n)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 2), (4, 4)])
def test_rank_sum_distribution_is_that_of_all_orders(n: int, m: int) -> None:
    counts = [
        sum(place - i for i, place in enumerate(places))
        for places in itertools.combinations(range(n + m), n)
    ]
    for u in range(n * m + 1):
        assert rank_sum._tail(u, n, m) == pytest.approx(sum(c <= u for c in counts) / len(counts))


def test_normal_approximation_continues_the_exact_distribution() -> None:
    exact = rank_sum._at_most(30, 31)
    for u in (300, 320, 340):
        assert rank_sum._tail(u, 30, 31) == pytest.approx(float(exact[u]), abs=5e-4)


def test_six_values_give_their_range_and_seven_too() -> None:
    values = np.array([3.0, 1.0, 2.0, 6.0, 5.0, 4.0])
    assert signed_rank.interval(values, 0.95) == (1.0, 6.0, 0.96875)
    low, high, confidence = signed_rank.interval(np.append(values, 7.0), 0.95)
    assert (low, high) == (2.0, 6.0) and confidence == pytest.approx(1 - 6 / 128)


def test_five_values_say_what_they_can() -> None:
    assert signed_rank.interval(np.arange(5.0), 0.95)[2] == pytest.approx(0.9375)
    assert signed_rank.interval(np.array([1.0]), 0.95) == (1.0, 1.0, 0.0)


def test_one_neighbour_waking_up_moves_nothing_much() -> None:
    quiet = np.array([0.01, 0.012, 0.009, 0.011, 0.01, 0.013, 0.008])
    loud = np.append(quiet, -0.3)
    assert signed_rank.pseudomedian(loud) == pytest.approx(0.0095, abs=0.001)
    assert loud.mean() < -0.02


def test_p_value_agrees_with_the_interval() -> None:
    chance = np.random.default_rng(4)
    for _ in range(300):
        values = chance.standard_t(2, size=9) + 0.8
        low, high, _ = signed_rank.interval(values, 0.95)
        assert (low > 0 or high < 0) == (signed_rank.p_value(values) <= 0.05)


def test_no_difference_at_all_is_no_evidence() -> None:
    assert signed_rank.p_value(np.zeros(8)) == 1.0
    ratio = from_logs(dict.fromkeys(range(8), 0.0))
    assert ratio is not None and (ratio.verdict, ratio.p) == ("indistinguishable", 1.0)


def test_equal_ratios_are_certain_and_need_no_spread() -> None:
    ratio = from_logs(dict.fromkeys(range(8), 0.1))
    assert ratio is not None and (ratio.verdict, ratio.p) == ("ahead", 0.0)
    assert from_logs({}) is None
    one = from_logs({3: 0.1})
    assert one is not None and (one.p, one.detectable, one.verdict) == (None, None, "too_few_blocks")


def test_unpaired_interval_covers_the_truth_and_needs_four_against_four() -> None:
    chance = np.random.default_rng(2)
    covered = 0
    for _ in range(500):
        ratio = unpaired_ratio(
            np.exp(chance.standard_t(3, 7) * 0.05 + 0.1), np.exp(chance.standard_t(3, 6) * 0.05)
        )
        assert ratio is not None and ratio.confidence >= 0.95
        covered += ratio.low <= np.exp(0.1) <= ratio.high
    assert covered / 500 >= 0.94
    few = unpaired_ratio([2.0, 2.1, 2.2], [1.0, 1.1, 1.2])
    assert few is not None and few.verdict == "too_few_blocks"
    enough = unpaired_ratio([2.0, 2.1, 2.2, 2.3], [1.0, 1.1, 1.2, 1.3])
    assert enough is not None and enough.verdict == "ahead"
    assert unpaired_ratio([], [1.0]) is None


def test_many_blocks_against_many_use_the_approximation() -> None:
    chance = np.random.default_rng(9)
    ratio = unpaired_ratio(np.exp(chance.normal(0.2, 0.1, 40)), np.exp(chance.normal(0, 0.1, 40)))
    assert ratio is not None and ratio.verdict == "ahead"
    assert ratio.low < np.exp(0.2) < ratio.high and ratio.p is not None and ratio.p < 1e-6
