#!/usr/bin/python3
"""Draw load scalability: what each architecture does with more and more clients.

Left: throughput as the wall clock sees it. Right: requests per second of CPU time that the server
used, which survives a noisy or shared machine. One row for each number of CPUs that was run with at
least two loads, one figure for each workload, as SVG and PNG:

    scripts/plot_load_scalability.py results/quick-20260101T120000Z -o /tmp/figures

A line is the median over blocks, its band the interval of that median. A hollow mark: the
server was not, or not certainly, the limit. A ring: some clients were never answered. A small
cross: a single cell that failed a gate and is not in the median; thick at the foot of the panel:
nothing was measured.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import figure_style as style
from analyse import CPU_SECOND, WALL_CLOCK, Analysis, Point, analyse
from results import BadData, Campaign, Parser, fatal, load

PANELS = (
    (WALL_CLOCK, "Throughput", "requests per second"),
    (CPU_SECOND, "Work per CPU time", "requests per server CPU-second"),
)


def rows(analysis: Analysis, workload: str) -> list[int]:
    """Numbers of CPUs that have at least two loads: with one there is no curve."""
    loads: dict[int, set[int]] = {}
    for p in analysis.points:
        if p.workload == workload:
            loads.setdefault(p.cpus, set()).add(p.clients)
    return sorted(cpus for cpus, clients in loads.items() if len(clients) > 1)


def caption(analysis: Analysis, workload: str) -> str:
    cpus = rows(analysis, workload)
    shown = [p for p in analysis.points if p.workload == workload and p.cpus in cpus]
    return (
        f"Load scalability, workload {workload}, campaign {analysis.campaign}. "
        + style.sample_sentence(analysis, shown, WALL_CLOCK)
    )


def draw(
    campaign: Campaign, analysis: Analysis, workload: str,
    narrow: bool = False, with_caption: bool = True,
) -> Any | None:
    """The figure, or None when the campaign has no load curve for this workload."""
    cpus = rows(analysis, workload)
    if not cpus:
        return None
    text = caption(analysis, workload) if with_caption else ""
    figure, grid = style.panels(len(cpus), len(PANELS), text, narrow)
    look = style.looks(campaign)
    for k, row in zip(cpus, grid):
        points = [p for p in analysis.points if p.workload == workload and p.cpus == k]
        for axes, (metric, title, unit) in zip(row, PANELS):
            _panel(axes, analysis, points, metric, look)
            axes.set_title(f"{title}, {k} CPU{'s' * (k != 1)}")
            axes.set_ylabel(unit)
    return figure


def _panel(
    axes: Any, analysis: Analysis, points: Sequence[Point], metric: str,
    look: dict[str, style.Look],
) -> None:
    curves = []
    for label in analysis.labels:
        own = [p for p in points if p.label == label]
        if own:
            curves.append(style.curve_of(label, [p.clients for p in own], own, metric))
    for place, curve in enumerate(curves):
        style.draw_curve(axes, curve, look[curve.label], place)
    style.client_axis(axes, sorted({p.clients for p in points}))
    style.rate_axis(axes, style.highest_rate(points, metric))
    style.label_curves(axes, curves, look)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(__doc__)
    parser.add_argument("-o", "--output", type=Path, help="folder (default: DIR/figures)")
    options = parser.parse_args(arguments)
    try:
        campaign = load(options.campaign)
    except BadData as error:
        fatal(error)
    analysis = analyse(campaign)
    folder = options.output or campaign.directory / "figures"
    for workload in campaign.workloads:
        figure = draw(campaign, analysis, workload)
        if figure is None:
            print(f"no load curve for {workload}: it was run with one load only", file=sys.stderr)
            continue
        for path in style.save(figure, folder / f"load_scalability-{workload}"):
            print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
