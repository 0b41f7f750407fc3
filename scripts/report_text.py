"""The sentences of the report, made from the data alone and true for whatever the data are.

Nothing here knows which architecture ought to win. A sentence says "ahead" only when the interval of
the paired ratio excludes 1, and "cannot be told apart" when it does not.
"""

from __future__ import annotations

from collections.abc import Sequence

from analyse import CPU_SECOND, WALL_CLOCK, Analysis, Groups, compare, twins
from figure_style import rate
from results import Campaign, group
from statistics_of_blocks import ENOUGH_BLOCKS, Ratio

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


def share(value: float) -> str:
    return f"{100 * value:.0f} %"


def headline(campaign: Campaign, analysis: Analysis) -> list[str]:
    """What a reader in a hurry should know, most important first."""
    groups = group(campaign.cells)
    labels = distinct_labels(campaign)
    sentences = []
    for workload in campaign.workloads:
        here = [p for p in analysis.points if p.workload == workload]
        cpus = min(p.cpus for p in here)
        loads = sorted({p.clients for p in here if p.cpus == cpus})
        for clients in dict.fromkeys((loads[-1], loads[0])):
            at = (workload, clients, cpus)
            for metric in (CPU_SECOND, WALL_CLOCK):
                sentences.append(leader(analysis, groups, labels, at, metric))
        sentences += retention(analysis, labels, workload, cpus)
        sentences += efficiency(analysis, labels, workload)
    return sentences


def distinct_labels(campaign: Campaign) -> list[str]:
    """All labels but the second of each pair of A/A twins, which is the same server again."""
    seconds = {other for _, other in twins(campaign)}
    return [label for label in campaign.labels if label not in seconds]


def leader(
    analysis: Analysis, groups: Groups, labels: Sequence[str], at: tuple[str, int, int], metric: str
) -> str:
    """Who does most at one load, by how much, and who cannot be told apart from it."""
    workload, clients, cpus = at
    place = f"{workload}, {counted(clients, 'client')}, {counted(cpus, 'CPU')}"
    found = {label: analysis.point(workload, label, clients, cpus) for label in labels}
    present = [name for name, p in found.items() if p is not None and metric in p.metrics]
    if not present:
        return f"{place}: no cell is usable, so nothing can be said of {UNIT[metric]} there."
    ratios = {
        (one, other): compare(groups, at, one, other, metric)
        for one in present for other in present if one != other
    }

    def margin(label: str) -> float:
        against = [r.ratio for (one, _), r in ratios.items() if one == label and r is not None]
        return min(against, default=0.0)

    first = max(present, key=margin)
    point = found[first]
    assert point is not None
    text = f"{place}: {first} has the most {UNIT[metric]}, {rate(point.metrics[metric].median)}"
    if metric == WALL_CLOCK and point.generator_limited:
        text += " (though it was not the limit there, so this is no measure of what it can do)"
    rest = sorted((o for o in present if o != first), key=margin, reverse=True)
    parts = against_each(analysis, {o: ratios[first, o] for o in rest}, metric)
    lost = [name for name in labels if name not in present]
    if lost:
        parts.append(f"no usable cell of {joined(lost)}")
    return "; ".join([text, *parts]) + "."


def against_each(
    analysis: Analysis, ratios: dict[str, Ratio | None], metric: str
) -> list[str]:
    """The leader against the others, grouped by what may be said."""
    floor = max((n.floor for n in analysis.noise if n.metric == metric), default=1.0)
    said: dict[str, list[str]] = {}
    for other, ratio in ratios.items():
        if ratio is None:
            said.setdefault("shares no usable block with {}", []).append(other)
            continue
        blocks = counted(ratio.n, "block")
        size = f"{other} {factor(ratio.ratio)} times ({interval(ratio)})"
        if ratio.verdict == "indistinguishable":
            said.setdefault(f"cannot be told apart from {{}} in {blocks}", []).append(
                f"{other} (ratio {interval(ratio)})"
            )
        elif ratio.verdict == "too_few_blocks" and ratio.low <= 1:
            key = f"{blocks} do not agree about {{}}" if ratio.n > 1 else "ties with {}"
            said.setdefault(key, []).append(f"{other} (ratio {interval(ratio)})")
        elif ratio.verdict == "too_few_blocks":
            each = f"in each of {blocks}" if ratio.n > 1 else "in the only block"
            said.setdefault(f"{each} more than {{}}", []).append(size)
        elif ratio.ratio < floor:
            key = f"ahead, by less than the noise floor of {floor:.3f}, of {{}}"
            said.setdefault(key, []).append(size)
        else:
            key = f"ahead of {{}} with {analysis.level:.0%} confidence in {blocks}"
            said.setdefault(key, []).append(size)
    return [sentence.format(joined(names)) for sentence, names in said.items()]


