"""The sentences of the report and of the terminal, made from the data alone and true for whatever the data are.

Nothing here knows which architecture ought to win. A sentence says "ahead" only when the interval of
the paired ratio excludes 1, and "cannot be told apart" when it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.comparisons import compare
from analysis.intervals import ENOUGH_BLOCKS
from analysis.paired import Ratio
from analysis.points import CPU_SECOND, WALL_CLOCK
from analysis.record import Analysis
from numbers_as_text import percent, rate

UNIT = {CPU_SECOND: "requests per server CPU-second", WALL_CLOCK: "requests per second"}


def joined(parts: Sequence[str]) -> str:
    """a · a and b · a, b and c"""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"


def factor(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def interval(ratio: Ratio) -> str:
    return f"{factor(ratio.low)} to {factor(ratio.high)}"


@dataclass(frozen=True)
class Finding:
    """One entry of the headline: what it is about, and the sentences about it."""

    place: str
    text: str


def headline(analysis: Analysis) -> list[Finding]:
    """What a reader in a hurry should know, most important first."""
    labels = distinct_labels(analysis)
    found = []
    for place_in_plan, workload in enumerate(w.name for w in analysis.workloads):
        here = [p for p in analysis.points if p.workload == workload]
        cpus = min(p.cpus for p in here)
        loads = sorted({p.clients for p in here if p.cpus == cpus})
        # The plan's first workload is its question; of the others the largest load is enough here.
        full = place_in_plan == 0
        for clients in dict.fromkeys((loads[-1], loads[0]) if full else (loads[-1],)):
            at = (workload, clients, cpus)
            place = f"{workload}, {counted(clients, 'client')} on {counted(cpus, 'CPU')}"
            metrics = (CPU_SECOND, WALL_CLOCK) if full else (CPU_SECOND,)
            found.append(
                Finding(place, " ".join(leader(analysis, labels, at, m) for m in metrics))
            )
        if len(loads) > 1:
            found += retention(analysis, labels, workload, cpus)
        if full:
            found += efficiency(analysis, labels, workload)
    return found


def brackets(analysis: Analysis) -> str:
    """What the figures in brackets are."""
    blocks = analysis.blocks
    if blocks >= ENOUGH_BLOCKS:
        return f"In brackets: {percent(analysis.level)} intervals, paired within up to {blocks} blocks."
    if blocks > 1:
        return f"In brackets: the range over {blocks} blocks."
    return "One block: there are no intervals."


def distinct_labels(analysis: Analysis) -> list[str]:
    """All labels but the second of each pair of A/A twins, which is the same server again."""
    return [label.name for label in analysis.labels if label.twin_of is None]


def leader(
    analysis: Analysis, labels: Sequence[str], at: tuple[str, int, int], metric: str
) -> str:
    """Who does most at one load, by how much, and who cannot be told apart from it."""
    workload, clients, cpus = at
    by = "Per server CPU-second" if metric == CPU_SECOND else "By the wall clock"
    found = {label: analysis.point(label, workload, clients, cpus) for label in labels}
    present = [name for name, p in found.items() if p is not None and metric in p.metrics]
    if not present:
        return f"{by} nothing can be said: no cell is usable here."
    first, ratios = ranked(analysis, present, at, metric)
    point = found[first]
    assert point is not None
    unit = "requests" if metric == CPU_SECOND else "requests/s"
    amount = f"{rate(point.metrics[metric].median)} {unit}"
    if len(present) == 1:
        text = f"{by} only {first} can be judged: {amount}."
    else:
        parts = against_each(analysis, ratios, metric)
        text = f"{by} {first} does most, {amount}: {'; '.join(parts)}."
    if metric == WALL_CLOCK and point.not_its_limit:
        text += f" ({first} was not, or not certainly, the limit here: this is not its capacity.)"
    lost = [name for name, p in found.items() if p is not None and name not in present]
    if lost and metric == CPU_SECOND:
        text += f" No usable cell of {joined(lost)}."
    return text


def ranked(
    analysis: Analysis, present: Sequence[str], at: tuple[str, int, int], metric: str
) -> tuple[str, dict[str, Ratio | None]]:
    """Who does most, and its ratio to each of the others, those that come nearest first.

    `present` are the labels with a usable cell at this load, one at least.
    """
    ratios = {
        (one, other): compare(analysis.points, at, one, other, metric)
        for one in present for other in present if one != other
    }

    def margin(label: str) -> float:
        against = [r.ratio for (one, _), r in ratios.items() if one == label and r is not None]
        return min(against, default=0.0)

    first = max(present, key=margin)
    rest = sorted((o for o in present if o != first), key=margin, reverse=True)
    return first, {o: ratios[first, o] for o in rest}


def against_each(analysis: Analysis, ratios: dict[str, Ratio | None], metric: str) -> list[str]:
    """The leader against the others, grouped by what may be said."""
    floor = max((n.floor for n in analysis.noise if n.metric == metric), default=1.0)
    said: dict[str, list[str]] = {}
    for other, ratio in ratios.items():
        if ratio is None:
            said.setdefault("no block is shared with {}", []).append(other)
            continue
        size = f"{factor(ratio.ratio)} times {other} ({interval(ratio)})"
        band = f"{other} (ratio {interval(ratio)})"
        blocks = counted(ratio.n, "block")
        if ratio.verdict == "indistinguishable":
            said.setdefault("it cannot be told apart from {}", []).append(band)
        elif ratio.n == 1:
            said.setdefault("{} in the only block", []).append(
                f"{factor(ratio.ratio)} times {other}"
            )
        elif ratio.verdict == "too_few_blocks" and ratio.low <= 1:
            said.setdefault(f"it cannot be told apart, in {blocks}, from {{}}", []).append(band)
        elif ratio.verdict == "too_few_blocks":
            said.setdefault(f"{{}}, ahead in each of {blocks}", []).append(size)
        elif ratio.ratio < floor:
            key = f"{{}}, which is within the noise floor of {100 * (floor - 1):.1f} %"
            said.setdefault(key, []).append(size)
        else:
            said.setdefault("{}", []).append(size)
    return [sentence.format(joined(names)) for sentence, names in said.items()]


def retention(analysis: Analysis, labels: Sequence[str], workload: str, cpus: int) -> list[Finding]:
    """How much of its own peak throughput each label keeps at its largest load."""
    here = [p for p in analysis.points if (p.workload, p.cpus) == (workload, cpus)]
    curves = [
        c for c in analysis.load_curves
        if (c.workload, c.cpus, c.metric) == (workload, cpus, WALL_CLOCK) and c.label in labels
    ]
    if not curves:
        return []
    largest = max(p.clients for p in here)
    parts = []
    for c in sorted(curves, key=lambda c: -c.retention.ratio):
        beyond = f" at {c.largest_clients:,}, beyond which no cell is usable"
        place = beyond if c.largest_clients != largest else ""
        if c.peak_clients == c.largest_clients:
            kept = "100 %, its peak"
        else:
            kept = f"{percent(c.retention.ratio)}{shares(c.retention)}"
        parts.append(f"{c.label} {kept}{place}")
    title = f"{workload}, from peak to {counted(largest, 'client')} on {counted(cpus, 'CPU')}"
    return [Finding(title, f"Of its own peak throughput each keeps: {'; '.join(parts)}.")]


def shares(ratio: Ratio) -> str:
    """The interval of a share in brackets; nothing when one block has none."""
    return f" ({100 * ratio.low:.0f} to {percent(ratio.high)})" if ratio.n > 1 else ""


def efficiency(analysis: Analysis, labels: Sequence[str], workload: str) -> list[Finding]:
    """X(k) / (k X(1)) at the largest number of CPUs."""
    steps = [s for s in analysis.system_steps if s.workload == workload and s.label in labels]
    if not steps:
        return []
    most = max(s.cpus for s in steps)
    found = []
    for clients in sorted({s.clients for s in steps if s.cpus == most}):
        here = [s for s in steps if (s.clients, s.cpus) == (clients, most)]
        here.sort(key=lambda s: -s.efficiency.ratio)
        parts = [
            f"{s.label} {factor(s.efficiency.ratio)}"
            + (f" ({interval(s.efficiency)})" if s.efficiency.n > 1 else "")
            for s in here
        ]
        first = here[0].from_cpus
        title = f"{workload}, from {first} to {counted(most, 'CPU')} at {counted(clients, 'client')}"
        text = f"Efficiency of throughput, where 1 is ideal: {'; '.join(parts)}."
        limited = [
            s.label for s in here
            if (p := analysis.point(s.label, workload, clients, most)) and p.not_its_limit
        ]
        if limited:
            text += (
                f" ({joined(limited)}: not, or not certainly, the limit there, so the server's own"
                " efficiency may be another.)"
            )
        found.append(Finding(title, text))
    return found


def caveats(analysis: Analysis) -> list[str]:
    """What limits the sentences above; each is here only when it is true of this campaign."""
    found = []
    found += unfinished(analysis)
    blocks = analysis.blocks
    if blocks < ENOUGH_BLOCKS:
        sure = max(0.0, 1 - 2.0 ** (1 - blocks))
        found.append(
            f"{counted(blocks, 'block')}: even when all blocks agree the confidence is {percent(sure, 1)};"
            f" a {percent(analysis.level)} statement needs at least {ENOUGH_BLOCKS}. Intervals are"
            " ranges over blocks."
        )
    found += exclusions(analysis) + starvation(analysis)
    found += noise(analysis) + could_see(analysis) + unsteady(analysis)
    limited = [p for p in analysis.points if p.not_its_limit]
    if limited:
        found.append(
            f"At {len(limited)} of {len(analysis.points)} points the server was not, or not"
            " certainly, the limit (hollow marks): requests per CPU-second stand, throughput there"
            " is not the server's capacity."
        )
    reasons = {u.reason for u in analysis.laws if u.axis == "cpus" and u.gain is None}
    for reason in sorted(reasons):
        found.append(
            f"The scalability law over CPUs is {reason}; in this campaign the efficiency is what can be"
            " said."
        )
    if analysis.dirty:
        found.append("The source tree held changes that are in no commit.")
    return found


def unfinished(analysis: Analysis) -> list[str]:
    """Cells of the plan that have not run, and whether that was meant."""
    if not analysis.cells_missing:
        return []
    of = f"{counted(analysis.cells_missing, 'cell')} of the plan"
    if analysis.stopped == "precision":
        return [f"It stopped after {counted(analysis.blocks, 'block')}, precise enough; {of} did not run."]
    if analysis.stopped == "budget":
        return [f"It stopped when its time was spent; {of} did not run."]
    return [f"The campaign is not complete: {of} have not run."]


def exclusions(analysis: Analysis) -> list[str]:
    lost = [p for p in analysis.points if p.excluded]
    total = sum(p.excluded for p in lost)
    if not total:
        return [f"All {analysis.cells:,} cells were measured and are in the averages."]
    worst = sorted(lost, key=lambda p: -p.excluded)[:3]
    parts = [
        f"{p.label} at {counted(p.clients, 'client')} on {counted(p.cpus, 'CPU')} ({p.workload}):"
        f" {p.excluded} of {p.excluded + p.usable}"
        for p in worst
    ]
    more = "; and others" if len(lost) > len(worst) else ""
    found = [
        f"{total:,} of {analysis.cells:,} cells are excluded because a gate failed or nothing"
        f" was measured: {'; '.join(parts)}{more}. Each is listed below."
    ]
    return found


def starvation(analysis: Analysis) -> list[str]:
    starved = [p for p in analysis.points if p.starved]
    if not starved:
        return []
    who = [
        f"{p.label} at {counted(p.clients, 'client')} on {counted(p.cpus, 'CPU')}"
        f" ({p.starved} of {counted(p.usable, 'cell')})"
        for p in starved
    ]
    return [f"Starvation: some clients got no answer at all from {joined(who)}."]


def unsteady(analysis: Analysis) -> list[str]:
    """Cells that never settled: their averages are of something that moved."""
    cells = sum(p.unsteady for p in analysis.points)
    if not cells:
        return []
    where = [p for p in analysis.points if p.unsteady]
    worst = max(where, key=lambda p: p.unsteady)
    return [
        f"{counted(cells, 'cell')} at {counted(len(where), 'point')} had no steady state, most at"
        f" {worst.label} with {counted(worst.clients, 'client')} ({worst.unsteady} of {worst.usable})."
    ]


def could_see(analysis: Analysis) -> list[str]:
    """The smallest difference that the comparisons could have found."""
    return [
        f"Differences in {UNIT[d.metric]} below {100 * (d.typical - 1):.1f} % would be missed more often"
        f" than one time in ten by a typical comparison, below {100 * (d.best - 1):.1f} % by the most"
        " precise one."
        for d in analysis.detectable
        if d.metric == CPU_SECOND
    ]


def noise(analysis: Analysis) -> list[str]:
    pairs = [(t.twin_of, t.name) for t in analysis.labels if t.twin_of is not None]
    if pairs and not analysis.noise:
        names = joined([f"{one} and {other}" for one, other in pairs])
        return [f"The twins {names} share no usable block: the noise floor is unknown."]
    if not pairs:
        return [
            "The plan has no A/A twins (one server under two labels), so the noise floor of this"
            " campaign is unknown."
        ]
    found = []
    for pair in dict.fromkeys(n.twins for n in analysis.noise):
        own = [n for n in analysis.noise if n.twins == pair]
        sizes = [f"{100 * (n.floor - 1):.1f} % in {UNIT[n.metric]}" for n in own]
        text = (
            f"Noise floor: {pair[0]} and {pair[1]} are the same server. In {percent(analysis.level)} of"
            f" {counted(own[0].pairs, 'pair')} they differed by less than {joined(sizes)}"
        )
        compared = sum(n.compared for n in own)
        if compared:
            wrong = sum(n.called_different for n in own)
            text += f"; the method called them different in {wrong} of {compared} comparisons"
        found.append(text + ".")
    return found
