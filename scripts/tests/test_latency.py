"""Histograms merged and un-corrected, percentiles withheld, and when a server had settled."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import results
import synthetic
from analysis import histogram, steady_state
from analysis.histogram import Quantile
from analysis.record import analyse, load_analysis


def test_correction_of_wrk_is_taken_back_exactly() -> None:
    chance = np.random.default_rng(1)
    for expected_us in (7, 50, 400):
        raw: dict[int, int] = {}
        for us in chance.pareto(1.5, 3000) * 40 + 5:
            raw[int(us)] = raw.get(int(us), 0) + 1
        changed = synthetic.corrected(raw, expected_us)
        assert changed != raw
        assert histogram.uncorrected(changed, expected_us) == dict(sorted(raw.items()))
    assert histogram.uncorrected({5: 1}, 0) == {5: 1}


def test_percentiles_of_merged_histograms_are_not_averages() -> None:
    total = histogram.merged([{10: 99, 1000: 1}, {10: 50, 500: 50}])
    assert total == {10: 149, 500: 50, 1000: 1}
    assert histogram.quantiles(total, [0.5, 0.75, 1.0]) == [
        Quantile(0.5, 10), Quantile(0.75, 500), Quantile(1.0, 1000),
    ]


def test_percentile_needs_a_hundred_requests_beyond_it() -> None:
    assert histogram.supported(0.99, 10_000) and not histogram.supported(0.99, 9_999)
    assert histogram.supported(0.999, 100_000) and not histogram.supported(0.5, 99)
    assert histogram.withheld(20_000) == ("p99.9 needs 100,000 requests, there are 20,000",)


def test_latencies_of_a_campaign_come_from_its_raw_files(rich: Path) -> None:
    analysis = load_analysis(rich)
    one = next(x for x in analysis.latencies if x.clients == 64 and x.label == "st process")
    true = synthetic.latencies(64)
    assert one.requests == 6 * sum(true.values()) and not one.from_intended
    median = next(q.latency_us for q in one.curve if q.share == 0.5)
    assert median == histogram.quantiles(true, [0.5])[0].latency_us
    assert any(x.from_intended for x in analysis.latencies), "open loads count from when it was due"


def test_histogram_that_does_not_add_up_is_refused(tmp_path: Path) -> None:
    campaign = synthetic.write(tmp_path, synthetic.rich(blocks=1))
    path = next((campaign / "raw").glob("*.wrk.json"))
    report = json.loads(path.read_text())
    report["requests"] += 5
    path.write_text(json.dumps(report))
    with pytest.raises(results.BadData, match="not the histogram of wrk"):
        analyse(results.load(campaign))


def rates(*parts: tuple[int, float]) -> list[float]:
    chance = np.random.default_rng(3)
    return [level * float(np.exp(chance.normal(0, 0.02))) for n, level in parts for _ in range(n)]


def test_warm_up_is_cut_off() -> None:
    verdict = steady_state.judge(rates((10, 60.0), (50, 100.0)))
    assert verdict.steady and 10 <= verdict.cut <= 30


def test_steady_from_the_start() -> None:
    verdict = steady_state.judge(rates((60, 100.0)))
    assert verdict.steady and verdict.cut <= 30


def test_later_shift_is_found() -> None:
    verdict = steady_state.judge(rates((60, 100.0), (50, 80.0), (10, 100.0)))
    assert verdict.steady is False and "shifted" in verdict.reason


def test_small_shift_is_none() -> None:
    assert steady_state.judge(rates((50, 100.0), (50, 98.0))).steady


def test_warm_up_longer_than_half_is_no_steady_state() -> None:
    verdict = steady_state.judge([10.0 * i for i in range(1, 41)] + rates((20, 800.0)))
    assert verdict.steady is False and "half" in verdict.reason


def test_few_samples_say_nothing() -> None:
    assert steady_state.judge(rates((15, 1.0))).steady is None


def test_false_alarms_of_the_shift_test_are_rare() -> None:
    chance = np.random.default_rng(12)
    wrong = 0
    for _ in range(500):
        noisy = (100 * np.exp(chance.normal(0, 0.2, 60))).tolist()
        wrong += steady_state.judge(noisy).steady is False
    assert wrong / 500 <= 0.05
