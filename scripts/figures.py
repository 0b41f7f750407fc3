"""What a figure is, and how the plot scripts write them.

A plot script says in `drawings(analysis)` what it can show of a campaign: for each figure a name, a
caption, the rows of data behind it and a function that draws; or, where the campaign has no such
data, a sentence that says so. The report asks the same function.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import figure_style as style
from analysis.points import Point
from analysis.record import Analysis, load_analysis
from analysis.workloads import Workload
from results import BadData, Parser, fatal

Row = dict[str, object]


@dataclass(frozen=True)
class Drawing:
    """One figure that this campaign has the data for."""

    name: str  # stem of its files; no two of a campaign are equal
    title: str
    workload: str  # empty when it shows several
    caption: str
    rows: tuple[Row, ...]  # what is drawn, for the CSV; all with the same keys
    draw: Callable[[bool, str], Any]  # (narrow, caption or "") -> matplotlib figure


@dataclass(frozen=True)
class Absent:
    """A figure that this campaign has no data for."""

    title: str
    reason: str  # a sentence


Drawings = list[Drawing | Absent]


def closed(analysis: Analysis) -> list[Workload]:
    """The workloads whose load is the number of clients; open loads have plot_offered_rate.py."""
    return [w for w in analysis.workloads if "offered_rps" not in w.varies]


def rows_of(points: Iterable[Point], metrics: Sequence[str]) -> tuple[Row, ...]:
    """Medians and intervals as rows, in the order of the points."""
    return tuple(
        {
            "label": p.label, "workload": p.workload, "clients": p.clients, "cpus": p.cpus,
            "metric": metric, "median": p.metrics[metric].median, "low": p.metrics[metric].low,
            "high": p.metrics[metric].high, "blocks": p.metrics[metric].n,
            "excluded": p.excluded, "limited": p.limited, "starved": p.starved,
        }
        for p in points
        for metric in metrics
        if metric in p.metrics
    )


def as_csv(rows: Sequence[Row]) -> str:
    """With a head; numbers as Python writes them, which is exact."""
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def main(
    docstring: str | None,
    drawings: Callable[[Analysis], Drawings],
    arguments: Sequence[str] | None = None,
) -> int:
    """The command line of every plot script: writes SVG, PNG and CSV, names them, and what is absent."""
    parser = Parser(docstring)
    parser.add_argument("-o", "--output", type=Path, help="folder (default: DIR/figures)")
    options = parser.parse_args(arguments)
    try:
        analysis = load_analysis(options.campaign)
    except BadData as error:
        fatal(error)
    folder = options.output or options.campaign / "figures"
    for drawing in drawings(analysis):
        if isinstance(drawing, Absent):
            print(f"{drawing.title}: {drawing.reason}", file=sys.stderr)
            continue
        paths = style.save(drawing.draw(False, drawing.caption), folder / drawing.name)
        table = folder / f"{drawing.name}.csv"
        table.write_text(as_csv(drawing.rows), encoding="utf-8")
        for path in (*paths, table):
            print(path)
    return 0
