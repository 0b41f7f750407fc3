#!/usr/bin/python3
"""Turn a campaign into analysis.json: every number that the figures and the report show.

    scripts/analyse.py results/quick-20260101T120000Z

Points (median over blocks with its interval), load curves (peak, plateau, retention, half-decay),
system curves (efficiency over CPUs), ratios to a reference paired within blocks, and the noise
floor seen between A/A twins. Cells whose gates failed are counted and never averaged. The bootstrap
has a fixed seed: the same cells give the same bytes.
"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

import statistics_of_blocks as blocks
from results import BadData, Campaign, Cell, Parser, by_block, fatal, group, label_of, load
from statistics_of_blocks import Interval, Ratio

SCHEMA = "archbench.analysis/1"

CPU_SECOND = "requests_per_cpu_s"  # survives a noisy machine: the first-rank metric
WALL_CLOCK = "throughput_rps"
COMPARED = (CPU_SECOND, WALL_CLOCK)
SUMMARISED = COMPARED + (
    "cpu_us_per_request",
    "latency_us_p50",
    "latency_us_p99",
    "server_cpu_share",
    "server_rss_bytes",
    "voluntary_switches_per_request",
    "involuntary_switches_per_request",
)
# A load is on the plateau while its median is within this part of the peak.
PLATEAU = 0.95


@dataclass(frozen=True)
class Point:
    """The cells that differ in their block only. `metrics` has only what was measured."""

    label: str
    workload: str
    clients: int
    cpus: int
    usable: int  # cells in the medians
    excluded: int  # cells with a failed gate, or without a measurement
    limited: int  # usable cells in which the server was not, or not certainly, the limit
    starved: int  # usable cells in which some clients were never answered
    metrics: dict[str, Interval]
    set_aside: dict[str, tuple[float, ...]]  # what excluded cells measured; shown, never averaged

    @property
    def not_its_limit(self) -> bool:
        """Most of its cells do not show what the server can do."""
        return 2 * self.limited > self.usable


@dataclass(frozen=True)
class LoadCurve:
    """One label's `metric` over clients."""

    label: str
    workload: str
    cpus: int
    metric: str
    peak_clients: int
    peak: Interval
    plateau_from_clients: int
    plateau_to_clients: int
    largest_clients: int
    retention: Ratio  # value at largest_clients over value at peak_clients
    half_decay_clients: int | None  # first load beyond the peak below half of it


@dataclass(frozen=True)
class SystemStep:
    """From the smallest number of CPUs to `cpus`."""

    label: str
    workload: str
    clients: int
    from_cpus: int
    cpus: int
    efficiency: Ratio  # X(k) / (k X(1)): 1 is the ideal line
    work: Ratio | None  # requests per CPU-second at k over those at 1: 1 is no loss


@dataclass(frozen=True)
class Comparison:
    """`label` against `reference`, everything else equal, paired within blocks."""

    label: str
    reference: str
    workload: str
    clients: int
    cpus: int
    metric: str
    ratio: Ratio
    p_holm: float | None  # adjusted over all comparisons of the same metric


@dataclass(frozen=True)
class Noise:
    """What two labels of the same server differ by, all loads and blocks together."""

    twins: tuple[str, str]
    metric: str
    pairs: int
    floor: float  # 95 % of the paired ratios lie within a factor of this
    compared: int  # points at which the twins were compared with enough blocks
    called_different: int  # of these, how often the method was wrong


@dataclass(frozen=True)
class Analysis:
    """All of analysis.json."""

    schema: str
    campaign: str
    cells_sha256: str
    bootstrap_seed: int
    bootstrap_resamples: int
    level: float
    labels: tuple[str, ...]
    reference: str
    points: tuple[Point, ...]
    load_curves: tuple[LoadCurve, ...]
    system_steps: tuple[SystemStep, ...]
    comparisons: tuple[Comparison, ...]
    noise: tuple[Noise, ...]

    def point(self, workload: str, label: str, clients: int, cpus: int) -> Point | None:
        """The point with this identity, if any cell of it ran."""
        wanted = (workload, label, clients, cpus)
        for p in self.points:
            if (p.workload, p.label, p.clients, p.cpus) == wanted:
                return p
        return None


