"""What a registered statistic finds: one function for each kind, in campaigns, source or counts."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis import source_size
from analysis.hypotheses import Evidence
from analysis.intervals import ENOUGH_BLOCKS
from analysis.load_curve import retained
from analysis.paired import from_logs, log_ratios
from analysis.points import CPU_SECOND, WALL_CLOCK, Label, Point
from analysis.pools import pools_of
from analysis.record import Analysis
from analysis.workloads import by_quantity

Statistic = dict[str, Any]
Logs = dict[int, float]

# Where each architecture's simplest server begins: what it includes is what it consists of.
FIRST_FILES = {
    "mp": "baselines/mp/fork.cc", "mt": "baselines/mt/thread.cc",
    "edsm": "baselines/edsm/epoll.cc", "st": "baselines/st/process.cc",
}


def server_named(analysis: Analysis, wanted: Mapping[str, str]) -> Label | None:
    """The label of this architecture and model, the one with the fewest options of its own."""
    found = [
        label for label in analysis.labels
        if (label.architecture, label.model) == (wanted["architecture"], wanted["model"])
        and label.twin_of is None
    ]
    return min(found, key=lambda label: len(label.options)) if found else None


def _loads(analysis: Analysis, label: Label, workload: str) -> dict[int, Point]:
    """The label's points over clients on the fewest CPUs, where something usable was measured."""
    here = [p for p in analysis.points if (p.label, p.workload) == (label.name, workload)]
    cpus = min((p.cpus for p in here), default=0)
    return {p.clients: p for p in here if p.cpus == cpus and p.of(CPU_SECOND)}


def _evidence(
    analysis: Analysis, subject: str, logs: Logs, points: Iterable[Point], flaw: str = ""
) -> list[Evidence]:
    ratio = from_logs(logs)
    if ratio is None:
        return []
    if not flaw and ratio.n < ENOUGH_BLOCKS:
        flaw = f"{ratio.n} blocks are too few for {100 * analysis.level:.0f} %"
    cells = tuple(f"{p.identity}/b{block}" for p in points for block in sorted(logs))
    return [
        Evidence(subject, analysis.campaign, ratio.ratio, ratio.low, ratio.high, ratio.n, cells, flaw)
    ]


def kept(analysis: Analysis, workload: str, s: Statistic) -> list[Evidence]:
    """A server's rate at its largest load over that at a few hundred clients."""
    label = server_named(analysis, s["server"])
    loads = _loads(analysis, label, workload) if label else {}
    fewest, most = s["from_clients"]
    starts = [n for n in loads if fewest <= n <= most]
    ends = [n for n in loads if n >= s["to_clients"]]
    if label is None or not starts or not ends:
        return []
    start, end = min(starts), max(ends)
    logs = log_ratios(loads[end].of(CPU_SECOND), loads[start].of(CPU_SECOND))
    subject = f"{label.name} does at {end:,} clients, of what it does at {start:,},"
    return _evidence(analysis, subject, logs, (loads[start], loads[end]))


def retention_ratio(analysis: Analysis, workload: str, s: Statistic) -> list[Evidence]:
    """What one server keeps of its peak at the largest common load, over what another keeps."""
    one, other = server_named(analysis, s["server"]), server_named(analysis, s["other"])
    if one is None or other is None:
        return []
    mine, theirs = _loads(analysis, one, workload), _loads(analysis, other, workload)
    common = [n for n in mine.keys() & theirs.keys() if n >= s["clients"]]
    if not common:
        return []
    at = max(common)
    logs = _minus(
        retained({n: p.of(CPU_SECOND) for n, p in mine.items()}, at),
        retained({n: p.of(CPU_SECOND) for n, p in theirs.items()}, at),
    )
    subject = f"{one.name} keeps of its peak at {at:,} clients, over what {other.name} keeps,"
    return _evidence(analysis, subject, logs, (*mine.values(), *theirs.values()))


