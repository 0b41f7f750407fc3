"""What the method must reach on a machine as noisy as ours: false alarms, power, recovered laws.

Run with -s to see the figures that the docstrings quote.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

import machine
from analysis.bootstrap import intervals, resamples
from analysis.holm import holm
from analysis.paired import from_logs, t_test
from analysis.usl import fit, law

TEN_MINUTES = 600.0  # seconds


def verdict_of(logs: NDArray[np.float64]) -> str:
    ratio = from_logs(dict(enumerate(float(v) for v in logs)))
    assert ratio is not None
    return ratio.verdict


@pytest.mark.parametrize("blocks", [6, 8, 12, 20])
def test_twins_are_called_different_in_at_most_six_percent(blocks: int) -> None:
    chance, noise = np.random.default_rng(blocks), machine.RESIDUALS
    campaigns = 2000
    wrong = sum(
        verdict_of(machine.paired_logs(chance, noise, blocks, cells_per_block=24)) != "indistinguishable"
        for _ in range(campaigns)
    )
    print(f"{blocks} blocks: {100 * wrong / campaigns:.1f} % of twins called different")
    assert wrong / campaigns <= 0.06


def test_percentile_bootstrap_over_six_blocks_would_be_rash() -> None:
    """The reason for signed ranks: the textbook bootstrap breaks the bar by a factor of two."""
    chance, noise = np.random.default_rng(3), machine.RESIDUALS
    drawn = resamples(6, "as a textbook has it", 1000)
    wrong = 0
    for _ in range(1000):
        logs = machine.paired_logs(chance, noise, 6, cells_per_block=24)
        low, high = np.quantile(logs[drawn].mean(axis=1), [0.025, 0.975])
        wrong += bool(low > 0 or high < 0)
    print(f"percentile bootstrap, 6 blocks: {wrong / 10:.1f} % of twins called different")
    assert wrong / 1000 > 0.08


def test_intervals_cover_the_truth_at_every_number_of_blocks() -> None:
    """Signed ranks keep what they promise from three blocks on; printed beside what else there is."""
    chance, noise, campaigns = np.random.default_rng(11), machine.RESIDUALS, 600
    print("blocks  promised  signed ranks  Student's t  bootstrap  widened bootstrap")
    for blocks in range(3, 13):
        drawn = resamples(blocks, "coverage", 500)
        covered, promised = np.zeros(4), 0.0
        for _ in range(campaigns):
            logs = machine.paired_logs(chance, noise, blocks, cells_per_block=24)
            ratio, p = from_logs(dict(enumerate(logs.tolist()))), t_test(logs)
            assert ratio is not None and p is not None
            means = logs[drawn].mean(axis=1)
            plain = np.quantile(means, [0.025, 0.975])
            widened = intervals(means[:, None], blocks)[0]
            promised = ratio.confidence
            covered += [ratio.low <= 1 <= ratio.high, p >= 0.05, plain[0] <= 0 <= plain[1],
                        widened[0] <= 0 <= widened[1]]
        shares = " ".join(f"{100 * c / campaigns:11.1f} %" for c in covered)
        print(f"{blocks:6d} {100 * promised:7.1f} % {shares}")
        # 600 campaigns know a share near 95 % to 0.9 % (standard error).
        assert covered[0] / campaigns >= promised - 0.027


def test_three_percent_are_found_in_ten_minutes() -> None:
    chance, noise = np.random.default_rng(1), machine.RESIDUALS
    blocks = int(TEN_MINUTES / (2 * machine.SECONDS_PER_CELL))
    campaigns, found, found_by_t = 400, 0, 0
    for _ in range(campaigns):
        logs = machine.paired_logs(chance, noise, blocks, effect=-0.03)
        found += verdict_of(logs) == "behind"
        p = t_test(logs)
        found_by_t += p is not None and p < 0.05 and float(logs.mean()) < 0
    print(f"{blocks} blocks: signed ranks {found / 4:.1f} %, Student's t {found_by_t / 4:.1f} %")
    assert found / campaigns >= 0.9


@pytest.mark.parametrize("looks", [(6, 12, 24, 48)])
def test_stopping_at_a_precision_keeps_the_level(looks: tuple[int, ...]) -> None:
    """archbench stops at fixed looks once the half-width is small enough, whatever the verdict."""
    chance, noise = np.random.default_rng(8), machine.RESIDUALS
    wrong, campaigns = 0, 500
    for _ in range(campaigns):
        logs = machine.paired_logs(chance, noise, looks[-1])
        ratio = None
        for look in looks:
            ratio = from_logs(dict(enumerate(float(v) for v in logs[:look])))
            assert ratio is not None
            if np.log(ratio.high / ratio.low) / 2 <= 0.05:
                break
        assert ratio is not None
        wrong += ratio.verdict != "indistinguishable"
    print(f"stopping when precise: {wrong / 5:.1f} % of twins called different")
    assert wrong / campaigns <= 0.06


def test_family_of_comparisons_has_a_false_alarm_in_at_most_six_percent() -> None:
    chance, noise = np.random.default_rng(5), machine.RESIDUALS
    wrong, families = 0, 500
    for _ in range(families):
        p = [t_test(machine.paired_logs(chance, noise, 6, cells_per_block=24)) for _ in range(10)]
        wrong += any(v is not None and v < 0.05 for v in holm(p))
    print(f"families of ten twins: {wrong / 5:.1f} % with a false alarm after Holm")
    assert wrong / families <= 0.06


TRUTHS = [
    # Curves that turn (32 CPUs), that bend (32 CPUs), and that nearly are straight (128).
    (1000.0, 0.05, 0.002, 32), (20_000.0, 0.1, 0.004, 32), (500.0, 0.02, 0.0005, 128),
]


@pytest.mark.parametrize(("g", "s", "k", "largest"), TRUTHS)
def test_law_is_recovered_within_five_percent(g: float, s: float, k: float, largest: int) -> None:
    """20 blocks with 1 % noise per cell after pairing, loads in powers of two."""
    loads = [2**i for i in range(largest.bit_length())]
    true = np.log([law(n, g, s, k) for n in loads])
    chance = np.random.default_rng(17)
    logs = true + chance.normal(0, 0.01, size=(20, len(loads)))
    found = fit(loads, logs.mean(axis=0)[None])[0]
    print(f"g {found[0] / g:.3f} s {found[1] / s:.3f} k {found[2] / k:.3f} of the truth")
    assert found == pytest.approx((g, s, k), rel=0.05)


def test_detectable_effect_is_found_as_often_as_it_says() -> None:
    """Normal noise, because the detectable effect is computed from its quantiles."""
    chance = np.random.default_rng(6)
    blocks, deviation = 20, 0.05
    sizes = []
    for _ in range(200):
        ratio = from_logs(dict(enumerate(chance.normal(0, deviation, blocks).tolist())))
        assert ratio is not None and ratio.detectable is not None
        sizes.append(np.log(ratio.detectable))
    effect = float(np.median(sizes))
    found = sum(
        verdict_of(chance.normal(effect, deviation, blocks)) == "ahead" for _ in range(400)
    )
    assert found / 400 == pytest.approx(0.9, abs=0.05)
    exact = (special.stdtrit(19, 0.975) + special.stdtrit(19, 0.9)) * deviation / np.sqrt(blocks)
    assert effect == pytest.approx(float(exact), rel=0.1)
