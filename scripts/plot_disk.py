#!/usr/bin/python3
"""Draw disk-bound service: who keeps serving while the disk is slow.

Left: throughput over clients when every request waits for the disk. Right: how much of its CPU the
server used; one that blocks as a whole on each read stays far from busy and far from fast.

    scripts/plot_disk.py results/disk-20260101T120000Z -o /tmp/figures
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
from numbers_as_text import percent

TITLE = "Disk-bound"
BUSY = "server_cpu_share"


def drawings(analysis: Analysis) -> Drawings:
    """One figure for each workload that reads the disk at two loads or more."""
    disk = [w for w in analysis.workloads if "disk_reads" in w.varies]
    if not disk:
        return [Absent(TITLE, "no workload reads the disk.")]
    found: Drawings = []
    for workload in disk:
        here = [p for p in analysis.points if p.workload == workload.name]
        cpus = min(p.cpus for p in here)
        shown = [p for p in here if p.cpus == cpus]
        if len({p.clients for p in shown}) < 2:
            found.append(Absent(f"{TITLE}, {workload.name}", "it was run with one load only."))
            continue
        reads = int(workload.varies["disk_reads"])
        caption = (
            f"{TITLE}, workload {workload.name} ({reads} random 16 KiB read{'s' * (reads != 1)} a"
            f" request), {cpus} CPU{'s' * (cpus != 1)}, campaign {analysis.campaign}. "
            + parts.sample_sentence(analysis, shown, WALL_CLOCK)
        )
        found.append(
            Drawing(
                f"disk-{workload.name}", TITLE, workload.name, caption,
                figures.rows_of(shown, (WALL_CLOCK, BUSY)), functools.partial(draw, analysis, shown),
            )
        )
    return found


def draw(analysis: Analysis, points: list[Point], narrow: bool = False, caption: str = "") -> Any:
    figure, grid = parts.panels(1, 2, caption, narrow)
    look = style.looks(analysis)
    for axes, (metric, title, unit) in zip(
        grid[0],
        ((WALL_CLOCK, "Throughput", "requests per second"),
         (BUSY, "CPU used by the server", "share of its CPUs")),
    ):
        curves = parts.curves(analysis, points, metric, lambda p: p.clients)
        parts.draw_curves(axes, curves, look)
        parts.client_axis(axes, sorted({p.clients for p in points}))
        parts.rate_axis(axes, parts.highest_rate(points, metric))
        if metric == BUSY:
            axes.yaxis.set_major_formatter(lambda v, _: percent(v))
        parts.label_curves(axes, curves, look)
        axes.set_title(title)
        axes.set_ylabel(unit)
    return figure


if __name__ == "__main__":
    sys.exit(figures.main(__doc__, drawings))
