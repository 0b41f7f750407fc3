#!/usr/bin/python3
"""Draw load scalability: what each architecture does with more and more clients.

Left: throughput as the wall clock sees it. Right: requests per second of CPU time that the server
used, which survives a noisy or shared machine. One row for each number of CPUs that was run with at
least two loads, one figure for each workload:

    scripts/plot_load_scalability.py results/quick-20260101T120000Z -o /tmp/figures

A line is the median over blocks, its band the interval of that median. A hollow mark: the
server was not, or not certainly, the limit. A ring: some clients were never answered. A small
cross: a single cell that failed a gate and is not in the median; thick at the foot of the panel:
nothing was measured.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import figure_parts as parts
import figure_style as style
import figures
from analysis.points import CPU_SECOND, WALL_CLOCK, Point
from analysis.record import Analysis
from figures import Absent, Drawing, Drawings

TITLE = "Load scalability"
CEILING = "ceiling_rps"  # the same for every server at one load
PANELS = (
    (WALL_CLOCK, "Throughput", "requests per second"),
    (CPU_SECOND, "Work per CPU time", "requests per server CPU-second"),
)


def drawings(analysis: Analysis) -> Drawings:
    """One figure for each workload that was run with two loads or more."""
    found: Drawings = []
    for workload in figures.closed(analysis):
        cpus = rows(analysis, workload.name)
        shown = [p for p in analysis.points if p.workload == workload.name and p.cpus in cpus]
        if not cpus:
            found.append(Absent(f"{TITLE}, {workload.name}", "it was run with one load only."))
            continue
        caption = (
            f"{TITLE}, workload {workload.name}, campaign {analysis.campaign}. "
            + parts.sample_sentence(analysis, shown, WALL_CLOCK)
            + (" Grey dots: what the generator can do, asking a null responder."
               if any(CEILING in p.metrics for p in shown) else "")
        )
        found.append(
            Drawing(
                f"load_scalability-{workload.name}", TITLE, workload.name, caption,
                figures.rows_of(shown, (WALL_CLOCK, CPU_SECOND)),
                functools.partial(draw, analysis, workload.name),
            )
        )
    return found


def rows(analysis: Analysis, workload: str) -> list[int]:
    """Numbers of CPUs that have at least two loads: with one there is no curve."""
    loads: dict[int, set[int]] = {}
    for p in analysis.points:
        if p.workload == workload:
            loads.setdefault(p.cpus, set()).add(p.clients)
    return sorted(cpus for cpus, clients in loads.items() if len(clients) > 1)


def draw(analysis: Analysis, workload: str, narrow: bool = False, caption: str = "") -> Any:
    cpus = rows(analysis, workload)
    figure, grid = parts.panels(len(cpus), len(PANELS), caption, narrow)
    look = style.looks(analysis)
    for k, row in zip(cpus, grid):
        points = [p for p in analysis.points if p.workload == workload and p.cpus == k]
        for axes, (metric, title, unit) in zip(row, PANELS):
            _panel(axes, analysis, points, metric, look)
            axes.set_title(f"{title}, {k} CPU{'s' * (k != 1)}")
            axes.set_ylabel(unit)
    return figure


def _panel(
    axes: Any, analysis: Analysis, points: list[Point], metric: str, look: dict[str, style.Look]
) -> None:
    curves = parts.curves(analysis, points, metric, lambda p: p.clients)
    if metric == WALL_CLOCK:
        ceilings = {p.clients: p.metrics[CEILING].median for p in points if CEILING in p.metrics}
        loads = sorted(ceilings)
        axes.plot(
            loads, [ceilings[n] for n in loads], linestyle=(0, (1, 2)), color=style.FAINT, zorder=1
        )
    parts.draw_curves(axes, curves, look)
    parts.client_axis(axes, sorted({p.clients for p in points}))
    parts.rate_axis(axes, parts.highest_rate(points, metric))
    parts.label_curves(axes, curves, look)


if __name__ == "__main__":
    sys.exit(figures.main(__doc__, drawings))
