"""Is a prediction any good? Each check predicts a point from others and never looks at it before.

What is predicted is the CPU time of a request, of which the curves are made; its inverse is what a CPU
of the server can do. The throughput that follows is checked as well, but it is also the generator's,
which has the same machine. What was measured is, like what is predicted from, a quartile over blocks
(`demand` says why). Five kinds:

twice the clients  the largest load, from those up to half of it, as the curves go on beyond it
four times         the same, from those up to a quarter of it
another server     the same, when the other servers of its kind were measured under that load
more CPUs          all CPUs, from fewer with as many ends of connections for each
other work         another workload, when the other servers of its kind were measured under it

Servers under one load run within seconds of each other, so what its kind did there carries the drift
and the kernel's part of a load; the first two have neither. A twin, predicted by the server that it
repeats, shows how good any prediction could be.

How it became what it is. That servers have kinds was learnt from a campaign whose /alloc was predicted
from one server for all: those with a heap for each connection came out 105 and 128 % off. Quartiles were
decided over the three campaigns that `demand` names. In a fourth the median error was 12.0 %: threads and
processes were one kind, which their files and heaps told apart, and a power of the clients stood for the
working set, whose law comes within 1 to 2 % of that campaign's loads, of all servers but the staged one.
So of none of these campaigns are the errors a test. The campaign of the demands was taken after all this
was written, and its median error was 3.7 %; that a serial share must be sure among so many servers came
after it, and made that 3.1 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.demand import (
    BUSY_CLIENTS, CPU, Costs, Demand, at, ends_per_cpu, generator_us, inflation, measured, rate, serial_share,
    server_us,
)
from analysis.points import Point
from analysis.prediction import beside_generator
from analysis.working_set import fitted
from analysis.workloads import Workload

TWICE, FOUR_TIMES = "twice the clients", "four times the clients"
SERVER, CPUS, WORK = "another server", "more CPUs", "other work"
KINDS = (TWICE, FOUR_TIMES, SERVER, CPUS, WORK)
TWIN = "the same server"  # not counted among all: nothing is predicted
GOOD = 0.1  # an error that a plan of capacity can live with

Sides = tuple[float, float | None]  # microseconds of the server and of the generator for one request


@dataclass(frozen=True)
class Check:
    """One point, predicted without it. `error` is predicted / measured - 1 of the CPU time of a request.
    The rates are those of server and generator on one machine; None when its CPU time is not known."""

    kind: str
    label: str
    workload: str
    clients: int
    cpus: int
    predicted_us: float
    measured_us: float
    error: float
    predicted_rps: float | None
    measured_rps: float | None


@dataclass(frozen=True)
class Accuracy:
    """All checks of one kind, or of `all`."""

    kind: str
    points: int
    within: int  # of them with an error of at most a tenth
    median_error: float  # of the absolute errors
    worst_error: float
    median_rps_error: float | None  # the same of the throughput


def checks(
    points: Sequence[Point], workloads: Sequence[Workload], base: str, twins: Mapping[str, str],
    machine_cpus: int,
) -> tuple[Check, ...]:
    """Every point that can be predicted from others. `base` is the workload of the demands, `twins` says
    which label repeats which."""
    own = [p for p in points if p.label not in twins and p.of(CPU)]
    found = {p.label: measured(own, p.label, base, machine_cpus) for p in own if p.workload == base}
    demands = {label: demand for label, demand in found.items() if demand is not None}
    here = [p for p in own if p.workload == base and p.label in demands]
    other = [w.name for w in workloads if w.name != base and _adds_work_only(w)]
    work = [p for p in own if p.workload in other and p.label in demands]
    made = [
        *_larger_load(demands, here, machine_cpus), *_more_cpus(demands, here, machine_cpus),
        *_other_work(demands, work, machine_cpus),
        *_twins([p for p in points if p.workload == base and p.of(CPU)], twins, machine_cpus),
    ]
    return tuple(sorted(made, key=lambda c: [*KINDS, TWIN].index(c.kind)))


def accuracies(made: Sequence[Check]) -> tuple[Accuracy, ...]:
    """How far off the checks are: by kind, of all kinds, and what a twin shows."""
    predicted = [c for c in made if c.kind != TWIN]
    groups = [(k, [c for c in made if c.kind == k]) for k in KINDS]
    groups += [("all", predicted), (TWIN, [c for c in made if c.kind == TWIN])]
    return tuple(_accuracy(kind, group) for kind, group in groups if group)


def _accuracy(kind: str, group: Sequence[Check]) -> Accuracy:
    sizes = [abs(c.error) for c in group]
    rates = [abs(c.predicted_rps / c.measured_rps - 1) for c in group if c.predicted_rps and c.measured_rps]
    return Accuracy(
        kind, len(sizes), sum(s <= GOOD for s in sizes), float(np.median(sizes)), max(sizes),
        float(np.median(rates)) if rates else None,
    )


def _check(kind: str, p: Point, predicted: Sides, machine_cpus: int) -> Check:
    server, generator = predicted
    us, rps = server_us(p), rate(p)
    known = generator is not None and rps is not None
    return Check(
        kind, p.label, p.workload, p.clients, p.cpus, server, us, server / us - 1,
        beside_generator(server, generator, p.cpus, machine_cpus) if generator and known else None,
        rps if known else None,
    )


def _larger_load(
    demands: Mapping[str, Demand], points: Sequence[Point], machine_cpus: int
) -> Iterator[Check]:
    """The largest load of each server, from its own smaller ones and from what its kind did there."""
    for demand in demands.values():
        largest = max(demand.server_us)
        (last,) = [
            p for p in points
            if p.label == demand.label and p.cpus == min(q.cpus for q in points if q.label == p.label)
            and ends_per_cpu(p.clients, p.cpus, machine_cpus) == largest
        ]
        below = {part: [n for n in demand.server_us if n <= largest / part] for part in (2, 4)}
        for kind, loads in ((TWICE, below[2]), (FOUR_TIMES, below[4])):
            alone = _from_below(demand.server_us, loads, largest)
            if alone is not None and (kind == FOUR_TIMES or loads != below[4]):
                asked = _from_below(demand.generator_us, loads, largest)
                yield _check(kind, last, (alone, asked), machine_cpus)
        others = [d for d in demands.values() if d.kind == demand.kind and d is not demand]
        if not below[4]:
            continue
        step = max(below[4]), largest
        server = _with_others([d.server_us for d in others], demand.server_us, step)
        if server is not None:
            generator = _with_others([d.generator_us for d in others], demand.generator_us, step)
            yield _check(SERVER, last, (server, generator), machine_cpus)


def _from_below(costs: Costs, loads: Sequence[float], load: float) -> float | None:
    """The cost at `load`, as if only `loads` had been measured."""
    known = {n: costs[n] for n in loads if n in costs}
    if len(known) < 2:
        return None
    law = fitted(known)
    return known[max(known)] * law.at(load) / law.at(max(known))


def _with_others(others: Sequence[Costs], own: Costs, step: tuple[float, float]) -> float | None:
    """The cost after a step to another load, when it costs the others' median factor."""
    few, many = step
    factors = [costs[many] / costs[few] for costs in others if few in costs and many in costs]
    return own[few] * float(np.median(factors)) if factors and few in own else None


