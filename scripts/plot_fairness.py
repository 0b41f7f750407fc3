#!/usr/bin/python3
"""Draw fairness: does every client get its share, and what does the slowest get?

Left: clients that got at least one answer. Middle: Jain's index (1 when all get the same, m/n when m
of n share everything). Right: the slowest client's answers over the mean. The last two need a
generator that counts each client (stload).

    scripts/plot_fairness.py results/quick-20260101T120000Z -o /tmp/figures
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import figure_parts as parts
import figure_style as style
import figures
from analysis.fairness import Fairness
from analysis.intervals import Interval
from analysis.record import Analysis
from figures import Absent, Drawing, Drawings
from numbers_as_text import percent

TITLE = "Fairness"
PANEL_WIDTH = 2.4
PANELS = (
    ("served_share", "Clients served at all", "share of the clients"),
    ("jain", "Jain's index", "1 is fair"),
    ("slowest_share", "Slowest client", "its answers over the mean"),
)


def drawings(analysis: Analysis) -> Drawings:
    """One figure for each workload of which something about single clients is known."""
    found: Drawings = []
    for workload in figures.closed(analysis):
        here = [f for f in analysis.fairness if f.workload == workload.name]
        cpus = min((f.cpus for f in here), default=0)
        shown = [f for f in here if f.cpus == cpus]
        if len({f.clients for f in shown}) < 2:
            reason = "its clients cannot be told apart at two loads."
            found.append(Absent(f"{TITLE}, {workload.name}", reason))
            continue
        caption = (
            f"{TITLE}, workload {workload.name}, {cpus} CPU{'s' * (cpus != 1)}, campaign"
            f" {analysis.campaign}. Median over blocks and its interval."
        )
        found.append(
            Drawing(
                f"fairness-{workload.name}", TITLE, workload.name, caption, _rows(shown),
                functools.partial(draw, analysis, shown),
            )
        )
    return found


def _part(f: Fairness, name: str) -> Interval | None:
    return {"served_share": f.served_share, "jain": f.jain, "slowest_share": f.slowest_share}[name]


def _rows(shown: list[Fairness]) -> tuple[figures.Row, ...]:
    return tuple(
        {
            "label": f.label, "workload": f.workload, "clients": f.clients, "cpus": f.cpus,
            "metric": name, "median": value.median, "low": value.low, "high": value.high,
            "blocks": value.n,
        }
        for f in shown
        for name, _, _ in PANELS
        if (value := _part(f, name)) is not None
    )


def draw(analysis: Analysis, shown: list[Fairness], narrow: bool = False, caption: str = "") -> Any:
    known = [panel for panel in PANELS if any(_part(f, panel[0]) is not None for f in shown)]
    figure, grid = parts.panels(1, len(known), caption, narrow, PANEL_WIDTH)
    look = style.looks(analysis)
    for axes, (name, title, unit) in zip(grid[0], known):
        curves = []
        for label in analysis.labels:
            own = [f for f in shown if f.label == label.name]
            curve = parts.plain_curve(label.name, [f.clients for f in own], [_part(f, name) for f in own])
            if own and label.twin_of is None:
                curves.append(curve)
        parts.draw_curves(axes, curves, look)
        axes.axhline(1.0, linestyle=":", color=style.INK, linewidth=0.8)
        parts.client_axis(axes, sorted({f.clients for f in shown}))
        axes.set_ylim(0, 1.06)
        axes.yaxis.set_major_formatter(lambda v, _: percent(v))
        parts.label_curves(axes, curves, look)
        axes.set_title(title)
        axes.set_ylabel(unit)
    return figure


if __name__ == "__main__":
    sys.exit(figures.main(__doc__, drawings))
