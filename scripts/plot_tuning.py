#!/usr/bin/python3
"""Draw what tuning is worth: requests per CPU-second over the size of a pool and the load, as a heat map.

One panel for each kind of pool. The number in a field is the median; its colour compares it with the
best size under the same load, which has a frame. A hatched field: nothing usable was measured.

    scripts/plot_tuning.py results/pool-sizes-20260101T120000Z -o /tmp/figures
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from typing import Any

import figure_parts as parts
import figure_style as style
import figures
from analysis.points import CPU_SECOND, Label, Point
from analysis.pools import Kind, pools_of
from analysis.record import Analysis
from figures import Absent, Drawing, Drawings
from matplotlib.patches import Rectangle
from numbers_as_text import rate

TITLE = "Tuning"
FIELD_WIDTH, FIELD_HEIGHT = 0.62, 0.36  # inches
# From the worst that is told apart to the best; one hue, so that print and colour-blind eyes see it too.
WORST = 0.5
PALE, FULL = (0.94, 0.95, 0.96), (0.0, 0.45, 0.70)
Fields = dict[tuple[int, int], Point]  # (size, clients)


def drawings(analysis: Analysis) -> Drawings:
    """One figure for each workload under which pools of several sizes ran."""
    found: Drawings = []
    kinds = {kind: sizes for kind, sizes in pools_of(analysis).items() if len(sizes) > 1}
    for workload in figures.closed(analysis):
        fields = {kind: fields_of(analysis, workload.name, sizes) for kind, sizes in kinds.items()}
        maps = {kind: own for kind, own in fields.items() if len({size for size, _ in own}) > 1}
        if not maps:
            continue
        points = [p for own in maps.values() for p in own.values()]
        caption = (
            f"{TITLE}, workload {workload.name}, campaign {analysis.campaign}: requests per server"
            " CPU-second, median over blocks. Full colour: the best size under that load, framed;"
            f" palest: {100 * WORST:.0f} % of it or less. Hatched: nothing usable."
        )
        found.append(
            Drawing(
                f"tuning-{workload.name}", TITLE, workload.name, caption,
                figures.rows_of(points, (CPU_SECOND,)), functools.partial(draw, maps),
            )
        )
    return found or [Absent(TITLE, "no workload was run by pools of one kind in several sizes.")]


def fields_of(analysis: Analysis, workload: str, sizes: Mapping[int, Label]) -> Fields:
    """The points of these labels on the fewest CPUs, by size and clients."""
    names = {label.name: size for size, label in sizes.items()}
    here = [p for p in analysis.points if p.workload == workload and p.label in names]
    cpus = min((p.cpus for p in here), default=0)
    return {(names[p.label], p.clients): p for p in here if p.cpus == cpus}


def draw(maps: Mapping[Kind, Fields], narrow: bool = False, caption: str = "") -> Any:
    rows = max(len({size for size, _ in fields}) for fields in maps.values())
    columns = max(len({n for _, n in fields}) for fields in maps.values())
    width, height = max(columns * FIELD_WIDTH, 1.9), rows * FIELD_HEIGHT
    figure, (row,) = parts.panels(
        1, len(maps), caption, narrow, width, right=0.35, height=height
    )
    for axes, (kind, fields) in zip(row, maps.items()):
        _panel(axes, fields, style.OF + kind[0])
        axes.set_title(" ".join(kind))
    return figure


def _panel(axes: Any, fields: Fields, group: str) -> None:
    sizes, clients = sorted({s for s, _ in fields}), sorted({n for _, n in fields})
    for x, n in enumerate(clients):
        known = {s: m for s in sizes if (s, n) in fields and (m := fields[s, n].median(CPU_SECOND))}
        best = max(known.values(), default=0.0)
        for y, s in enumerate(sizes):
            value = known.get(s)
            share = 0.0 if value is None else max(0.0, (value / best - WORST) / (1 - WORST))
            colour = tuple(pale + share * (full - pale) for pale, full in zip(PALE, FULL))
            field = Rectangle(
                (x - 0.48, y - 0.46), 0.96, 0.92, facecolor=colour, linewidth=1.6,
                edgecolor=style.INK if value == best and value else "none",
                hatch="////" if value is None else None,
            )
            axes.add_patch(field).set_gid(group)
            if value is not None:
                text = axes.text(
                    x, y, rate(value), ha="center", va="center", fontsize=8,
                    color="#fdfdfd" if share > 0.55 else "#20242a",
                )
                text.set_gid(group)
    axes.set_xlim(-0.55, len(clients) - 0.45)
    axes.set_ylim(-0.55, len(sizes) - 0.45)
    axes.set_xticks(range(len(clients)), [f"{n:,}" for n in clients])
    axes.set_yticks(range(len(sizes)), [f"{s:,}" for s in sizes])
    axes.grid(visible=False)
    axes.set_xlabel("clients")
    axes.set_ylabel("workers")


if __name__ == "__main__":
    sys.exit(figures.main(__doc__, drawings))
