"""What more CPUs give: efficiency X(k) / (k X(1)), and what a CPU-second still buys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.paired import Ratio, paired_ratio
from analysis.points import CPU_SECOND, WALL_CLOCK, Point


@dataclass(frozen=True)
class SystemStep:
    """From the smallest number of CPUs to `cpus`."""

    label: str
    workload: str
    clients: int
    from_cpus: int
    cpus: int
    efficiency: Ratio  # X(k) / (k X(1)): 1 is the ideal line
    work: Ratio | None  # requests per CPU-second at k over those at 1: 1 is no loss
    limited: bool  # at `cpus` or at `from_cpus` something other than the server was the limit


def system_steps(points: Sequence[Point]) -> tuple[SystemStep, ...]:
    """Every point on more CPUs than the fewest that its load was run on, with at least one block."""
    found = []
    for many in sorted(points, key=lambda p: (p.clients, p.cpus)):
        same_load = [
            p for p in points
            if (p.workload, p.label, p.clients) == (many.workload, many.label, many.clients)
        ]
        one = min(same_load, key=lambda p: p.cpus)
        if many.cpus == one.cpus:
            continue
        scale = many.cpus / one.cpus
        ideal = {b: x * scale for b, x in one.of(WALL_CLOCK).items()}
        efficiency = paired_ratio(many.of(WALL_CLOCK), ideal)
        if efficiency is not None:
            work = paired_ratio(many.of(CPU_SECOND), one.of(CPU_SECOND))
            found.append(
                SystemStep(
                    many.label, many.workload, many.clients, one.cpus, many.cpus, efficiency, work,
                    limited=many.not_its_limit or one.not_its_limit,
                )
            )
    place = {(p.workload, p.label): i for i, p in reversed(list(enumerate(points)))}
    return tuple(sorted(found, key=lambda s: (place[s.workload, s.label], s.clients, s.cpus)))
