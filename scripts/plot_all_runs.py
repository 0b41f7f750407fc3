#!/usr/bin/python3
"""Draw every single run: nothing is hidden behind a median here.

Left: each cell's requests per CPU-second at its load. Right: each cell relative to the median of its
point, over blocks, which shows the moods of the machine that pairing within blocks removes. Crosses
are cells that failed a gate.

    scripts/plot_all_runs.py results/quick-20260101T120000Z -o /tmp/figures
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from typing import Any

import figure_parts as parts
import figure_style as style
import figures
from analysis.points import CPU_SECOND, Point
from analysis.record import Analysis
from figures import Absent, Drawing, Drawings
from numbers_as_text import percent

TITLE = "All runs"


def drawings(analysis: Analysis) -> Drawings:
    """One figure for each workload with a usable cell."""
    found: Drawings = []
    for workload in figures.closed(analysis):
        here = [p for p in analysis.points if p.workload == workload.name]
        cpus = min(p.cpus for p in here)
        shown = [p for p in here if p.cpus == cpus]
        runs = sum(len(p.of(CPU_SECOND)) for p in shown)
        if not runs:
            found.append(Absent(f"{TITLE}, {workload.name}", "no cell of it is usable."))
            continue
        caption = (
            f"{TITLE}, workload {workload.name}, {cpus} CPU{'s' * (cpus != 1)}, campaign"
            f" {analysis.campaign}: {runs} usable cells, {sum(p.excluded for p in shown)} excluded"
            " (crosses). At each load the servers stand beside each other in the order of the names, so"
            " that they can be told apart."
        )
        found.append(
            Drawing(
                f"all_runs-{workload.name}", TITLE, workload.name, caption, tuple(_rows(shown)),
                functools.partial(draw, analysis, shown),
            )
        )
    return found


def _rows(shown: list[Point]) -> Iterator[figures.Row]:
    for p in shown:
        for block, value in sorted(p.of(CPU_SECOND).items()):
            yield {
                "label": p.label, "workload": p.workload, "clients": p.clients, "cpus": p.cpus,
                "block": block, CPU_SECOND: value,
            }


def draw(analysis: Analysis, points: list[Point], narrow: bool = False, caption: str = "") -> Any:
    figure, grid = parts.panels(1, 2, caption, narrow, right=1.65)
    look = style.looks(analysis)
    loads, moods = grid[0]
    names = [label.name for label in analysis.labels if any(p.label == label.name for p in points)]
    for nth, name in enumerate(names):
        own = look[name]
        aside = (nth - (len(names) - 1) / 2) / max(1, len(names))
        for p in (p for p in points if p.label == name):
            values = p.of(CPU_SECOND)
            median = p.median(CPU_SECOND)
            x = p.clients * 1.35**aside
            own.own(*loads.plot([x] * len(values), list(values.values()), own.mark, color=own.line,
                                markersize=3, alpha=0.65, markeredgewidth=0, clip_on=False))
            lost = p.set_aside.get(CPU_SECOND, ())
            own.own(*loads.plot([x] * len(lost), lost, "x", color=own.line, markersize=4.5))
            if median:
                own.own(*moods.plot(
                    [b + 0.7 * aside for b in values], [v / median for v in values.values()],
                    own.mark, color=own.line, markersize=3, alpha=0.65, markeredgewidth=0,
                    clip_on=False,
                ))
    clients = sorted({p.clients for p in points})
    parts.client_axis(loads, clients)
    loads.set_xlim(clients[0] / 1.4, clients[-1] * 1.4)  # room for those that stand beside their load
    parts.rate_axis(loads, parts.highest_rate(points, CPU_SECOND))
    loads.set_title("Each cell at its load")
    loads.set_ylabel("requests per server CPU-second")
    parts.legend(loads, names, look)
    moods.axhline(1.0, color=style.INK, linewidth=0.8)
    moods.set_title("Each cell over its point's median")
    moods.set_xlabel("block")
    moods.set_ylabel("relative to the median")
    moods.yaxis.set_major_formatter(lambda v, _: percent(v))
    moods.xaxis.get_major_locator().set_params(integer=True)
    return figure


if __name__ == "__main__":
    sys.exit(figures.main(__doc__, drawings))
