"""What two labels of the same server differ by, and what a campaign could therefore see."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.comparisons import Comparison
from analysis.intervals import LEVEL
from analysis.paired import log_ratios, paired_ratio
from analysis.points import COMPARED, Label, Point, find


@dataclass(frozen=True)
class Noise:
    """A pair of A/A twins, all loads and blocks together."""

    twins: tuple[str, str]
    metric: str
    pairs: int
    floor: float  # 95 % of the ratios of single pairs of cells lie within a factor of this
    compared: int  # points at which the twins were compared with enough blocks
    called_different: int  # of these, how often the method was wrong


@dataclass(frozen=True)
class Detectable:
    """The smallest effect that the campaign's comparisons could see, see `paired.Ratio.detectable`."""

    metric: str
    comparisons: int
    best: float  # of the most precise comparison
    typical: float  # the median


def noise(labels: Sequence[Label], points: Sequence[Point]) -> tuple[Noise, ...]:
    """One entry for each pair of twins and metric that share a block."""
    found = []
    for twin in labels:
        if twin.twin_of is None:
            continue
        for metric in COMPARED:
            entry = _of_pair(points, twin.twin_of, twin.name, metric)
            if entry is not None:
                found.append(entry)
    return tuple(found)


def _of_pair(points: Sequence[Point], one: str, other: str, metric: str) -> Noise | None:
    sizes: list[float] = []
    verdicts: list[str] = []
    for p in points:
        twin = find(points, other, p.workload, p.clients, p.cpus)
        if p.label != one or twin is None:
            continue
        sizes += [abs(v) for v in log_ratios(p.of(metric), twin.of(metric)).values()]
        ratio = paired_ratio(p.of(metric), twin.of(metric))
        verdicts += [ratio.verdict] if ratio is not None else []
    if not sizes:
        return None
    decided = [v for v in verdicts if v != "too_few_blocks"]
    wrong = sum(v != "indistinguishable" for v in decided)
    floor = math.exp(float(np.quantile(sizes, LEVEL)))
    return Noise((one, other), metric, len(sizes), floor, len(decided), wrong)


def detectable(comparisons: Sequence[Comparison]) -> tuple[Detectable, ...]:
    """One entry for each metric with a comparison over enough blocks."""
    found = []
    for metric in COMPARED:
        sizes = [
            c.ratio.detectable for c in comparisons
            if c.metric == metric and c.ratio.detectable is not None
        ]
        if sizes:
            found.append(Detectable(metric, len(sizes), min(sizes), float(np.median(sizes))))
    return tuple(found)
