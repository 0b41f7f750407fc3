#!/usr/bin/python3
"""Show a campaign in the terminal: the headline of the report, its doubts, and both curves in text.

    scripts/show.py results/quick-20260101T120000Z
"""

from __future__ import annotations

import signal
import sys
import textwrap
from collections.abc import Iterable, Sequence

import sentences
import text_plot
from analysis.points import CPU_SECOND, WALL_CLOCK, Point
from analysis.record import Analysis, load_analysis
from results import BadData, Parser, fatal

WIDTH = 100


def shown(analysis: Analysis) -> list[str]:
    """Everything, as lines."""
    blocks = sentences.counted(analysis.blocks, "block")
    lines = [
        *_wrapped(analysis.question),
        f"{analysis.campaign}, {analysis.started_utc}, {analysis.cells:,} cells in {blocks}",
        "",
    ]
    for finding in sentences.headline(analysis):
        lines += [*_wrapped(f"{finding.place}. {finding.text}"), ""]
    lines += [sentences.brackets(analysis), ""]
    for caveat in sentences.caveats(analysis):
        lines += _wrapped(caveat, "- ")
    for workload in analysis.workloads:
        here = [p for p in analysis.points if p.workload == workload.name]
        fewest = min(p.cpus for p in here)
        for metric in (CPU_SECOND, WALL_CLOCK):
            title = f"{workload.name}: {sentences.UNIT[metric]} over clients, {fewest} CPU"
            lines += _over(analysis, title, [p for p in here if p.cpus == fewest], metric, "clients")
        crossed = _most_cpus_at_one_load(here)
        if crossed:
            title = f"{workload.name}: {sentences.UNIT[WALL_CLOCK]} over CPUs, {crossed[0].clients:,} clients"
            lines += _over(analysis, title, crossed, WALL_CLOCK, "cpus")
    return lines


def _most_cpus_at_one_load(points: Sequence[Point]) -> list[Point]:
    """The points at the largest load that was run on more than one number of CPUs."""
    loads = [n for n in {p.clients for p in points} if len({p.cpus for p in points if p.clients == n}) > 1]
    return [p for p in points if p.clients == max(loads)] if loads else []


def _over(
    analysis: Analysis, title: str, points: Sequence[Point], metric: str, axis: str
) -> list[str]:
    """A plot over clients or CPUs; empty below two places."""
    places = sorted({_place(p, axis) for p in points})
    if len(places) < 2:
        return []
    names = [label.name for label in analysis.labels if any(p.label == label.name for p in points)]
    sign = text_plot.signs(names)
    lines = []
    for name in names:
        own = {_place(p, axis): p.median(metric) for p in points if p.label == name}
        lines.append(text_plot.Line(sign[name], name, tuple(own.get(n) for n in places)))
    return ["", *text_plot.plot(title, [f"{n:,}" for n in places], lines)]


def _place(p: Point, axis: str) -> int:
    return p.clients if axis == "clients" else p.cpus


def _wrapped(text: str, bullet: str = "") -> Iterable[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=bullet, subsequent_indent=" " * len(bullet))


def main(arguments: Sequence[str] | None = None) -> int:
    options = Parser(__doc__).parse_args(arguments)
    try:
        analysis = load_analysis(options.campaign)
    except BadData as error:
        fatal(error)
    print("\n".join(shown(analysis)))
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` is no error
    sys.exit(main())
