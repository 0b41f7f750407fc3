#!/usr/bin/python3
"""Draw what one request costs, part by part, at the load where the servers do most.

CPU time in user mode and in the kernel, system calls, context switches (voluntary and involuntary),
and the memory of one more connection. Bars, because they are amounts of the same thing; the line
at a bar's end is the interval of the median over blocks. What was not measured has no panel.

    scripts/plot_cost.py results/quick-20260101T120000Z -o /tmp/figures
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import figure_parts as parts
import figure_style as style
import figures
from analysis.points import CPU_SECOND, Point
from analysis.record import Analysis
from figures import Absent, Drawing, Drawings
from numbers_as_text import rate, size

TITLE = "Cost of a request"
PANEL_WIDTH = 1.6
COLUMNS = 3  # more would make the letters too small on paper
HEIGHT_OF_A_BAR = 0.26  # inches
CPU = "cpu_us_per_request"
USER = "server_user_share"
MEMORY = "memory_bytes_per_connection"


@dataclass(frozen=True)
class Bar:
    """One panel: stacked metrics, the first solid and the second pale."""

    metrics: tuple[str, ...]
    title: str
    unit: str


BARS = (
    Bar((CPU,), "CPU time", "µs (solid: user, pale: kernel)"),
    Bar(("system_us_per_request",), "Kernel time, whole machine", "µs of CPU time"),
    Bar(("syscalls_per_request",), "System calls", "for each request"),
    Bar(("voluntary_switches_per_request", "involuntary_switches_per_request"), "Context switches",
        "(solid: voluntary, pale: not)"),
    Bar((MEMORY,), "Memory of a connection", "bytes, server's processes"),
)


def drawings(analysis: Analysis) -> Drawings:
    """One figure for each closed workload."""
    found: Drawings = []
    for workload in figures.closed(analysis):
        points = busiest(analysis, workload.name)
        if not points:
            continue
        clients, cpus = points[0].clients, points[0].cpus
        caption = (
            f"{TITLE}, workload {workload.name}, {clients:,} client{'s' * (clients != 1)},"
            f" {cpus} CPU{'s' * (cpus != 1)}, campaign {analysis.campaign}. Medians over blocks with"
            " their intervals; lower is better. On loopback the kernel's part holds work of the"
            " sender's side too."
        )
        metrics = [USER, *(m for bar in BARS for m in bar.metrics if m != MEMORY)]
        most = most_clients(analysis, points)
        if most:
            caption += f" Memory: at {most[0].clients:,} clients, where what is shared weighs least."
        found.append(
            Drawing(
                f"cost-{workload.name}", TITLE, workload.name, caption,
                figures.rows_of(points, metrics) + figures.rows_of(most, [MEMORY]),
                functools.partial(draw, analysis, points, most),
            )
        )
    return found or [Absent(TITLE, "no server's CPU time was measured.")]


def busiest(analysis: Analysis, workload: str) -> list[Point]:
    """The points on the fewest CPUs at the load with the most requests per CPU-second in all."""
    here = [p for p in analysis.points if p.workload == workload and CPU in p.metrics]
    cpus = min((p.cpus for p in here), default=0)
    loads: dict[int, list[Point]] = {}
    for p in here:
        if p.cpus == cpus:
            loads.setdefault(p.clients, []).append(p)

    def done(points: Sequence[Point]) -> tuple[int, float]:
        return len(points), sum(p.median(CPU_SECOND) or 0.0 for p in points)

    return max(loads.values(), key=done, default=[])


def most_clients(analysis: Analysis, points: Sequence[Point]) -> list[Point]:
    """The same servers under the largest load at which the memory of any of them is known."""
    same = {(p.workload, p.cpus) for p in points}
    here = [p for p in analysis.points if (p.workload, p.cpus) in same and MEMORY in p.metrics]
    clients = max((p.clients for p in here), default=0)
    return [p for p in here if p.clients == clients]


def draw(
    analysis: Analysis, points: list[Point], most: list[Point], narrow: bool = False, caption: str = ""
) -> Any:
    bars = [b for b in BARS if any(b.metrics[0] in p.metrics for p in (*points, *most))]
    columns = 1 if narrow else min(COLUMNS, len(bars))
    rows = -(-len(bars) // columns)
    height = max(parts.PANEL_HEIGHT, HEIGHT_OF_A_BAR * len(points))
    figure, grid = parts.panels(
        rows, columns, caption, narrow, parts.NARROW_PANEL if narrow else PANEL_WIDTH, right=0.35, left=1.25, height=height
    )
    look = style.looks(analysis)
    places = [axes for row in grid for axes in row]
    for axes, bar in zip(places, bars):
        _panel(axes, bar, most if bar.metrics[0] == MEMORY else points, look)
    for axes in places[len(bars) :]:
        axes.set_visible(False)
    return figure


def _panel(axes: Any, bar: Bar, points: list[Point], look: dict[str, style.Look]) -> None:
    reach = max(_ends(p, bar)[1] for p in points)
    for place, p in enumerate(points):
        own = look[p.label]
        begin = 0.0
        for nth, part in enumerate(_parts(p, bar)):
            own.own(*axes.barh(
                place, part, left=begin, height=0.62, color=own.line, alpha=(1.0, 0.4)[nth],
            ))
            begin += part
        low, high = _ends(p, bar)
        own.own(*axes.plot([low, high], [place, place], color=style.INK, linewidth=0.9))
        shown = size(begin) if "bytes" in bar.metrics[0] else f"{begin:.3g}"
        known = bar.metrics[0] in p.metrics
        if bar.metrics[0] == CPU and known and USER not in p.metrics:
            shown += ", not divided"
        own.own(axes.text(
            max(high, begin) + 0.02 * reach, place, shown if known else "not measured", va="center",
            fontsize=7, color=own.text if known else style.FAINT,
        ))
    axes.set_yticks(range(len(points)), [p.label for p in points])
    axes.set_ylim(len(points) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x")
    parts.rate_axis(axes, reach * 1.12, along="x")
    if "bytes" in bar.metrics[0]:
        axes.xaxis.set_major_formatter(lambda v, _: rate(v))
    axes.set_title(bar.title)
    axes.set_xlabel(bar.unit)


def _parts(p: Point, bar: Bar) -> list[float]:
    """The stacked amounts. CPU time is split by the user's share of it; all of it is pale where that is
    not known."""
    if bar.metrics[0] == CPU and CPU in p.metrics:
        total, user = p.metrics[CPU].median, p.median(USER)
        return [0.0, total] if user is None else [total * user, total * (1 - user)]
    return [p.metrics[m].median for m in bar.metrics if m in p.metrics]


def _ends(p: Point, bar: Bar) -> tuple[float, float]:
    """The interval of the first metric, moved to the end of the whole bar."""
    first = p.metrics.get(bar.metrics[0])
    if first is None:
        return 0.0, 0.0
    beyond = sum(_parts(p, bar)) - first.median
    return first.low + beyond, first.high + beyond


if __name__ == "__main__":
    sys.exit(figures.main(__doc__, drawings))
