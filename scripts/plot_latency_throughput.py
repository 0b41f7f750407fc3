#!/usr/bin/python3
"""Draw latency over throughput: what a little more load costs when a server is nearly full.

Each line follows one server through its loads, from few clients to many; a large mark is the largest
load. Left: the median latency; right: the 99th percentile. A good server goes
far to the right before it turns up.

    scripts/plot_latency_throughput.py results/quick-20260101T120000Z -o /tmp/figures
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import figure_parts as parts
import figure_style as style
import figures
from analysis.points import WALL_CLOCK, Point
from analysis.record import Analysis
from figures import Absent, Drawing, Drawings

TITLE = "Latency and throughput"
PANELS = (("latency_us_p50", "Median latency"), ("latency_us_p99", "99th percentile of latency"))


def drawings(analysis: Analysis) -> Drawings:
    """One figure for each closed workload with latencies at two loads or more."""
    found: Drawings = []
    for workload in figures.closed(analysis):
        points = [
            p for p in analysis.points
            if p.workload == workload.name and WALL_CLOCK in p.metrics and PANELS[0][0] in p.metrics
            and analysis.label(p.label).twin_of is None
        ]
        cpus = min((p.cpus for p in points), default=0)
        shown = [p for p in points if p.cpus == cpus]
        if len({p.clients for p in shown}) < 2:
            found.append(Absent(f"{TITLE}, {workload.name}", "latencies at two loads are needed."))
            continue
        caption = (
            f"{TITLE}, workload {workload.name}, {cpus} CPU{'s' * (cpus != 1)}, campaign"
            f" {analysis.campaign}. Medians over blocks; closed load, so a stalled server is asked"
            " less and the percentiles flatter it. The marks along a line are"
            f" {', '.join(f'{n:,}' for n in sorted({p.clients for p in shown}))} clients, the large one"
            " the most."
        )
        metrics = (WALL_CLOCK, *(metric for metric, _ in PANELS))
        found.append(
            Drawing(
                f"latency_throughput-{workload.name}", TITLE, workload.name, caption,
                figures.rows_of(shown, metrics), functools.partial(draw, analysis, shown),
            )
        )
    return found


def draw(analysis: Analysis, points: list[Point], narrow: bool = False, caption: str = "") -> Any:
    figure, grid = parts.panels(1, len(PANELS), caption, narrow, right=1.65)
    look = style.looks(analysis)
    for axes, (metric, title) in zip(grid[0], PANELS):
        known = [p for p in points if metric in p.metrics]
        axes.set_title(title)
        axes.set_ylabel("latency")
        axes.set_xlabel("requests per second")
        if not known:
            parts.say_in(axes, "withheld: too few requests for a 99th percentile")
            continue
        parts.rate_axis(axes, max(p.metrics[WALL_CLOCK].median for p in known), along="x")
        latencies = [p.metrics[metric].median for p in known]
        parts.latency_axis(axes, min(latencies), max(latencies))
        for label in analysis.labels:
            own = [p for p in known if p.label == label.name]
            _line(axes, sorted(own, key=lambda p: p.clients), metric, look[label.name])
        parts.legend(axes, [x.name for x in analysis.labels if x.name in {p.label for p in known}], look)
    return figure


def _line(axes: Any, points: list[Point], metric: str, look: style.Look) -> None:
    if not points:
        return
    x = [p.metrics[WALL_CLOCK].median for p in points]
    y = [p.metrics[metric].median for p in points]
    drawn = axes.plot(
        x, y, color=look.line, linestyle=look.dashes, marker=look.mark, markersize=3.6, clip_on=False
    )
    most = axes.plot(
        x[-1:], y[-1:], look.mark, color=look.line, markersize=7, markeredgecolor="white", clip_on=False
    )
    look.own(*drawn, *most)


if __name__ == "__main__":
    sys.exit(figures.main(__doc__, drawings))
