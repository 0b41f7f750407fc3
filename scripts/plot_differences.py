#!/usr/bin/python3
"""Draw every difference from the reference with its interval, beside what noise alone makes.

One row for each server and load: the ratio of requests per CPU-second to the reference's, paired
within blocks, and its exact interval. The grey band is the noise floor: 95 % of the ratios between
single cells of A/A twins lie in it. An interval that crosses 1 says that the two cannot be told apart.

    scripts/plot_differences.py results/quick-20260101T120000Z -o /tmp/figures
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import matplotlib.ticker

import figure_parts as parts
import figure_style as style
import figures
from analysis.comparisons import Comparison
from analysis.points import CPU_SECOND
from analysis.record import Analysis
from figures import Absent, Drawing, Drawings

TITLE = "Differences"
PANEL_WIDTH = 4.4
ROW = 0.19  # inches for each comparison
LETTER = 0.054  # inches; of 6.8 point DejaVu Sans, on average
SURE = 0.05  # a Holm-adjusted p below it is drawn filled


def drawings(analysis: Analysis) -> Drawings:
    """One figure for each workload with comparisons."""
    found: Drawings = []
    floor = max((n.floor for n in analysis.noise if n.metric == CPU_SECOND), default=None)
    for workload in analysis.workloads:
        shown = [
            c for c in analysis.comparisons
            if (c.workload, c.metric) == (workload.name, CPU_SECOND)
        ]
        if not shown:
            reason = f"nothing ran beside {analysis.reference} in the same block."
            found.append(Absent(f"{TITLE}, {workload.name}", reason))
            continue
        noise = (
            "There are no A/A twins, so the noise floor is unknown."
            if floor is None
            else f"Band: 95 % of single pairs of A/A twins, a factor of {floor:.3f}."
        )
        caption = (
            f"{TITLE} from {analysis.reference} in requests per CPU-second, workload"
            f" {workload.name}, campaign {analysis.campaign}. Pseudomedian over blocks and its exact 95 %"
            f" interval; filled: survives Holm's correction. {noise}"
        )
        found.append(
            Drawing(
                f"differences-{workload.name}", TITLE, workload.name, caption, _rows(shown),
                functools.partial(draw, analysis, shown, floor),
            )
        )
    return found


def _rows(shown: list[Comparison]) -> tuple[figures.Row, ...]:
    return tuple(
        {
            "label": c.label, "reference": c.reference, "workload": c.workload,
            "clients": c.clients, "cpus": c.cpus, "metric": c.metric, "ratio": c.ratio.ratio,
            "low": c.ratio.low, "high": c.ratio.high, "blocks": c.ratio.n,
            "verdict": c.ratio.verdict, "p_holm": c.p_holm,
        }
        for c in shown
    )


def draw(
    analysis: Analysis, shown: list[Comparison], floor: float | None, narrow: bool = False,
    caption: str = "",
) -> Any:
    height = max(1.2, ROW * (len(shown) + 1))
    order = [label.name for label in analysis.labels]
    rows = sorted(shown, key=lambda c: (order.index(c.label), c.cpus, c.clients))
    names = [f"{c.label}, {c.clients:,} clients, {c.cpus} CPU{'s' * (c.cpus != 1)}" for c in rows]
    figure, ((axes,),) = parts.panels(
        1, 1, caption, narrow, PANEL_WIDTH, right=0.3, height=height,
        left=max(1.7, 0.15 + LETTER * max(len(name) for name in names)),
    )
    look = style.looks(analysis)
    if floor is not None:
        axes.axvspan(1 / floor, floor, color=style.GRID, linewidth=0, zorder=0)
    axes.axvline(1.0, color=style.INK, linewidth=0.9)
    for place, c in enumerate(rows):
        own = look[c.label]
        sure = c.p_holm is not None and c.p_holm < SURE and c.ratio.verdict in ("ahead", "behind")
        own.own(
            *axes.plot([c.ratio.low, c.ratio.high], [place, place], color=own.line, linewidth=1.3),
            *axes.plot(
                [c.ratio.ratio], [place], own.mark, color=own.line, markersize=4.2,
                markerfacecolor=own.line if sure else "white",
            ),
        )
    axes.set_xscale("log")
    low, high = min(c.ratio.low for c in rows), max(c.ratio.high for c in rows)
    axes.set_xlim(min(low, 1 / (floor or 1.0), 0.9) / 1.03, max(high, floor or 1.0, 1.1) * 1.03)
    wanted: tuple[float, ...] = (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10)
    if high < 2 * low:
        wanted = (0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.6)
    ticks = [t for t in wanted
             if axes.get_xlim()[0] <= t <= axes.get_xlim()[1]]
    axes.xaxis.set_major_locator(matplotlib.ticker.FixedLocator(ticks))
    axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axes.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda v, _: f"{v:g}"))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), names, fontsize=6.8)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x")
    axes.set_title(f"Ratio to {analysis.reference}")
    axes.set_xlabel("requests per CPU-second, ratio")
    return figure


if __name__ == "__main__":
    sys.exit(figures.main(__doc__, drawings))
