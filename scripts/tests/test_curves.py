"""Curves whose truth is known: peak, plateau, retention; the law of scalability; capacity."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize

import results
from analysis.capacity import Objective, capacities
from analysis.fairness import fairness, shares
from analysis.intervals import Interval
from analysis.load_curve import load_curve, retained
from analysis.points import WALL_CLOCK, Point, points_of
from analysis.signed_rank import Numbers
from analysis.usl import fit, law, of_curve


def blocks(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def test_peak_plateau_and_half_decay() -> None:
    medians = {1: 50.0, 8: 96.0, 64: 100.0, 512: 95.5, 4096: 49.0, 8192: 20.0}
    loads = {n: blocks(*(v * f for f in (0.99, 1.0, 1.01, 1.0, 1.0, 1.0))) for n, v in medians.items()}
    curve = load_curve("a", "w", 1, WALL_CLOCK, loads)
    assert curve is not None
    assert (curve.peak_clients, curve.plateau_from_clients, curve.plateau_to_clients) == (64, 8, 512)
    assert curve.half_decay_clients == 4096
    assert curve.retention.ratio == pytest.approx(0.2) and curve.retention.verdict == "behind"


def test_one_load_is_no_curve() -> None:
    assert load_curve("a", "w", 1, WALL_CLOCK, {8: blocks(1.0, 2.0)}) is None
    assert load_curve("a", "w", 1, WALL_CLOCK, {8: {0: 1.0}, 9: {1: 2.0}}) is not None


def test_flat_curve_is_not_made_to_fall_by_choosing_its_peak() -> None:
    """Five equal loads, 5 % noise: with the block's own help in choosing it loses 3 %."""
    chance = np.random.default_rng(11)
    fair, rash = [], []
    for _ in range(400):
        loads = {n: blocks(*np.exp(chance.normal(0, 0.05, 6)).tolist()) for n in (1, 8, 64, 512, 4096)}
        fair += list(retained(loads, 4096).values())
        peak = max(loads, key=lambda n: float(np.median(list(loads[n].values()))))
        rash += [math.log(loads[4096][b] / loads[peak][b]) for b in range(6)]
    assert np.mean(fair) == pytest.approx(0, abs=0.006)
    assert np.mean(rash) < -0.015


def test_fit_is_as_near_as_that_of_scipy() -> None:
    chance = np.random.default_rng(2)
    n = np.array([1, 2, 4, 8, 16, 32, 64.0])
    for _ in range(60):
        s, k = float(chance.choice([0, 0.01, 0.3])), float(chance.choice([0, 1e-5, 1e-3]))
        logs = np.log([law(v, 1000, s, k) for v in n]) + chance.normal(0, 0.05, 7)

        def centred(u: Numbers) -> Numbers:
            r: Numbers = logs - np.log(n) + np.log1p(u[0] / 64 * (n - 1) + u[1] / 64**2 * n * (n - 1))
            return np.asarray(r - r.mean())

        mine = fit(list(n), logs[None])[0]
        theirs = optimize.least_squares(centred, [1, 0.1], bounds=(0, np.inf), xtol=1e-12)
        error = float((centred(np.array([mine[1] * 64, mine[2] * 64**2])) ** 2).sum())
        assert error <= 2 * theirs.cost * (1 + 1e-6) + 1e-12


def test_straight_line_has_neither_contention_nor_coherence() -> None:
    g, s, k = fit([1, 2, 4, 8], np.log([[10.0, 20.0, 40.0, 80.0]]))[0]
    assert (g, s, k) == pytest.approx((10, 0, 0), abs=1e-6)


def test_two_points_are_not_identifiable() -> None:
    found = of_curve("a", "w", "cpus", 64, {1: blocks(1.0, 1.0), 2: blocks(1.9, 1.9)})
    assert found.gain is None and found.contention is None and found.coherence is None
    assert found.reason == "not identifiable: two points do not determine three unknowns"


def test_points_without_a_common_block_are_not_identifiable() -> None:
    found = of_curve("a", "w", "cpus", 64, {n: {n: 1.0} for n in (1, 2, 4)})
    assert found.gain is None and "no block" in found.reason


