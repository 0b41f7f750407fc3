"""A figure over anything that a plan's workloads vary: response size, idle clients, offered rate.

The plots that show one quantity each are this with their own words.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import figure_parts as parts
import figure_style as style
import figures
from analysis.points import WALL_CLOCK, Point
from analysis.record import Analysis
from analysis.workloads import Workload, by_quantity
from figures import Absent, Drawing, Drawings


@dataclass(frozen=True)
class Panel:
    """One metric over the quantity."""

    metric: str
    title: str
    unit: str
    is_latency: bool = False
    ideal: bool = False  # draw y = x: what is offered is what a perfect server does
    why_missing: str = ""  # why a server that was measured may not have it; a clause


@dataclass(frozen=True)
class Question:
    """What is asked of the data, in the words of the figure."""

    title: str
    stem: str  # of the files
    quantity: str  # a key of Workload.varies
    axis: str
    shown: Callable[[float], str]  # a value of the quantity, for a reader
    panels: tuple[Panel, ...]
    remark: str  # what the caption adds
    missing: str  # the sentence when no workloads vary the quantity


def drawings(analysis: Analysis, question: Question) -> Drawings:
    """One figure for each family of workloads that differ in the quantity only."""
    families = by_quantity(analysis.workloads, question.quantity)
    if not families:
        return [Absent(question.title, question.missing)]
    found: Drawings = []
    for number, (family, workloads) in enumerate(families.items()):
        values = {w.name: w.varies.get(question.quantity, 0.0) for w in workloads}
        points = _at_one_load(analysis, values)
        if not points:
            found.append(Absent(f"{question.title}, {family}", "no cell of it is usable."))
            continue
        clients, cpus = points[0].clients, points[0].cpus
        caption = (
            f"{question.title}, {family}, {clients:,} clients, {cpus} CPU{'s' * (cpus != 1)},"
            f" campaign {analysis.campaign}. {question.remark}"
            + parts.sample_sentence(analysis, points, question.panels[0].metric)
            + _missing_sentence(points, values, question)
        )
        measured = figures.rows_of(points, [panel.metric for panel in question.panels])
        rows: tuple[figures.Row, ...] = tuple(
            {question.quantity: values[str(row["workload"])]} | row for row in measured
        )
        found.append(
            Drawing(
                f"{question.stem}-{number}" if number else question.stem, question.title,
                _one_name(workloads), caption, rows,
                functools.partial(draw, analysis, question, points, values),
            )
        )
    return found


def _missing_sentence(
    points: Sequence[Point], values: dict[str, float], question: Question
) -> str:
    """Where a panel has no mark although its server was measured, and why."""
    text = ""
    for panel in question.panels:
        missing: dict[float, list[str]] = {}
        if panel.why_missing and any(panel.metric in p.metrics for p in points):
            for p in points:
                if panel.metric not in p.metrics:
                    missing.setdefault(values[p.workload], []).append(p.label)
        where = "; ".join(f"{', '.join(who)} at {question.shown(at)}" for at, who in sorted(missing.items()))
        text += f" {panel.title} not drawn: {where}; {panel.why_missing}." if where else ""
    return text


def _one_name(workloads: Sequence[Workload]) -> str:
    return workloads[0].name if len(workloads) == 1 else ""


def _at_one_load(analysis: Analysis, values: dict[str, float]) -> list[Point]:
    """The points on the fewest CPUs at the load that most of the workloads share, else the largest."""
    here = [p for p in analysis.points if p.workload in values and WALL_CLOCK in p.metrics]
    if not here:
        return []
    cpus = min(p.cpus for p in here)
    here = [p for p in here if p.cpus == cpus]
    shared: dict[int, set[str]] = {}
    for p in here:
        shared.setdefault(p.clients, set()).add(p.workload)
    clients = max(shared, key=lambda n: (len(shared[n]), n))
    return [p for p in here if p.clients == clients]


def draw(
    analysis: Analysis, question: Question, points: list[Point], values: dict[str, float],
    narrow: bool = False, caption: str = "",
) -> Any:
    """One row of panels."""
    measured = [q for q in question.panels if any(q.metric in p.metrics for p in points)]
    figure, grid = parts.panels(1, len(measured), caption, narrow)
    look = style.looks(analysis)
    for axes, panel in zip(grid[0], measured):
        axes.set_title(panel.title)
        axes.set_ylabel(panel.unit)
        shown = [p for p in points if panel.metric in p.metrics]
        parts.quantity_axis(axes, sorted(set(values.values())), question.axis, question.shown)
        curves = parts.curves(analysis, shown, panel.metric, lambda p: values[p.workload])
        # Who was asked at one value only says nothing of how the quantity matters.
        curves = [c for c in curves if sum(p.label == c.label for p in points) > 1]
        parts.draw_curves(axes, curves, look)
        if panel.ideal:
            # By way of every value: on this axis the line from the first to the last is another one.
            every = sorted(v for v in set(values.values()) if v > 0)
            axes.plot(every, every, ":", color=style.INK, linewidth=1.0)
        highest = parts.highest_rate(shown, panel.metric)
        if panel.is_latency:
            medians = [p.metrics[panel.metric].median for p in shown]
            parts.latency_axis(axes, min(medians), max(medians))
        else:
            parts.rate_axis(axes, highest)
        parts.label_curves(axes, curves, look)
    return figure
