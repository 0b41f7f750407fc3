#!/usr/bin/python3
"""Draw what the calibrated model predicts: throughput to 1,000,000 clients and to 128 CPUs.

Prediction, not measurement. Left: one CPU, clients on other machines; a line ends where the
connections no longer fit into the memory. Right: many CPUs with as many clients for each. The band is
what the assumptions leave open (scripts/analysis/prediction.py). Below: how far off the model was at
points that it had not seen.

    scripts/plot_prediction.py results/full-20260101T120000Z -o /tmp/figures
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from typing import Any

import figure_parts as parts
import figure_style as style
import figures
from analysis.held_out import GOOD, KINDS, Check
from analysis.intervals import Interval
from analysis.model import CLIENTS_FOR_EACH_CPU, MEMORY_BYTES, Model, Predicted, model
from analysis.record import Analysis
from figures import Absent, Drawing, Drawings
from numbers_as_text import percent, rate, size

TITLE = "Prediction beyond this machine"
ERROR_AXIS = 0.5  # errors beyond are drawn at the edge: how far beyond does not matter any more


def drawings(analysis: Analysis) -> Drawings:
    """One figure: the workload whose load varies most."""
    made = model(analysis)
    if made is None:
        return [Absent(TITLE, "no server was measured under two busy loads.")]
    caption = (
        f"{TITLE}: PREDICTION, not measurement, from campaign {analysis.campaign}, workload"
        f" {made.workload}. Over clients: a line ends where {size(MEMORY_BYTES)} hold no more connections."
        f" Over CPUs: {CLIENTS_FOR_EACH_CPU} clients for each, dotted: ideal. Bands: what the"
        " assumptions leave open. " + _accuracy_sentence(made)
    )
    return [
        Drawing(
            f"prediction-{made.workload}", TITLE, made.workload, caption, _rows(made),
            functools.partial(draw, analysis, made),
        )
    ]


def _accuracy_sentence(made: Model) -> str:
    every = next((a for a in made.accuracies if a.kind == "all"), None)
    if every is None:
        return "No point could be held out to check it."
    return (
        f"Checked by the CPU time of a request, {every.points} times at measured points that it had not"
        f" seen: {every.within} within {percent(GOOD)}, median error {percent(every.median_error, 1)},"
        f" worst {percent(every.worst_error)}."
    )


def _rows(made: Model) -> tuple[figures.Row, ...]:
    predicted = tuple(
        {
            "what": f"predicted over {p.axis}", "label": p.label, "workload": made.workload,
            "clients": p.clients, "cpus": p.cpus, "predicted_rps": p.rps.value,
            "low_rps": p.rps.low, "high_rps": p.rps.high, "measured_rps": "", "predicted_us": "",
            "measured_us": "",
        }
        for p in made.curves
    )
    checked = tuple(
        {
            "what": f"check: {c.kind}", "label": c.label, "workload": c.workload, "clients": c.clients,
            "cpus": c.cpus, "predicted_rps": _known(c.predicted_rps), "low_rps": "", "high_rps": "",
            "measured_rps": _known(c.measured_rps), "predicted_us": c.predicted_us,
            "measured_us": c.measured_us,
        }
        for c in made.checks
    )
    return predicted + checked


def _known(value: float | None) -> float | str:
    return "" if value is None else value


def draw(analysis: Analysis, made: Model, narrow: bool = False, caption: str = "") -> Any:
    # Two beside each other: with three the letters would be too small on paper.
    wanted = 3 if made.checks else 2
    shape = (wanted, 1) if narrow else (-(-wanted // 2), 2)
    figure, grid = parts.panels(*shape, caption, narrow)
    row = [axes for line in grid for axes in line]
    for axes in row[wanted:]:
        axes.set_visible(False)
    look = style.looks(analysis)
    over_clients = _curves(made, "clients", lambda p: p.clients)
    _lines(row[0], over_clients, look)
    loads = sorted({x for curve in over_clients for x in curve.x})
    parts.quantity_axis(row[0], [10.0**e for e in range(7)], "clients", rate)
    row[0].set_xlim(min(loads) / 1.25, max(loads) * 1.25)
    parts.rate_axis(row[0], max(y.median for c in over_clients for y in c.y if y is not None))
    row[0].set_title("Predicted over clients, 1 CPU")
    row[0].set_ylabel("requests per second")
    parts.label_curves(row[0], over_clients, look)

    over_cpus = _curves(made, "cpus", lambda p: p.cpus)
    _lines(row[1], over_cpus, look)
    ends = [over_cpus[0].x[0], over_cpus[0].x[-1]]
    best = max(c.y[0].median for c in over_cpus if c.y[0] is not None)
    row[1].plot(ends, [best * n / ends[0] for n in ends], ":", color=style.INK, linewidth=1.0)
    parts.quantity_axis(row[1], over_cpus[0].x, "CPUs given to the server", lambda n: f"{n:.0f}")
    row[1].set_yscale("log")
    row[1].yaxis.set_major_formatter(lambda v, _: rate(v))
    row[1].set_title("Predicted over CPUs")
    row[1].set_ylabel("requests per second")
    parts.label_curves(row[1], over_cpus, look)
    if made.checks:
        _errors(row[2], made.checks, look)
    return figure


def _curves(made: Model, axis: str, x: Any) -> list[parts.Curve]:
    found = []
    for label in dict.fromkeys(p.label for p in made.curves):
        own: list[Predicted] = [p for p in made.curves if (p.axis, p.label) == (axis, label)]
        spans = [Interval(p.rps.value, p.rps.low, p.rps.high, 0, 0.0) for p in own]
        found.append(parts.plain_curve(label, [float(x(p)) for p in own], spans))
    return found


def _lines(axes: Any, curves: Sequence[parts.Curve], look: dict[str, style.Look]) -> None:
    """Lines without marks: a mark stands for something measured."""
    for curve in curves:
        own = look[curve.label]
        spans = [y for y in curve.y if y is not None]
        band = axes.fill_between(
            curve.x, [s.low for s in spans], [s.high for s in spans], color=own.line, alpha=0.1,
            linewidth=0,
        )
        line = axes.plot(curve.x, [s.median for s in spans], color=own.line, linestyle=own.dashes)
        own.own(band, *line)


def _errors(axes: Any, checks: Sequence[Check], look: dict[str, style.Look]) -> None:
    kinds = [kind for kind in KINDS if any(c.kind == kind for c in checks)]
    axes.axhspan(-GOOD, GOOD, color=style.GRID, linewidth=0, zorder=0)
    axes.axhline(0.0, color=style.FAINT, linewidth=0.8)
    for place, kind in enumerate(kinds):
        here = [c for c in checks if c.kind == kind]
        for nth, check in enumerate(here):
            # Side by side in the order of the labels, so that no mark hides another.
            x = place + 0.7 * ((nth + 0.5) / len(here) - 0.5)
            own = look[check.label]
            y = min(max(check.error, -ERROR_AXIS), ERROR_AXIS)
            own.own(*axes.plot([x], [y], own.mark, color=own.line, clip_on=False))
    axes.set_xticks(range(len(kinds)), [kind.replace(" ", "\n") for kind in kinds])
    axes.set_xlim(-0.5, len(kinds) - 0.5)
    axes.set_ylim(-1.1 * ERROR_AXIS, 1.1 * ERROR_AXIS)
    axes.yaxis.set_major_formatter(lambda v, _: percent(v))
    axes.set_title("Error where it can be checked")
    axes.set_ylabel("CPU time: predicted / measured − 1")


if __name__ == "__main__":
    sys.exit(figures.main(__doc__, drawings))
