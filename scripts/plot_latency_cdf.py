#!/usr/bin/python3
"""Draw the distribution of latency: how many requests took longer than so long.

The share of requests that took longer, on a logarithmic scale, so that the one in a thousand can be
seen: a line that falls early and steeply is good. Histograms of all usable cells of a point are
merged, never averaged. Under a closed load latency counts from when a request was sent, under an
open load from when it was due; the two are different figures and never compared.

    scripts/plot_latency_cdf.py results/quick-20260101T120000Z -o /tmp/figures

Needs the campaign's raw/ folder, which is not always kept.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import matplotlib.ticker

import figure_parts as parts
import figure_style as style
import figures
from analysis.histogram import Latency
from analysis.record import Analysis
from figures import Absent, Drawing, Drawings
from numbers_as_text import duration, percent

TITLE = "Distribution of latency"
# A figure shows the fewest and the most clients, which differ most.
LOADS = 2


def drawings(analysis: Analysis) -> Drawings:
    """One figure for each workload with merged histograms."""
    found: Drawings = []
    for workload in analysis.workloads:
        here = [
            x for x in analysis.latencies
            if x.workload == workload.name and analysis.label(x.label).twin_of is None
        ]
        if not here:
            found.append(Absent(f"{TITLE}, {workload.name}", "the generators' histograms are not here."))
            continue
        cpus = min(x.cpus for x in here)
        loads = sorted({x.clients for x in here if x.cpus == cpus})
        loads = sorted({loads[0], loads[-1]})[:LOADS]
        shown = [x for x in here if x.cpus == cpus and x.clients in loads]
        since = (
            "it was due, of the requests that were answered" if here[0].from_intended else "it was sent"
        )
        caption = (
            f"{TITLE}, workload {workload.name}, {cpus} CPU{'s' * (cpus != 1)}, campaign"
            f" {analysis.campaign}. Histograms of all blocks merged; latency from when {since}. A line"
            " ends where fewer than a hundred requests are left."
        )
        found.append(
            Drawing(
                f"latency_cdf-{workload.name}", TITLE, workload.name, caption, _rows(shown),
                functools.partial(draw, analysis, shown, loads),
            )
        )
    return found


def _rows(shown: list[Latency]) -> tuple[figures.Row, ...]:
    return tuple(
        {
            "label": x.label, "workload": x.workload, "clients": x.clients, "cpus": x.cpus,
            "requests": x.requests, "share": q.share, "latency_us": q.latency_us,
        }
        for x in shown
        for q in x.curve
    )


def draw(
    analysis: Analysis, shown: list[Latency], loads: list[int], narrow: bool = False,
    caption: str = "",
) -> Any:
    figure, grid = parts.panels(1, len(loads), caption, narrow, left=0.85, right=1.65)
    look = style.looks(analysis)
    for axes, clients in zip(grid[0], loads):
        here = [x for x in shown if x.clients == clients]
        axes.set_xscale("log")
        axes.set_yscale("log")
        for x in here:
            own = look[x.label]
            own.own(
                *axes.plot(
                    [q.latency_us for q in x.curve], [1 - q.share for q in x.curve],
                    color=own.line, linestyle=own.dashes,
                )
            )
        axes.set_title(f"{clients:,} client{'s' * (clients != 1)}")
        axes.set_xlabel("latency")
        axes.set_ylabel("requests that took longer")
        axes.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda v, _: duration(v)))
        reach = [q.latency_us for x in here for q in x.curve]
        between = (1.0, 3.0) if max(reach) < 100 * min(reach) else (1.0,)
        axes.xaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=between, numticks=9))
        axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
        axes.yaxis.set_major_formatter(
            matplotlib.ticker.FuncFormatter(lambda v, _: percent(v, 0 if v >= 0.01 else 2))
        )
        parts.legend(axes, [x.label for x in here], look)
    return figure


if __name__ == "__main__":
    sys.exit(figures.main(__doc__, drawings))
