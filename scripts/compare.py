#!/usr/bin/python3
"""Compare two campaigns: what changed from A to B, by how much, and how sure that is.

    scripts/compare.py results/before results/after

Names first what differs in how they were made. When that is the machine, the tools or the way of
measuring, the campaigns are not comparable: the numbers are shown, no verdict is given, and the exit
status is 3. Else each common point gets the ratio B over A, its exact 95 % rank-sum interval
(blocks of two campaigns cannot be paired) and a verdict: faster, slower or same, after Holm's correction
for all points. "Same" means that no difference was seen; the interval says how large one could be.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.comparable import Difference, differences
from analysis.holm import holm
from analysis.paired import Ratio
from analysis.points import COMPARED, CPU_SECOND, Point, find
from analysis.rank_sum import unpaired_ratio
from analysis.record import Analysis, load_analysis
from results import BadData, Parser, fatal, load

NOT_COMPARABLE = 3  # exit status
SURE = 0.05  # a Holm-adjusted p below it is a difference


@dataclass(frozen=True)
class Change:
    """One point in both campaigns. `verdict` is faster, slower, same or too few blocks."""

    point: Point
    metric: str
    ratio: Ratio
    verdict: str


def changes(one: Analysis, other: Analysis, metric: str) -> list[Change]:
    """Every common point with `metric` in both."""
    pairs: list[tuple[Point, Ratio]] = []
    for p in one.points:
        q = find(other.points, p.label, p.workload, p.clients, p.cpus)
        if q is None:
            continue
        ratio = unpaired_ratio(list(q.of(metric).values()), list(p.of(metric).values()))
        if ratio is not None:
            pairs.append((p, ratio))
    adjusted = holm([ratio.p for _, ratio in pairs])
    return [
        Change(p, metric, ratio, _verdict(ratio, sure)) for (p, ratio), sure in zip(pairs, adjusted)
    ]


def _verdict(ratio: Ratio, p: float | None) -> str:
    if ratio.verdict == "too_few_blocks":
        return "too few blocks"
    if ratio.verdict == "indistinguishable":
        return "same"
    word = "faster" if ratio.verdict == "ahead" else "slower"
    return word if p is not None and p < SURE else f"{word}?"


def table(found: Sequence[Change]) -> list[str]:
    """One line for each point, as wide as a terminal."""
    names = [f"{c.point.label}, {c.point.workload}" for c in found]
    width = max((len(n) for n in names), default=0)
    lines = [f"{'':{width}}  clients CPUs   B / A   95 % interval   blocks"]
    for name, c in zip(names, found):
        r = c.ratio
        lines.append(
            f"{name:{width}}  {c.point.clients:7,} {c.point.cpus:4}  {r.ratio:6.3f}"
            f"  {r.low:.3f} to {r.high:.3f}  {r.n:6}  {c.verdict}"
        )
    return lines


def report(
    one: Analysis, other: Analysis, differ: Sequence[Difference], metrics: Sequence[str]
) -> tuple[list[str], int]:
    """The lines to print and the exit status."""
    lines = [f"A  {one.campaign} {one.started_utc}", f"B  {other.campaign} {other.started_utc}", ""]
    spoiled = any(d.spoils for d in differ)
    for d in differ:
        lines.append(f"{'SPOILS' if d.spoils else 'differs'}  {d.what}: {d.first} -> {d.second}")
    lines.append(
        "Not comparable: what is marked SPOILS changes the numbers by itself. No verdicts."
        if spoiled
        else "Comparable: machine, tools and way of measuring are the same."
    )
    for metric in metrics:
        found = changes(one, other, metric)
        lines += ["", "requests per server CPU-second" if metric == CPU_SECOND else "requests per second"]
        if not found:
            lines.append("no point is in both campaigns")
            continue
        shown = table(found)
        lines += [line[: line.rindex("  ")] for line in shown[1:]] if spoiled else shown
        if not spoiled:
            lines.append(_summary(found))
    return lines, NOT_COMPARABLE if spoiled else 0


def _summary(found: Sequence[Change]) -> str:
    counts = {word: sum(c.verdict == word for c in found) for word in ("faster", "slower", "same")}
    rest = len(found) - sum(counts.values())
    text = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
    unsure = f", {rest} undecided ('?': not after Holm's correction)" if rest else ""
    return f"of {len(found)} points: {text or 'none decided'}{unsure}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(__doc__)
    parser.add_argument("other", type=Path, metavar="DIR", help="the later campaign, B")
    options = parser.parse_args(arguments)
    try:
        directories = (options.campaign, options.other)
        differ = differences(*(load(directory) for directory in directories))
        one, other = (load_analysis(directory) for directory in directories)
    except BadData as error:
        fatal(error)
    lines, status = report(one, other, differ, COMPARED)
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` is no error
    sys.exit(main())
