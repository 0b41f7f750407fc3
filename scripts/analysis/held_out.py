"""Is a prediction any good? Each check predicts a point from others and never looks at it before.

Within each block, because the machine's speed moves from block to block more than the predictions are
off; of a point's errors the median over blocks counts. Three kinds, of what the predicted curves do: more clients than the largest load that the demands know;
more CPUs; and other work, where what the work adds is measured with one server only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.demand import BUSY_CLIENTS, CPU, Demand, at, generator_us, growing, inflation, measured
from analysis.intervals import median_interval
from analysis.points import WALL_CLOCK, Point
from analysis.prediction import beside_generator
from analysis.workloads import Workload

CLIENTS, CPUS, WORK = "more clients", "more CPUs", "other work"
GOOD = 0.1  # an error that a plan of capacity can live with


@dataclass(frozen=True)
class Check:
    """One point, predicted without it. `error` is predicted / measured - 1, the median over blocks, as
    the two rates are; their own ratio may be another."""

    kind: str
    label: str
    workload: str
    clients: int
    cpus: int
    predicted_rps: float
    measured_rps: float
    error: float


@dataclass(frozen=True)
class Accuracy:
    """All checks of one kind, or of `all`."""

    kind: str
    points: int
    within: int  # of them with an error of at most a tenth
    median_error: float  # of the absolute errors
    worst_error: float


def checks(
    points: Sequence[Point], workloads: Sequence[Workload], base: str, reference: str, machine_cpus: int
) -> tuple[Check, ...]:
    """Every point that can be predicted from others. `base` is the workload of the demands, `reference`
    the label whose extra cost under other work is taken for everybody's."""
    found: dict[tuple[str, str, str, int, int], list[Check]] = {}
    for block in sorted({b for p in points for b in p.of(CPU)}):
        here = [_in_block(p, block) for p in points]
        for c in _checks(here, workloads, base, reference, machine_cpus):
            found.setdefault((c.kind, c.label, c.workload, c.clients, c.cpus), []).append(c)
    return tuple(_over_blocks(same) for same in found.values())


def _in_block(p: Point, block: int) -> Point:
    """The point as if this block were the campaign."""
    values = {metric: {block: own[block]} for metric, own in p.values.items() if block in own}
    metrics = {metric: median_interval(list(own.values())) for metric, own in values.items()}
    return dataclasses.replace(p, metrics=metrics, values=values)


def _over_blocks(same: Sequence[Check]) -> Check:
    return dataclasses.replace(
        same[0],
        predicted_rps=float(np.median([c.predicted_rps for c in same])),
        measured_rps=float(np.median([c.measured_rps for c in same])),
        error=float(np.median([c.error for c in same])),
    )


def _checks(
    points: Sequence[Point], workloads: Sequence[Workload], base: str, reference: str, machine_cpus: int
) -> list[Check]:
    labels = dict.fromkeys(p.label for p in points if p.workload == base)
    demands = {name: demand for name in labels if (demand := measured(points, name, base))}
    found: list[Check] = []
    for label, demand in demands.items():
        own = [p for p in points if (p.label, p.workload) == (label, base) and p.of(WALL_CLOCK)]
        found += _more_clients(demand, own, machine_cpus)
        found += _more_cpus(demand, points, own, machine_cpus)
    other = [w.name for w in workloads if w.name != base and _adds_work_only(w)]
    found += _other_work(demands, points, other, base, reference, machine_cpus)
    return found


def accuracies(made: Sequence[Check]) -> tuple[Accuracy, ...]:
    """How far off the checks are, by kind and of all."""
    kinds = [k for k in (CLIENTS, CPUS, WORK) if any(c.kind == k for c in made)]
    found = [_accuracy(kind, [c.error for c in made if c.kind == kind]) for kind in kinds]
    return (*found, _accuracy("all", [c.error for c in made])) if made else ()