def _more_cpus(
    demands: Mapping[str, Demand], points: Sequence[Point], machine_cpus: int
) -> Iterator[Check]:
    """Each point on more CPUs; what they lose to each other is known from the other loads only."""
    for p in points:
        demand = demands[p.label]
        own = [q for q in points if q.label == p.label]
        if p.cpus == min(q.cpus for q in own) or p.clients < BUSY_CLIENTS * p.cpus:
            continue
        others = [q for q in own if q.cpus != p.cpus or q.clients != p.clients]
        share = serial_share(inflation(others, p.label, p.workload, machine_cpus), len(demands))
        ends = ends_per_cpu(p.clients, p.cpus, machine_cpus)
        lost = 1 + (share.value if share else 0.0) * (p.cpus - 1)
        generator = at(demand.generator_us, ends) if demand.generator_us else None
        yield _check(CPUS, p, (at(demand.server_us, ends) * lost, generator), machine_cpus)


def _adds_work_only(workload: Workload) -> bool:
    """More of the same: the same generator, connections that stay, nobody waited for."""
    waits = workload.path.startswith(("/disk/", "/proxy/"))
    same = workload.keepalive and "stload" not in workload.how and "--" not in workload.how
    return same and not waits and "offered_rps" not in workload.varies


def _other_work(
    demands: Mapping[str, Demand], points: Sequence[Point], machine_cpus: int
) -> Iterator[Check]:
    """Other work adds the same to every server of a kind: all have one handler, and servers of a kind have
    its memory in as many places."""

    def load(p: Point) -> tuple[str, int, int]:
        return p.workload, p.clients, p.cpus

    for p in points:
        demand = demands[p.label]
        fewest = min(q.cpus for q in points if q.workload == p.workload)
        if p.cpus > fewest or p.clients < BUSY_CLIENTS * p.cpus:
            continue
        family = [
            q for q in points
            if load(q) == load(p) and q is not p and demands[q.label].kind == demand.kind
        ]
        if not family:
            continue
        ends = ends_per_cpu(p.clients, p.cpus, machine_cpus)
        added = [server_us(q) - at(demands[q.label].server_us, ends) for q in family]
        asked = [us for q in family if (us := generator_us(q)) is not None]
        server = at(demand.server_us, ends) + float(np.median(added))
        yield _check(WORK, p, (server, float(np.median(asked)) if asked else None), machine_cpus)


def _twins(points: Sequence[Point], twins: Mapping[str, str], machine_cpus: int) -> Iterator[Check]:
    """Each busy point of a twin, said to be that of the server that it repeats."""
    for p in points:
        for q in points:
            same = (twins.get(p.label), p.clients, p.cpus) == (q.label, q.clients, q.cpus)
            if same and p.clients >= BUSY_CLIENTS * p.cpus:
                yield _check(TWIN, p, (server_us(q), generator_us(q)), machine_cpus)
