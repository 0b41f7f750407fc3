"""The most clients under a stated objective, the idea of SPECweb99.

A load meets the objective when a stated share of its clients is served, each with at least a stated
rate, within a stated 99th percentile. Clients are equal as far as a generator's report tells them
apart; where it reports Jain's index or the slowest client, `fairness` shows them beside this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.intervals import Interval, median_interval
from analysis.points import WALL_CLOCK, Point


@dataclass(frozen=True)
class Objective:
    """What a client must get. The default is a user's: a tenth of a second, ten times a second."""

    served_share: float = 0.99
    rate_rps: float = 10.0
    latency_us_p99: float = 100_000.0


@dataclass(frozen=True)
class Capacity:
    """One label's capacity. The truth lies between `clients` and the next load that was run."""

    label: str
    workload: str
    cpus: int
    clients: Interval | None  # over blocks; None when nothing can be said
    largest_clients: int  # the largest load run; a capacity equal to it is a lower bound
    reason: str  # why nothing can be said, else empty


def meets(objective: Objective, clients: int, rate_rps: float, p99_us: float) -> bool:
    """May `clients` clients with this throughput and this percentile be called served?"""
    return (
        rate_rps >= objective.rate_rps * objective.served_share * clients
        and p99_us <= objective.latency_us_p99
    )


def capacities(points: Sequence[Point], objective: Objective) -> tuple[Capacity, ...]:
    """The capacity of every (workload, label, CPUs) that was run with two loads or more."""
    found = []
    for workload, label, cpus in dict.fromkeys((p.workload, p.label, p.cpus) for p in points):
        curve = sorted(
            (p for p in points if (p.workload, p.label, p.cpus) == (workload, label, cpus)),
            key=lambda p: p.clients,
        )
        if len(curve) < 2:
            continue
        blocks = sorted({b for p in curve for b in p.of(WALL_CLOCK)})
        by_block = [_in_block(curve, b, objective) for b in blocks]
        known = [float(c) for c in by_block if c is not None]
        reason = "" if known else "no cell has the 10,000 requests that a 99th percentile needs"
        clients = median_interval(known) if known else None
        found.append(Capacity(label, workload, cpus, clients, curve[-1].clients, reason))
    return tuple(found)


def _in_block(curve: Sequence[Point], block: int, objective: Objective) -> int | None:
    """The largest load up to which no load failed; 0 when the smallest did. None without data.

    Loads without a 99th percentile (a few clients in a short cell) are passed over.
    """
    reached: int | None = None
    for p in curve:
        rate, p99 = p.of(WALL_CLOCK).get(block), p.of("latency_us_p99").get(block)
        if rate is None or p99 is None:
            continue
        if p.starved or not meets(objective, p.clients, rate, p99):
            return reached or 0
        reached = p.clients
    return reached