def retention(analysis: Analysis, labels: Sequence[str], workload: str, cpus: int) -> list[str]:
    """How much of its own peak throughput each label keeps at its largest load."""
    by_load: dict[int, list[tuple[float, str]]] = {}
    for c in analysis.load_curves:
        if (c.workload, c.cpus, c.metric) != (workload, cpus, WALL_CLOCK) or c.label not in labels:
            continue
        kept = f"{c.label} {share(c.retention.ratio)}"
        if c.peak_clients == c.largest_clients:
            kept += " (its peak)"
        elif c.retention.n > 1:
            kept += f" ({share(c.retention.low)} to {share(c.retention.high)})"
        by_load.setdefault(c.largest_clients, []).append((-c.retention.ratio, kept))
    return [
        f"{workload}, {counted(cpus, 'CPU')}: of its own peak throughput, each keeps at"
        f" {counted(clients, 'client')}: {', '.join(text for _, text in sorted(kept))}."
        for clients, kept in sorted(by_load.items(), reverse=True)
    ]


def efficiency(analysis: Analysis, labels: Sequence[str], workload: str) -> list[str]:
    """X(k) / (k X(1)) at the largest number of CPUs."""
    steps = [s for s in analysis.system_steps if s.workload == workload and s.label in labels]
    if not steps:
        return []
    most = max(s.cpus for s in steps)
    sentences = []
    for clients in sorted({s.clients for s in steps}):
        here = [s for s in steps if (s.clients, s.cpus) == (clients, most)]
        here.sort(key=lambda s: -s.efficiency.ratio)
        parts = [
            f"{s.label} {factor(s.efficiency.ratio)}"
            + (f" ({interval(s.efficiency)})" if s.efficiency.n > 1 else "")
            for s in here
        ]
        if parts:
            sentences.append(
                f"{workload}, {counted(clients, 'client')}, from {here[0].from_cpus} to"
                f" {counted(most, 'CPU')}: efficiency (1 is ideal) {', '.join(parts)}."
            )
    return sentences


def caveats(campaign: Campaign, analysis: Analysis) -> list[str]:
    """What limits the sentences above; each is here only when it is true of this campaign."""
    found = []
    if campaign.missing:
        found.append(
            f"The campaign is not complete: {counted(campaign.missing, 'cell')} of"
            f" {campaign.about['cells_total']:,} have not run."
        )
    blocks = len({c.block for c in campaign.cells})
    if blocks < ENOUGH_BLOCKS:
        sure = max(0.0, 1 - 2.0 ** (1 - blocks))
        found.append(
            f"{counted(blocks, 'block')}: even when all blocks agree the confidence is {sure:.1%};"
            f" a {analysis.level:.0%} statement needs at least {ENOUGH_BLOCKS}. Intervals are"
            " ranges over blocks."
        )
    found += exclusions(campaign, analysis)
    found += noise(analysis)
    limited = [p for p in analysis.points if p.generator_limited]
    if limited:
        found.append(
            f"At {len(limited)} of {len(analysis.points)} points something other than the server"
            " was the limit (hollow marks): requests per CPU-second stand, throughput there is not"
            " the server's capacity."
        )
    if len({p.cpus for p in analysis.points}) == 2:
        found.append(
            "Two numbers of CPUs are two points for the three unknowns of a scalability law: the"
            " law is not identifiable on this machine, only the efficiency is."
        )
    if campaign.about["provenance"].get("dirty"):
        found.append("The source tree held changes that are in no commit.")
    return found


def exclusions(campaign: Campaign, analysis: Analysis) -> list[str]:
    lost = [p for p in analysis.points if p.excluded]
    total = sum(p.excluded for p in lost)
    if not total:
        return [f"All {len(campaign.cells):,} cells were measured and are in the averages."]
    worst = sorted(lost, key=lambda p: -p.excluded)[:3]
    parts = [
        f"{p.label} at {counted(p.clients, 'client')} on {counted(p.cpus, 'CPU')} ({p.workload}):"
        f" {p.excluded} of {p.excluded + p.usable}"
        for p in worst
    ]
    more = ", ..." if len(lost) > len(worst) else ""
    found = [
        f"{total:,} of {len(campaign.cells):,} cells are excluded because a gate failed or nothing"
        f" was measured: {'; '.join(parts)}{more}. Each is listed below."
    ]
    starved = {
        (c.label, c.clients): None
        for c in campaign.cells
        for g in c.failed_gates if g.name == "every_client_served"
    }
    if starved:
        who = [f"{label} at {counted(n, 'client')}" for label, n in starved]
        found.append(f"Starvation: some clients got no answer at all from {joined(who)}.")
    return found


def noise(analysis: Analysis) -> list[str]:
    if not analysis.noise:
        return [
            "The plan has no A/A twins (one server under two labels), so the noise floor of this"
            " campaign is unknown."
        ]
    found = []
    for n in analysis.noise:
        text = (
            f"Noise floor: {n.twins[0]} and {n.twins[1]} are the same server; in {share(analysis.level)}"
            f" of {counted(n.pairs, 'pair')} their {UNIT[n.metric]} differed by less than"
            f" {100 * (n.floor - 1):.1f} %"
        )
        if n.compared:
            text += f", and the method called them different at {n.called_different} of {n.compared} points"
        found.append(text + ".")
    return found
