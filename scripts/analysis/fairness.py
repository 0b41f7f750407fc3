"""What each client got of its share: Jain's index, the slowest client, those never served.

Jain, Chiu and Hawe (1984): (sum x)^2 / (n sum x^2). It is 1 when all get the same, and m/n when m of
n clients share everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.intervals import Interval
from analysis.points import Point


@dataclass(frozen=True)
class Shares:
    """One run's clients, from the requests that each got answered."""

    jain: float
    slowest_share: float  # the slowest client's requests over the mean
    never_served: int


def shares(requests: Sequence[int]) -> Shares | None:
    """None when nobody got anything: then nothing was shared, fairly or not."""
    total = sum(requests)
    if total == 0:
        return None
    n = len(requests)
    return Shares(
        jain=total**2 / (n * sum(x * x for x in requests)),
        slowest_share=min(requests) * n / total,
        never_served=sum(x == 0 for x in requests),
    )


@dataclass(frozen=True)
class Fairness:
    """One point. A part that no generator reported is None."""

    label: str
    workload: str
    clients: int
    cpus: int
    served_share: Interval | None  # clients with at least one answer
    jain: Interval | None
    slowest_share: Interval | None


def fairness(points: Sequence[Point]) -> tuple[Fairness, ...]:
    """Every point of which anything about single clients is known."""
    found = []
    for p in points:
        served = p.metrics.get("served_connections")
        jain, slowest = p.metrics.get("jain_index"), _slowest(p)
        share = None
        # More connections than clients: each request had its own, and clients cannot be told apart.
        if served is not None and served.high <= p.clients:
            share = Interval(
                served.median / p.clients, served.low / p.clients, served.high / p.clients,
                served.n, served.confidence,
            )
        if share is None and jain is None and slowest is None:
            continue
        found.append(Fairness(p.label, p.workload, p.clients, p.cpus, share, jain, slowest))
    return tuple(found)


def _slowest(p: Point) -> Interval | None:
    """The slowest client's answers over the mean of all clients."""
    slowest, answers = p.metrics.get("slowest_client_requests"), p.median("generator_requests")
    if slowest is None or not answers:
        return None
    mean = answers / p.clients
    return Interval(
        slowest.median / mean, slowest.low / mean, slowest.high / mean, slowest.n, slowest.confidence
    )
