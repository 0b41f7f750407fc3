#!/usr/bin/python3
"""Write the part of README.md that numbers stand in: both curves and a table, from reference campaigns.

    scripts/readme_numbers.py results/reference/full results/reference/claims

The curves are the first campaign's, the table is the last one's, which may be the same. Everything
between the two marks is made here, so that no number in the README is typed by hand; scripts/reference
runs this for the campaigns that the README speaks of.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import sentences
from analysis.load_curve import LoadCurve
from analysis.model import base_workload
from analysis.points import CPU_SECOND, Label
from analysis.record import Analysis, load_analysis
from numbers_as_text import percent, rate, size
from results import BadData, Parser, fatal

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- made by scripts/reference: begin -->\n", "<!-- made by scripts/reference: end -->\n"
# One model of each architecture is enough for a first screen: the founding paper's own.
FIRST = {"mp": "fork", "mt": "thread", "edsm": "epoll", "st": "process"}
WHAT = {
    "mp": "a process for each connection", "mt": "a thread for each connection",
    "edsm": "an event-driven state machine", "st": "state threads",
}
MEMORY = "memory_bytes_per_connection"


def block(curves_of: Path, table_of: Path) -> str:
    """The made part, marks included, of two campaigns' folders inside the repository."""
    analysis = load_analysis(table_of)
    workload = base_workload(analysis)
    shown = [label for kind in FIRST for label in analysis.labels
             if (label.architecture, label.model) == (kind, FIRST[kind])
             and label.twin_of is None and not label.options]
    curves = {c.label: c for c in analysis.load_curves
              if (c.workload, c.metric) == (workload, CPU_SECOND)
              and c.cpus == min(p.cpus for p in analysis.points if p.workload == workload)}
    largest = max((c.largest_clients for c in curves.values()), default=0)
    memory = any(_memory(analysis, label, workload, largest) for label in shown)
    heads = ["architecture", "requests for a CPU-second, at best", f"the same at {largest:,} clients"]
    heads += ["memory of a connection"] * memory
    rows = [
        _row(
            analysis, label, curves[label.name],
            _memory(analysis, label, workload, largest) if memory else "",
        )
        for label in shown if label.name in curves
    ]
    drawn, counted = (load_analysis(curves_of), curves_of), (analysis, table_of)
    made_of = [f"the curves from {_told(*drawn)}", f"the table from {_told(*counted)}"]
    if curves_of == table_of:
        made_of = [f"made from {_told(*drawn)}"]
    picture = f"{_folder(curves_of)}/figures/{{}}-{workload}.png"
    names = [label.name for label in shown if label.name in curves]
    table = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads), *rows]
    return BEGIN + "\n".join([
        f"![Load scalability]({picture.format('load_scalability')})",
        "", f"![System scalability]({picture.format('system_scalability')})", "",
        *table, "",
        _finding(analysis, names, workload, largest), "",
        f"The workload is `{workload}`, the server has one of the machine's {analysis.cpus} CPUs where nothing else is"
        f" said; in brackets: {percent(analysis.level)} intervals; {' and '.join(made_of)}.",
    ]) + "\n" + END


def _folder(campaign: Path) -> Path:
    return campaign.resolve().relative_to(ROOT)


def _told(analysis: Analysis, campaign: Path) -> str:
    folder = _folder(campaign)
    return (f"[`{folder}`]({folder}), {analysis.cells:,} cells in {analysis.blocks} blocks of"
            f" {analysis.started_utc[:10]}")


def _finding(analysis: Analysis, names: list[str], workload: str, clients: int) -> str:
    """Who does most at the largest load, and how surely: one sentence for a newcomer."""
    cpus = min(p.cpus for p in analysis.points if p.workload == workload)
    at = (workload, clients, cpus)
    found = {name: analysis.point(name, *at) for name in names}
    present = [name for name, p in found.items() if p is not None and CPU_SECOND in p.metrics]
    if not present:
        return f"At {sentences.counted(clients, 'client')} no cell is usable."
    first, ratios = sentences.ranked(analysis, present, at, CPU_SECOND)
    known = {other: ratio for other, ratio in ratios.items() if ratio is not None}
    ahead, alike = [], []
    for other, r in known.items():
        few = f", in each of only {sentences.counted(r.n, 'block')}" * (r.verdict == "too_few_blocks")
        if r.low > 1:
            ahead.append(
                f"{sentences.factor(r.ratio)} times what {other} does ({sentences.interval(r)}{few})"
            )
        else:
            alike.append(f"{other} ({sentences.interval(r)} times{few})")
    text = f"**At {sentences.counted(clients, 'client')} {first} does most for its CPU time"
    text += f": {sentences.joined(ahead)}.**" if ahead else ".**"
    return text + (f" It is not surely ahead of {sentences.joined(alike)}." if alike else "")


def _row(analysis: Analysis, label: Label, curve: LoadCurve, memory: str) -> str:
    last = analysis.point(label.name, curve.workload, curve.largest_clients, curve.cpus)
    amount = last.median(CPU_SECOND) if last else None
    kept = "all" if curve.retention.ratio >= 1 else percent(curve.retention.ratio)
    cells = [
        f"**{label.architecture}**, {WHAT[label.architecture]}",
        f"{rate(curve.peak.median)} ({rate(curve.peak.low)}–{rate(curve.peak.high)})"
        f" at {sentences.counted(curve.peak_clients, 'client')}",
        (rate(amount) if amount else "") + (
            f", {kept}{sentences.shares(curve.retention)} of its best"
            if curve.peak_clients != curve.largest_clients else ", its best"
        ),
    ]
    return "| " + " | ".join(cells + [memory] * bool(memory)) + " |"


def _memory(analysis: Analysis, label: Label, workload: str, clients: int) -> str:
    here = [p for p in analysis.points
            if (p.label, p.workload, p.clients) == (label.name, workload, clients) and MEMORY in p.metrics]
    return size(here[0].metrics[MEMORY].median) if here else ""


def rewritten(text: str, made: str) -> str:
    """`text` with the part between the marks replaced. Raises BadData when there are no marks."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise BadData(f"{README} does not hold each of the two marks once: {BEGIN.strip()}")
    return text[: text.index(BEGIN)] + made + text[text.index(END) + len(END) :]


def write(curves_of: Path, table_of: Path) -> None:
    """Makes the part anew. Raises BadData."""
    made = block(curves_of, table_of)
    README.write_text(rewritten(README.read_text(encoding="utf-8"), made), encoding="utf-8")
    print(README)


def main(arguments: Sequence[str] | None = None) -> int:
    options = Parser(__doc__, several=True).parse_args(arguments)
    try:
        write(options.campaigns[0], options.campaigns[-1])
    except BadData as error:
        fatal(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
