"""What happens to a rate when clients are added: peak, plateau, retention, half-decay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.intervals import Interval, median_interval
from analysis.paired import Blocks, Ratio, log_ratios, from_logs
from analysis.points import COMPARED, Point

# A load is on the plateau while its median is within this part of the peak.
PLATEAU = 0.95


@dataclass(frozen=True)
class LoadCurve:
    """One label's `metric` over clients, at loads with a usable cell."""

    label: str
    workload: str
    cpus: int
    metric: str
    peak_clients: int
    peak: Interval
    plateau_from_clients: int
    plateau_to_clients: int
    largest_clients: int
    retention: Ratio  # value at largest_clients over value at the peak
    half_decay_clients: int | None  # first load beyond the peak below half of it


def load_curves(points: Sequence[Point]) -> tuple[LoadCurve, ...]:
    """The curve of every (workload, label, CPUs) and compared metric with two loads or more."""
    curves = dict.fromkeys((p.workload, p.label, p.cpus) for p in points)
    found = []
    for workload, label, cpus in curves:
        for metric in COMPARED:
            loads = {
                p.clients: p.of(metric)
                for p in points
                if (p.workload, p.label, p.cpus) == (workload, label, cpus) and p.of(metric)
            }
            curve = load_curve(label, workload, cpus, metric, loads)
            if curve is not None:
                found.append(curve)
    return tuple(found)


def load_curve(
    label: str, workload: str, cpus: int, metric: str, loads: Mapping[int, Blocks]
) -> LoadCurve | None:
    """`loads` gives the values by block for each number of clients. None below two loads."""
    if len(loads) < 2:
        return None
    medians = {n: median_interval(list(v.values())) for n, v in sorted(loads.items())}
    peak = max(medians, key=lambda n: medians[n].median)
    top = medians[peak].median
    plateau = [n for n in medians if medians[n].median >= PLATEAU * top]
    largest = max(loads)
    kept = from_logs(retained(loads, largest))
    if kept is None:
        return None
    decayed = [n for n in medians if n > peak and medians[n].median < 0.5 * top]
    return LoadCurve(
        label=label, workload=workload, cpus=cpus, metric=metric,
        peak_clients=peak, peak=medians[peak],
        plateau_from_clients=min(plateau), plateau_to_clients=max(plateau),
        largest_clients=largest, retention=kept,
        half_decay_clients=min(decayed, default=None),
    )


def retained(loads: Mapping[int, Blocks], clients: int) -> dict[int, float]:
    """log(value at `clients` / value at the peak) in each block.

    The peak that a block is compared with is the one that the *other* blocks show. A peak chosen with
    the block's own help is high by its own luck: over five equal loads with 5 % noise such a
    retention would be 3 % too low (test_curves.py).
    """
    found = {}
    for block in loads.get(clients, {}):
        others = {
            n: [v for b, v in values.items() if b != block] or list(values.values())
            for n, values in loads.items()
            if block in values
        }
        peak = max(others, key=lambda n: (float(np.median(others[n])), -n))
        found.update(log_ratios({block: loads[clients][block]}, {block: loads[peak][block]}))
    return found