def _minus(one: Logs, other: Logs) -> Logs:
    return {b: one[b] - other[b] for b in sorted(one.keys() & other.keys())}


def _efficiencies(
    analysis: Analysis, wanted: Mapping[str, str], workload: str, least: int
) -> tuple[str, Logs, tuple[Point, ...], str] | None:
    """(label, log efficiency by block, points, flaw) at the most CPUs, at its best load there."""
    label = server_named(analysis, wanted)
    if label is None:
        return None
    here = [p for p in analysis.points if (p.label, p.workload) == (label.name, workload)]
    best: tuple[float, Point, Point] | None = None
    for many in here:
        one = min((p for p in here if p.clients == many.clients), key=lambda p: p.cpus)
        rate = many.median(WALL_CLOCK)
        if many.cpus > one.cpus and rate is not None and one.of(WALL_CLOCK):
            if best is None or (many.cpus, rate) > (best[1].cpus, best[0]):
                best = rate, many, one
    if best is None:
        return None
    _, many, one = best
    ideal = {b: x * many.cpus / one.cpus for b, x in one.of(WALL_CLOCK).items()}
    flaw = ""
    if many.cpus < least:
        flaw = f"{many.cpus} CPUs are too few to show a law, {least} are wanted"
    elif many.not_its_limit or one.not_its_limit:
        flaw = "the server was not the limit"
    return label.name, log_ratios(many.of(WALL_CLOCK), ideal), (one, many), flaw


def efficiency(analysis: Analysis, workload: str, s: Statistic) -> list[Evidence]:
    """X(k) / (k X(1)) of one server."""
    found = _efficiencies(analysis, s["server"], workload, s["cpus"])
    if found is None:
        return []
    name, logs, points, flaw = found
    return _evidence(analysis, f"efficiency of {name} on {points[1].cpus} CPUs", logs, points, flaw)


def efficiency_ratio(analysis: Analysis, workload: str, s: Statistic) -> list[Evidence]:
    """The efficiency of one server over that of another."""
    one = _efficiencies(analysis, s["server"], workload, s["cpus"])
    other = _efficiencies(analysis, s["other"], workload, s["cpus"])
    if one is None or other is None:
        return []
    subject = f"efficiency of {one[0]} over that of {other[0]} on {one[2][1].cpus} CPUs"
    logs = _minus(one[1], other[1])
    return _evidence(analysis, subject, logs, (*one[2], *other[2]), one[3] or other[3])


def idle_cost(analysis: Analysis, _workload: str, _s: Statistic) -> list[Evidence]:
    """Each server's rate beside the most idle connections, over that beside none."""
    found = []
    for family in by_quantity(analysis.workloads, "idle_clients").values():
        few, many = family[0], family[-1]
        for label in analysis.labels:
            quiet, crowded = _loads(analysis, label, few.name), _loads(analysis, label, many.name)
            common = quiet.keys() & crowded.keys()
            if label.twin_of is not None or not common:
                continue
            at = max(common)
            logs = log_ratios(crowded[at].of(CPU_SECOND), quiet[at].of(CPU_SECOND))
            subject = f"{label.name} beside {many.varies['idle_clients']:,.0f} idle connections does, of what it does beside none,"
            found += _evidence(analysis, subject, logs, (quiet[at], crowded[at]))
    return found


def pool_excess(analysis: Analysis, workload: str, s: Statistic) -> list[Evidence]:
    """For each kind of pool: its largest size within `times` the CPUs, over its largest of all."""
    found = []
    for kind, sizes in pools_of(analysis).items():
        curves = {size: _loads(analysis, label, workload) for size, label in sizes.items()}
        cpus = min((p.cpus for loads in curves.values() for p in loads.values()), default=0)
        within = [size for size in sizes if size <= s["times"] * cpus]
        beyond = [size for size in sizes if size > s["times"] * cpus]
        if not within or not beyond:
            continue
        small, large = max(within), max(beyond)
        common = curves[small].keys() & curves[large].keys()
        if common:
            at = max(common)
            pair = curves[small][at], curves[large][at]
            logs = log_ratios(pair[0].of(CPU_SECOND), pair[1].of(CPU_SECOND))
            subject = f"{'-'.join(kind)} with {small} workers over {large} at {at:,} clients"
            found += _evidence(analysis, subject, logs, pair)
    return found