def test_interval_of_the_law_covers_it_and_needs_six_blocks() -> None:
    chance = np.random.default_rng(5)
    loads = {
        n: blocks(*(law(n, 100, 0.05, 0.001) * np.exp(chance.normal(0, 0.02, 8))).tolist())
        for n in (1, 2, 4, 8, 16, 32)
    }
    found = of_curve("a", "w", "cpus", 64, loads)
    for estimate, true in ((found.gain, 100), (found.contention, 0.05), (found.coherence, 0.001)):
        assert estimate is not None and estimate.low is not None and estimate.high is not None
        assert estimate.low < true < estimate.high
    assert found.peak_at == pytest.approx(math.sqrt(0.95 / 0.001), rel=0.1) and found.reason == ""
    few = of_curve("a", "w", "cpus", 64, {n: {b: v[b] for b in range(3)} for n, v in loads.items()})
    assert few.contention is not None and few.contention.low is None


def test_curve_of_another_shape_is_said_to_be_missed() -> None:
    found = of_curve("a", "w", "clients", 1, {
        n: blocks(*[min(n, 8) * 10.0] * 6) for n in (1, 2, 4, 8, 16, 64, 256, 1024)
    })
    assert "saturation" in found.reason and "misses this curve" in found.reason


@pytest.fixture(scope="module")
def curve(healthy: Path) -> list[Point]:
    points = points_of(results.load(healthy))
    return [p for p in points if (p.label, p.cpus) == ("edsm epoll", 1)]


def test_capacity_is_the_largest_load_up_to_which_all_is_well(curve: list[Point]) -> None:
    at_512 = max(v for p in curve if p.clients == 512 for v in p.of("latency_us_p99").values())
    (wide,) = capacities(curve, Objective(latency_us_p99=at_512 + 1))
    assert wide.clients is not None and wide.clients.median == wide.largest_clients == 512
    (narrow,) = capacities(curve, Objective(latency_us_p99=at_512 / 4))
    assert narrow.clients is not None and narrow.clients.median == 64
    (none,) = capacities(curve, Objective(rate_rps=1e9))
    assert none.clients is not None and none.clients.high == 0


def test_capacity_without_percentiles_is_not_said(curve: list[Point]) -> None:
    bare = [dataclasses.replace(p, values={WALL_CLOCK: p.of(WALL_CLOCK)}) for p in curve]
    (found,) = capacities(bare, Objective())
    assert found.clients is None and "10,000" in found.reason
    assert capacities(curve[:1], Objective()) == ()


def test_starved_load_is_no_capacity(curve: list[Point]) -> None:
    starved = [dataclasses.replace(p, starved=1 if p.clients == 64 else 0) for p in curve]
    (found,) = capacities(starved, Objective(latency_us_p99=1e9, rate_rps=0.001))
    assert found.clients is not None and found.clients.median == 8


def test_shares_of_equal_starved_and_no_clients() -> None:
    equal = shares([5, 5, 5, 5])
    assert equal is not None and (equal.jain, equal.slowest_share, equal.never_served) == (1, 1, 0)
    one = shares([8, 0, 0, 0])
    assert one is not None and (one.jain, one.slowest_share, one.never_served) == (0.25, 0, 3)
    assert shares([0, 0]) is None


def with_metrics(point: Point, **medians: float) -> Point:
    return dataclasses.replace(
        point, metrics={name: Interval(v, v, v, 6, 0.97) for name, v in medians.items()}
    )


def test_fairness_of_a_point_comes_from_what_was_reported(curve: list[Point]) -> None:
    point = next(p for p in curve if p.clients == 64)
    known = with_metrics(
        point, served_connections=63, jain_index=0.9, slowest_client_requests=5, generator_requests=640
    )
    (found,) = fairness([known])
    assert found.served_share is not None and found.served_share.median == 63 / 64
    assert found.slowest_share is not None and found.slowest_share.median == 0.5
    assert fairness([with_metrics(point, served_connections=9999)]) == (), "a connection a request"