def analyse(campaign: Campaign, reference: str | None = None) -> Analysis:
    """Everything that may be said of `campaign`."""
    groups = group(campaign.cells)
    reference = reference or default_reference(campaign)
    return Analysis(
        schema=SCHEMA,
        campaign=campaign.name,
        cells_sha256=campaign.cells_sha256,
        bootstrap_seed=blocks.SEED,
        bootstrap_resamples=blocks.RESAMPLES,
        level=blocks.LEVEL,
        labels=campaign.labels,
        reference=reference,
        points=points(campaign, groups),
        load_curves=load_curves(campaign, groups),
        system_steps=system_steps(campaign, groups),
        comparisons=comparisons(campaign, groups, reference),
        noise=noise(campaign, groups),
    )


def default_reference(campaign: Campaign) -> str:
    """What the others are compared with: edsm on epoll, else the first edsm, else the first label."""
    models = {c.label: (c.architecture, c.model) for c in campaign.cells}
    edsm = [label for label in campaign.labels if models[label][0] == "edsm"]
    epoll = [label for label in edsm if models[label][1] == "epoll"]
    return (epoll + edsm + list(campaign.labels))[0]


Groups = dict[tuple[str, str, int, int], list[Cell]]


def points(campaign: Campaign, groups: Groups) -> tuple[Point, ...]:
    found = []
    for (workload, label, clients, cpus), cells in groups.items():
        metrics = {}
        for metric in SUMMARISED:
            values = list(by_block(cells, metric).values())
            if values:
                metrics[metric] = blocks.median_interval(values)
        usable = [c for c in cells if c.usable]
        found.append(
            Point(
                label, workload, clients, cpus,
                usable=len(usable),
                excluded=len(cells) - len(usable),
                limited=sum(c.limited for c in usable),
                starved=sum(c.starved for c in usable),
                metrics=metrics,
                set_aside={
                    metric: tuple(
                        c.measurements[metric]
                        for c in sorted(cells, key=lambda c: c.block)
                        if not c.usable and metric in c.measurements
                    )
                    for metric in COMPARED
                },
            )
        )
    order = _order(campaign)
    return tuple(sorted(found, key=lambda p: (order(p.workload, p.label), p.cpus, p.clients)))


def _order(campaign: Campaign) -> Any:
    workloads, labels = campaign.workloads, campaign.labels
    return lambda workload, label: (workloads.index(workload), labels.index(label))


def load_curves(campaign: Campaign, groups: Groups) -> tuple[LoadCurve, ...]:
    found = []
    for workload in campaign.workloads:
        for label in campaign.labels:
            for cpus in sorted({k for (w, name, _, k) in groups if (w, name) == (workload, label)}):
                for metric in COMPARED:
                    curve = _load_curve(groups, workload, label, cpus, metric)
                    if curve is not None:
                        found.append(curve)
    return tuple(found)


def _load_curve(
    groups: Groups, workload: str, label: str, cpus: int, metric: str
) -> LoadCurve | None:
    """None unless at least two loads have a usable cell."""
    values = {}
    for (w, name, clients, k), cells in sorted(groups.items()):
        at_load = by_block(cells, metric)
        if (w, name, k) == (workload, label, cpus) and at_load:
            values[clients] = at_load
    if len(values) < 2:
        return None
    medians = {n: blocks.median_interval(list(v.values())) for n, v in values.items()}
    peak = max(medians, key=lambda n: medians[n].median)
    plateau = [n for n in medians if medians[n].median >= PLATEAU * medians[peak].median]
    largest = max(values)
    identity = f"retention/{workload}/{label}/k{cpus}/{metric}"
    retention = blocks.paired_ratio(values[largest], values[peak], identity)
    if retention is None:
        return None
    decayed = [
        n for n in medians if n > peak and medians[n].median < 0.5 * medians[peak].median
    ]
    return LoadCurve(
        label=label,
        workload=workload,
        cpus=cpus,
        metric=metric,
        peak_clients=peak,
        peak=medians[peak],
        plateau_from_clients=min(plateau),
        plateau_to_clients=max(plateau),
        largest_clients=largest,
        retention=retention,
        half_decay_clients=min(decayed, default=None),
    )


def system_steps(campaign: Campaign, groups: Groups) -> tuple[SystemStep, ...]:
    found = []
    order = _order(campaign)
    rank = {key: (order(key[0], key[1]), key[2], key[3]) for key in groups}
    for workload, label, clients, cpus in sorted(groups, key=lambda key: rank[key]):
        counts = [k for (w, name, n, k) in groups if (w, name, n) == (workload, label, clients)]
        first = min(counts)
        if cpus == first:
            continue
        one, many = groups[workload, label, clients, first], groups[workload, label, clients, cpus]
        identity = f"{workload}/{label}/c{clients}/k{cpus}"
        ideal = {b: x * cpus / first for b, x in by_block(one, WALL_CLOCK).items()}
        efficiency = blocks.paired_ratio(by_block(many, WALL_CLOCK), ideal, f"efficiency/{identity}")
        work = blocks.paired_ratio(
            by_block(many, CPU_SECOND), by_block(one, CPU_SECOND), f"work/{identity}"
        )
        if efficiency is not None:
            found.append(
                SystemStep(label, workload, clients, first, cpus, efficiency, work)
            )
    return tuple(found)