IN_CAMPAIGNS: dict[str, Callable[[Analysis, str, Statistic], list[Evidence]]] = {
    "kept": kept, "retention_ratio": retention_ratio, "efficiency": efficiency,
    "efficiency_ratio": efficiency_ratio, "idle_cost": idle_cost, "pool_excess": pool_excess,
}


def place_between(root: Path, s: Statistic) -> list[Evidence]:
    """Where st's own source stands between the larger of mp's and mt's (0) and edsm's (1)."""
    try:
        sizes = source_size.own_sizes(root, FIRST_FILES, "baselines/")
    except FileNotFoundError:
        return []
    measure = str(s["measure"])
    of = {kind: getattr(size, measure) for kind, size in sizes.items()}
    threads = max(of["mp"], of["mt"])
    told = ", ".join(f"{kind} {n}" for kind, n in of.items())
    if of["edsm"] <= threads:
        return [_counted(f"{measure} ({told}), st over threads", of["st"] / threads)]
    place = (of["st"] - threads) / (of["edsm"] - threads)
    return [_counted(f"{measure} of the servers' own source ({told}), place of st", place)]


def mask_calls(root: Path, _s: Statistic) -> list[Evidence]:
    """System calls on the mask in one switch that saves it, less those in one that does not."""
    path = root / "paper" / "mask_calls.json"
    if not path.is_file():
        return []
    counted = json.loads(path.read_text(encoding="utf-8"))
    calls = counted["calls_per_switch"]
    saved = float(calls["sigsetjmp"]) - float(calls["_setjmp"])
    others = ", ".join(f"{way} {n:g}" for way, n in calls.items())
    return [_counted(f"system calls in a switch ({others}; {counted['libc']}), saved", saved)]


def _counted(subject: str, value: float) -> Evidence:
    value = value if math.isfinite(value) else 0.0
    return Evidence(subject, None, value, value, value, None, (), "")


COUNTED: dict[str, Callable[[Path, Statistic], list[Evidence]]] = {
    "place_between": place_between, "mask_calls": mask_calls,
}

_MISSING = {
    "kept": "no campaign has {server} at a few hundred clients and at 1,000 or more",
    "retention_ratio": "no campaign has both {server} and {other} at 1,000 clients or more",
    "efficiency": "no campaign has {server} on more than one number of CPUs",
    "efficiency_ratio": "no campaign has both {server} and {other} on more than one number of CPUs",
    "idle_cost": "no campaign has idle connections",
    "pool_excess": "no campaign has pools of one kind on both sides of {times} times the CPUs",
    "mask_calls": "paper/mask_calls.json is not there; scripts/mask_calls makes it",
    "place_between": "the servers' source is not there",
}


def missing(statistic: Statistic) -> str:
    """What would have to be there for this statistic to find anything."""
    named = {
        part: f"{statistic[part]['architecture']}-{statistic[part]['model']}"
        for part in ("server", "other")
        if part in statistic
    }
    return _MISSING[statistic["kind"]].format(**named, times=statistic.get("times"))


def gather(
    statistic: Statistic, workload: str, analyses: Sequence[Analysis], root: Path
) -> list[Evidence]:
    """All evidence for one part."""
    kind, workload = statistic["kind"], statistic.get("workload", workload)
    if kind in COUNTED:
        return COUNTED[kind](root, statistic)
    return [e for analysis in analyses for e in IN_CAMPAIGNS[kind](analysis, workload, statistic)]
