"""Everybody against the reference, everything else equal, paired within blocks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.holm import holm
from analysis.paired import Ratio, paired_ratio
from analysis.points import COMPARED, Label, Point, find


@dataclass(frozen=True)
class Comparison:
    """`label` over `reference` at one load."""

    label: str
    reference: str
    workload: str
    clients: int
    cpus: int
    metric: str
    ratio: Ratio
    p_holm: float | None  # adjusted over all comparisons of the same metric


def default_reference(labels: Sequence[Label]) -> str:
    """What the others are compared with: edsm on epoll, else the first edsm, else the first label."""
    edsm = [label for label in labels if label.architecture == "edsm"]
    epoll = [label for label in edsm if label.model == "epoll"]
    return [*epoll, *edsm, *labels][0].name


def compare(
    points: Sequence[Point], at: tuple[str, int, int], label: str, other: str, metric: str
) -> Ratio | None:
    """`label` over `other` at (workload, clients, cpus); None when they share no block."""
    above, below = find(points, label, *at), find(points, other, *at)
    if above is None or below is None:
        return None
    return paired_ratio(above.of(metric), below.of(metric))


def comparisons(points: Sequence[Point], reference: str) -> tuple[Comparison, ...]:
    """All labels against `reference`, Holm-adjusted within each metric."""
    found: list[Comparison] = []
    for metric in COMPARED:
        family: list[Comparison] = []
        for p in points:
            at = (p.workload, p.clients, p.cpus)
            ratio = compare(points, at, p.label, reference, metric)
            if p.label != reference and ratio is not None:
                family.append(Comparison(p.label, reference, *at, metric, ratio, None))
        adjusted = holm([c.ratio.p for c in family])
        found += [dataclasses.replace(c, p_holm=p) for c, p in zip(family, adjusted)]
    return tuple(found)