def compare(groups: Groups, at: tuple[str, int, int], label: str, other: str, metric: str) -> Ratio | None:
    """`label` over `other` at (workload, clients, cpus), paired within blocks."""
    workload, clients, cpus = at
    above = by_block(groups.get((workload, label, clients, cpus), ()), metric)
    below = by_block(groups.get((workload, other, clients, cpus), ()), metric)
    identity = f"{metric}/{workload}/c{clients}/k{cpus}/{label}/{other}"
    return blocks.paired_ratio(above, below, identity)


def comparisons(campaign: Campaign, groups: Groups, reference: str) -> tuple[Comparison, ...]:
    found: list[Comparison] = []
    order = _order(campaign)
    rank = {key: (order(key[0], key[1]), key[3], key[2]) for key in groups}
    for metric in COMPARED:
        family: list[Comparison] = []
        for workload, label, clients, cpus in sorted(groups, key=lambda key: rank[key]):
            ratio = compare(groups, (workload, clients, cpus), label, reference, metric)
            if label != reference and ratio is not None:
                family.append(
                    Comparison(label, reference, workload, clients, cpus, metric, ratio, None)
                )
        adjusted = blocks.holm([c.ratio.p for c in family])
        found += [dataclasses.replace(c, p_holm=p) for c, p in zip(family, adjusted)]
    return tuple(found)


def twins(campaign: Campaign) -> list[tuple[str, str]]:
    """Pairs of labels that the plan gives to the same server."""
    same: dict[tuple[str, ...], list[str]] = {}
    present = set(campaign.labels)
    for server in campaign.plan["servers"]:
        kind = (server["architecture"], server["model"], *server.get("args", []))
        if label_of(server) in present:
            same.setdefault(kind, []).append(label_of(server))
    return [pair for labels in same.values() for pair in combinations(labels, 2)]


def noise(campaign: Campaign, groups: Groups) -> tuple[Noise, ...]:
    found = []
    for one, other in twins(campaign):
        for metric in COMPARED:
            sizes: list[float] = []
            verdicts: list[str] = []
            for workload, label, clients, cpus in groups:
                ratio = compare(groups, (workload, clients, cpus), one, other, metric)
                if label != one or ratio is None:
                    continue
                verdicts.append(ratio.verdict)
                above = by_block(groups[workload, one, clients, cpus], metric)
                below = by_block(groups[workload, other, clients, cpus], metric)
                sizes += [abs(math.log(above[b] / below[b])) for b in above.keys() & below.keys()
                          if above[b] > 0 and below[b] > 0]
            if sizes:
                floor = math.exp(float(np.quantile(sorted(sizes), blocks.LEVEL)))
                decided = [v for v in verdicts if v != "too_few_blocks"]
                wrong = sum(v != "indistinguishable" for v in decided)
                found.append(Noise((one, other), metric, len(sizes), floor, len(decided), wrong))
    return tuple(found)


def as_json(analysis: Analysis) -> str:
    """The text of analysis.json. What is unknown is absent, as in every file of a campaign."""

    def without_none(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: without_none(v) for k, v in value.items() if v is not None}
        if isinstance(value, (list, tuple)):
            return [without_none(v) for v in value]
        return value

    record = without_none(dataclasses.asdict(analysis))
    return json.dumps(record, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(__doc__)
    parser.add_argument("-o", "--output", type=Path, help="file (default: DIR/analysis.json)")
    parser.add_argument("--reference", metavar="LABEL", help="label to compare with (default: edsm)")
    options = parser.parse_args(arguments)
    try:
        campaign = load(options.campaign)
    except BadData as error:
        fatal(error)
    if options.reference is not None and options.reference not in campaign.labels:
        parser.error(f"--reference '{options.reference}' is none of {', '.join(campaign.labels)}")
    output = options.output or campaign.directory / "analysis.json"
    output.write_text(as_json(analyse(campaign, options.reference)), encoding="utf-8")
    print(output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