def _accuracy(kind: str, errors: Sequence[float]) -> Accuracy:
    sizes = [abs(e) for e in errors]
    return Accuracy(
        kind, len(sizes), sum(s <= GOOD for s in sizes), float(np.median(sizes)), max(sizes)
    )


def _check(kind: str, p: Point, predicted: float) -> Check:
    rate = p.metrics[WALL_CLOCK].median
    return Check(kind, p.label, p.workload, p.clients, p.cpus, predicted, rate, predicted / rate - 1)


def _more_clients(demand: Demand, own: Sequence[Point], machine_cpus: int) -> Iterator[Check]:
    """The largest load from the smaller ones: the growth of the last step goes on, as predicted."""
    loads = sorted(demand.server_us)
    fewest = min(p.cpus for p in own)
    if len(loads) < 3:
        return
    last = loads[-1]

    def without(costs: dict[float, float]) -> dict[float, float]:
        known = {n: cost for n, cost in costs.items() if n < last}
        if len(known) < 2:
            return {}
        return known | {last: growing(known, last)}

    blind = dataclasses.replace(
        demand, server_us=without(demand.server_us), generator_us=without(demand.generator_us)
    )
    for p in own:
        if (p.cpus, p.clients / p.cpus) == (fewest, last):
            yield _check(CLIENTS, p, beside_generator(blind, 0.0, p.clients, p.cpus, machine_cpus))


def _more_cpus(
    demand: Demand, points: Sequence[Point], own: Sequence[Point], machine_cpus: int
) -> Iterator[Check]:
    """Each point on more CPUs; what they lose to each other is known from the other loads only."""
    fewest = min(p.cpus for p in own)
    for p in own:
        if p.cpus == fewest or p.clients < BUSY_CLIENTS * p.cpus:
            continue
        others = [q for q in own if q.cpus > fewest and q is not p and q.clients != p.clients]
        yield _check(
            CPUS, p,
            beside_generator(demand, sharing_of(points, others), p.clients, p.cpus, machine_cpus),
        )


def sharing_of(points: Sequence[Point], many: Sequence[Point]) -> float:
    """The serial share that the points on several CPUs show, 0 when there is none to see."""
    shares = [
        max(0.0, found.ratio - 1) / (p.cpus - 1) for p in many if (found := inflation(points, p))
    ]
    return float(np.median(shares)) if shares else 0.0


def _adds_work_only(workload: Workload) -> bool:
    """More of the same: the same generator, connections that stay, nobody waited for."""
    waits = workload.path.startswith(("/disk/", "/proxy/"))
    same = workload.keepalive and "stload" not in workload.how and "--" not in workload.how
    return same and not waits and "offered_rps" not in workload.varies


def _other_work(
    demands: dict[str, Demand], points: Sequence[Point], workloads: Sequence[str], base: str,
    reference: str, machine_cpus: int,
) -> Iterator[Check]:
    """Other work adds the same to every server, because all have one handler."""
    if reference not in demands:
        return
    for name in workloads:
        here = [p for p in points if p.workload == name and CPU in p.metrics]
        here = [p for p in here if p.cpus == min(q.cpus for q in here)]
        for one in (p for p in here if p.label == reference and p.clients >= BUSY_CLIENTS * p.cpus):
            added = one.metrics[CPU].median - at(demands[reference].server_us, one.clients / one.cpus)
            asked = generator_us(one)
            for p in here:
                same_load = (p.clients, p.cpus) == (one.clients, one.cpus)
                if p.label == reference or p.label not in demands or not same_load:
                    continue
                if not p.of(WALL_CLOCK):
                    continue
                each = p.clients / p.cpus
                cost = at(demands[p.label].server_us, each) + added
                predicted = Demand(
                    p.label, name, None, {each: cost}, {each: asked} if asked else {}, None
                )
                yield _check(
                    WORK, p, beside_generator(predicted, 0.0, p.clients, p.cpus, machine_cpus)
                )
