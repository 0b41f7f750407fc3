#!/usr/bin/python3
"""Draw system scalability: what each architecture does with more CPUs.

Left: throughput with the ideal line from one CPU (thin, dotted). Middle: efficiency X(k) / (k X(1)),
paired within blocks; 1 is the ideal, grey what N copies of the null responder reach, which share
nothing with each other. Right: requests per second of CPU time that the server used: flat
is ideal here, and a fall says that a CPU-second buys less when there are more of them. One row for each
number of clients, one figure for each workload:

    scripts/plot_system_scalability.py results/quick-20260101T120000Z -o /tmp/figures

Loads shown: the plan's system_clients, else the one with the highest throughput on most CPUs.
Hollow marks, rings and crosses mean what they mean in the load figure.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Sequence
from typing import Any

import figure_parts as parts
import figure_style as style
import figures
from analysis.intervals import Interval
from analysis.points import CPU_SECOND, WALL_CLOCK, Point
from analysis.record import Analysis
from figures import Absent, Drawing, Drawings

TITLE = "System scalability"
CEILING = "ceiling_rps"  # the same for every server under one load and CPUs
PANEL_WIDTH = 2.15  # narrower than a load panel: there are few CPU counts and three panels


def drawings(analysis: Analysis) -> Drawings:
    """One figure for each workload that was run on two numbers of CPUs or more."""
    found: Drawings = []
    for workload in figures.closed(analysis):
        clients = rows(analysis, workload.name)
        if not clients:
            reason = "it was run on one number of CPUs only."
            found.append(Absent(f"{TITLE}, {workload.name}", reason))
            continue
        shown = [p for p in analysis.points if p.workload == workload.name and p.clients in clients]
        caption = (
            f"{TITLE}, workload {workload.name}, campaign {analysis.campaign}. "
            + parts.sample_sentence(analysis, shown, WALL_CLOCK)
            + " Dotted: ideal. Efficiency: pseudomedian over blocks of the ratio within each block."
            + (" Grey: N copies of the null responder, which share nothing."
               if any(CEILING in p.metrics for p in shown) else "")
        )
        found.append(
            Drawing(
                f"system_scalability-{workload.name}", TITLE, workload.name, caption,
                figures.rows_of(shown, (WALL_CLOCK, CPU_SECOND)) + _efficiencies(analysis, shown),
                functools.partial(draw, analysis, workload.name, clients),
            )
        )
    return found


def _efficiencies(analysis: Analysis, points: Sequence[Point]) -> tuple[figures.Row, ...]:
    shown = {(p.label, p.workload, p.clients, p.cpus): p for p in points}
    return tuple(
        {
            "label": s.label, "workload": s.workload, "clients": s.clients, "cpus": s.cpus,
            "metric": "efficiency", "median": s.efficiency.ratio, "low": s.efficiency.low,
            "high": s.efficiency.high, "blocks": s.efficiency.n,
            "excluded": p.excluded, "limited": p.limited, "starved": p.starved,
        }
        for s in analysis.system_steps
        if (p := shown.get((s.label, s.workload, s.clients, s.cpus))) is not None
    )


def rows(analysis: Analysis, workload: str) -> list[int]:
    """The loads to show: those the plan wants over CPUs, else the one that saturates best."""
    here = [p for p in analysis.points if p.workload == workload]
    cpus: dict[int, set[int]] = {}
    for p in here:
        cpus.setdefault(p.clients, set()).add(p.cpus)
    crossed = sorted(n for n, k in cpus.items() if len(k) > 1)
    wanted = [n for n in crossed if n in analysis.system_clients]
    if wanted or not crossed:
        return wanted
    most = max(p.cpus for p in here)

    def reached(clients: int) -> float:
        at = [p for p in here if (p.clients, p.cpus) == (clients, most)]
        return sum(p.median(WALL_CLOCK) or 0.0 for p in at)

    return [max(crossed, key=reached)]


def draw(
    analysis: Analysis, workload: str, clients: Sequence[int], narrow: bool = False,
    caption: str = "",
) -> Any:
    figure, grid = parts.panels(len(clients), 3, caption, narrow, PANEL_WIDTH)
    look = style.looks(analysis)
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


def _rate_panel(
    axes: Any, analysis: Analysis, points: Sequence[Point], metric: str,
    look: dict[str, style.Look], ideal: bool,
) -> None:
    curves = parts.curves(analysis, points, metric, lambda p: p.cpus)
    highest = [parts.highest_rate(points, metric)]
    parts.draw_curves(axes, curves, look)
    for curve in curves:
        first = curve.y[0]
        if ideal and first is not None:
            line = [first.median * x / curve.x[0] for x in curve.x]
            own = look[curve.label]
            own.own(*axes.plot(curve.x, line, ":", color=own.line, linewidth=1.0, alpha=0.8))
            highest.append(max(line))
    parts.cpu_axis(axes, sorted({p.cpus for p in points}))
    parts.rate_axis(axes, max(highest))
    parts.label_curves(axes, curves, look)


def _efficiency_panel(
    axes: Any, analysis: Analysis, points: Sequence[Point], look: dict[str, style.Look]
) -> None:
    steps = {(s.label, s.workload, s.clients, s.cpus): s.efficiency for s in analysis.system_steps}
    curves = parts.curves(analysis, points, WALL_CLOCK, lambda p: p.cpus)
    shown = [1.0]
    for curve in curves:
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
    parts.draw_curves(axes, curves, look)
    axes.axhline(1.0, linestyle=":", color=style.INK, linewidth=1.0)
    copies = _copies(points)
    axes.plot(list(copies), list(copies.values()), color=style.FAINT, linestyle=(0, (1, 2)), zorder=1)
    shown += copies.values()
    parts.cpu_axis(axes, sorted({p.cpus for p in points}))
    # A tenth is the smallest step a reader should care about; the axis begins at one of them.
    axes.set_ylim(max(0.0, math.floor(min(shown) * 10 - 0.5) / 10), max(shown) + 0.03)
    parts.label_curves(axes, curves, look)


def _copies(points: Sequence[Point]) -> dict[int, float]:
    """Efficiency of N copies of the null responder by N: what this machine leaves to any server."""
    rates = {p.cpus: p.metrics[CEILING].median for p in points if CEILING in p.metrics}
    if len(rates) < 2:
        return {}
    first = min(rates)
    return {k: rates[k] * first / (k * rates[first]) for k in sorted(rates)}


if __name__ == "__main__":
    sys.exit(figures.main(__doc__, drawings))
