"""The cells that differ in their block only, gathered into points.

Everything after this file works on points alone. Cells whose gates failed are counted and kept
aside, never averaged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis import steady_state
from analysis.intervals import Interval, median_interval
from results import Campaign, Cell, label_of

CPU_SECOND = "requests_per_cpu_s"  # survives a noisy machine: the first-rank metric
WALL_CLOCK = "throughput_rps"
COMPARED = (CPU_SECOND, WALL_CLOCK)
# Of these every block's value is kept, for pairing and for figures that show each run.
KEPT = COMPARED + (
    "cpu_us_per_request", "latency_us_p50", "latency_us_p99", "generator_cpu_s", "generator_requests",
)
# The harness's own words for what `steady_state` finds: a gate, in older campaigns a warning.
UNSTEADY = ("steady_state", "no_steady_state")


@dataclass(frozen=True)
class Label:
    """One server of the plan. `twin_of` names the first label of the same server, in an A/A test."""

    name: str
    architecture: str
    model: str
    options: tuple[str, ...]  # beyond those that every server gets
    twin_of: str | None


@dataclass(frozen=True)
class Point:
    """One server under one load: the cells that differ in their block only."""

    label: str
    workload: str
    clients: int
    cpus: int
    identity: str  # of its cells, without the block
    usable: int  # cells in the medians
    excluded: int  # cells with a failed gate, or without a measurement
    limited: int  # usable cells in which the server was not, or not certainly, the limit
    starved: int  # usable cells in which some clients were never answered
    unsteady: int  # usable cells that had not settled, or moved afterwards
    metrics: dict[str, Interval]  # only what was measured
    values: dict[str, dict[int, float]]  # of KEPT, by block
    set_aside: dict[str, tuple[float, ...]]  # what excluded cells measured

    @property
    def not_its_limit(self) -> bool:
        """Most of its cells do not show what the server can do."""
        return 2 * self.limited > self.usable

    def of(self, metric: str) -> dict[int, float]:
        """`metric` by block; empty when no usable cell has it."""
        return self.values.get(metric, {})

    def median(self, metric: str) -> float | None:
        """The median over blocks, None when nothing usable was measured."""
        return self.metrics[metric].median if metric in self.metrics else None


def labels_of(campaign: Campaign) -> tuple[Label, ...]:
    """Every label that ran, by architecture, then as the plan lists them."""
    servers = {label_of(server): server for server in campaign.plan["servers"]}
    first: dict[str, str] = {}
    found = []
    for name in campaign.labels:
        cell = next(c for c in campaign.cells if c.label == name)
        server = servers.get(cell.twin_of or name, {})
        # Twins may also be written out in the plan: the same server under two labels.
        kind = repr(sorted((k, v) for k, v in server.items() if k not in ("label", "twin")))
        twin_of = cell.twin_of or (first.setdefault(kind, name) if server else name)
        options = tuple(str(o) for o in server.get("options", ()))
        found.append(
            Label(name, cell.architecture, cell.model, options, None if twin_of == name else twin_of)
        )
    return tuple(found)


def points_of(campaign: Campaign) -> tuple[Point, ...]:
    """All points, by workload, label, CPUs, clients."""
    groups: dict[tuple[int, int, int, int], list[Cell]] = {}
    for cell in campaign.cells:
        place = campaign.workloads.index(cell.workload), campaign.labels.index(cell.label)
        groups.setdefault((*place, cell.cpus, cell.clients), []).append(cell)
    return tuple(
        _point(campaign, sorted(groups[key], key=lambda c: c.block)) for key in sorted(groups)
    )


def _point(campaign: Campaign, cells: Sequence[Cell]) -> Point:
    usable = [c for c in cells if c.usable]
    names = sorted({name for c in usable for name in c.measurements})
    one = cells[0]
    return Point(
        label=one.label, workload=one.workload, clients=one.clients, cpus=one.cpus,
        identity=one.identity.rpartition("/b")[0],
        usable=len(usable),
        excluded=len(cells) - len(usable),
        limited=sum(c.limited for c in usable),
        starved=sum(c.starved for c in usable),
        unsteady=sum(_is_unsteady(campaign, c) for c in usable),
        metrics={
            name: median_interval([c.measurements[name] for c in usable if name in c.measurements])
            for name in names
        },
        values={m: _by_block(usable, m) for m in KEPT if _by_block(usable, m)},
        set_aside={
            m: tuple(c.measurements[m] for c in cells if not c.usable and m in c.measurements)
            for m in COMPARED
            if any(not c.usable and m in c.measurements for c in cells)
        },
    )


def _by_block(cells: Iterable[Cell], metric: str) -> dict[int, float]:
    return {c.block: float(c.measurements[metric]) for c in cells if metric in c.measurements}


def _is_unsteady(campaign: Campaign, cell: Cell) -> bool:
    if any(w.code in UNSTEADY for w in cell.warnings):
        return True
    if any(g.name in UNSTEADY and g.verdict == "fail" for g in cell.gates):
        return True
    rates = steady_state.sampled_rates(campaign.directory, cell)
    return rates is not None and steady_state.judge(rates).steady is False


def find(
    points: Iterable[Point], label: str, workload: str, clients: int, cpus: int
) -> Point | None:
    """The point with this identity, if any cell of it ran."""
    wanted = (label, workload, clients, cpus)
    for p in points:
        if (p.label, p.workload, p.clients, p.cpus) == wanted:
            return p
    return None
