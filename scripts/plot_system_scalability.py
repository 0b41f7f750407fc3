#!/usr/bin/python3
"""Draw system scalability: what each architecture does with more CPUs.

Left: throughput with the ideal line from one CPU (thin, dotted). Middle: efficiency X(k) / (k X(1)),
paired within blocks; 1 is the ideal. Right: requests per second of CPU time that the server used: flat
is ideal here, and a fall says that a CPU-second buys less when there are more of them. One row for each
number of clients, one figure for each workload, as SVG and PNG:

    scripts/plot_system_scalability.py results/quick-20260101T120000Z -o /tmp/figures --clients 64

Without --clients: the plan's system_clients, else the load with the highest throughput on most CPUs.
Hollow marks, rings and crosses mean what they mean in the load figure.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import figure_style as style
from analyse import CPU_SECOND, WALL_CLOCK, Analysis, Point, analyse
from results import BadData, Campaign, Parser, fatal, load
from statistics_of_blocks import Interval

PANEL_WIDTH = 2.15  # narrower than a load panel: there are few CPU counts and three panels


def rows(campaign: Campaign, analysis: Analysis, workload: str) -> list[int]:
    """The loads to show: those the plan wants over CPUs, else the one that saturates best."""
    here = [p for p in analysis.points if p.workload == workload]
    cpus: dict[int, set[int]] = {}
    for p in here:
        cpus.setdefault(p.clients, set()).add(p.cpus)
    crossed = sorted(n for n, k in cpus.items() if len(k) > 1)
    wanted = [n for n in crossed if n in campaign.plan.get("system_clients", crossed[:0])]
    if wanted or not crossed:
        return wanted
    most = max(p.cpus for p in here)

    def reached(clients: int) -> float:
        return sum(
            p.metrics[WALL_CLOCK].median
            for p in here
            if (p.clients, p.cpus) == (clients, most) and WALL_CLOCK in p.metrics
        )

    return [max(crossed, key=reached)]


def caption(analysis: Analysis, workload: str, clients: Sequence[int]) -> str:
    shown = [p for p in analysis.points if p.workload == workload and p.clients in clients]
    return (
        f"System scalability, workload {workload}, campaign {analysis.campaign}. "
        + style.sample_sentence(analysis, shown, WALL_CLOCK)
        + " Dotted: ideal. Efficiency: geometric mean over blocks of the ratio within each block."
    )


def draw(
    campaign: Campaign, analysis: Analysis, workload: str, clients: Sequence[int],
    narrow: bool = False, with_caption: bool = True,
) -> Any | None:
    """The figure, or None when no load was run on more than one number of CPUs."""
    if not clients:
        return None
    text = caption(analysis, workload, clients) if with_caption else ""
    figure, grid = style.panels(len(clients), 3, text, narrow, PANEL_WIDTH)
    look = style.looks(campaign)
    for n, (throughput, efficiency, work) in zip(clients, grid):
        points = [p for p in analysis.points if (p.workload, p.clients) == (workload, n)]
        at = f"{n:,} client{'s' * (n != 1)}"
        _rate_panel(throughput, analysis, points, WALL_CLOCK, look, ideal=True)
        throughput.set_title(f"Throughput, {at}")
        throughput.set_ylabel("requests per second")
        _efficiency_panel(efficiency, analysis, points, look)
        efficiency.set_title(f"Efficiency, {at}")
        efficiency.set_ylabel("X(k) / (k X(1)), no unit")
        _rate_panel(work, analysis, points, CPU_SECOND, look, ideal=False)
        work.set_title(f"Work per CPU time, {at}")
        work.set_ylabel("requests per server CPU-second")
    return figure


def _curves(analysis: Analysis, points: Sequence[Point], metric: str) -> list[style.Curve]:
    curves = []
    for label in analysis.labels:
        own = [p for p in points if p.label == label]
        if own:
            curves.append(style.curve_of(label, [p.cpus for p in own], own, metric))
    return curves


def _rate_panel(
    axes: Any, analysis: Analysis, points: Sequence[Point], metric: str,
    look: dict[str, style.Look], ideal: bool,
) -> None:
    curves = _curves(analysis, points, metric)
    highest = [style.highest_rate(points, metric)]
    for place, curve in enumerate(curves):
        style.draw_curve(axes, curve, look[curve.label], place)
        first = curve.y[0]
        if ideal and first is not None:
            line = [first.median * x / curve.x[0] for x in curve.x]
            axes.plot(curve.x, line, ":", color=look[curve.label].line, linewidth=1.0, alpha=0.8)
            highest.append(max(line))
    style.cpu_axis(axes, sorted({p.cpus for p in points}))
    style.rate_axis(axes, max(highest))
    style.label_curves(axes, curves, look)


def _efficiency_panel(
    axes: Any, analysis: Analysis, points: Sequence[Point], look: dict[str, style.Look]
) -> None:
    steps = {(s.label, s.workload, s.clients, s.cpus): s.efficiency for s in analysis.system_steps}
    curves = _curves(analysis, points, WALL_CLOCK)
    shown = [1.0]
    for nth, curve in enumerate(curves):
        own = [p for p in points if p.label == curve.label]
        for place, p in enumerate(own):
            ratio = steps.get((p.label, p.workload, p.clients, p.cpus))
            if ratio is None:
                # The number of CPUs from which the others are counted is 1 by definition. Any other
                # without a ratio has no usable cell to be compared with, and so no efficiency.
                is_base = place == 0 and p.usable > 0
                curve.y[place] = Interval(1.0, 1.0, 1.0, p.usable, 1.0) if is_base else None
            else:
                curve.y[place] = Interval(
                    ratio.ratio, ratio.low, ratio.high, ratio.n, ratio.confidence
                )
                shown += [ratio.low, ratio.high]
        curve.set_aside = [() for _ in own]  # an efficiency needs two cells of one block
        style.draw_curve(axes, curve, look[curve.label], nth)
    axes.axhline(1.0, linestyle=":", color=style.INK, linewidth=1.0)
    style.cpu_axis(axes, sorted({p.cpus for p in points}))
    # A tenth is the smallest step a reader should care about; the axis begins at one of them.
    axes.set_ylim(max(0.0, math.floor(min(shown) * 10 - 0.5) / 10), max(shown) + 0.03)
    style.label_curves(axes, curves, look)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(__doc__)
    parser.add_argument("-o", "--output", type=Path, help="folder (default: DIR/figures)")
    parser.add_argument("--clients", type=int, action="append", metavar="N", help="repeatable")
    options = parser.parse_args(arguments)
    try:
        campaign = load(options.campaign)
    except BadData as error:
        fatal(error)
    analysis = analyse(campaign)
    folder = options.output or campaign.directory / "figures"
    loads = {p.clients for p in analysis.points}
    for n in options.clients or ():
        if n not in loads:
            parser.error(f"--clients {n} was not run; there are {', '.join(map(str, sorted(loads)))}")
    for workload in campaign.workloads:
        clients = options.clients or rows(campaign, analysis, workload)
        figure = draw(campaign, analysis, workload, clients)
        if figure is None:
            print(f"no system curve for {workload}: one number of CPUs only", file=sys.stderr)
            continue
        for path in style.save(figure, folder / f"system_scalability-{workload}"):
            print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
