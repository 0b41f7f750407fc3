"""What one request of a label demands: the service demands that a prediction starts from.

All of it is read off cells on the fewest CPUs. Costs are lower quartiles over blocks, rates upper ones:
what disturbs a machine only ever makes a request dearer, so the quartile is nearer to what the request
demands than the median is, and unlike the minimum it does not hang on one cell. In three campaigns on a
shared machine a server measured twice differed by 6.2, 3.8 and 0.7 % in its quartile, in its median by
8.1, 4.6 and 3.4 %. Costs are over *ends*: how many ends of connections a CPU looks after, its own
server's and, where the generator shares it, the generator's. A CPU that looks after n ends touches the
memory of n, whoever they belong to.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.intervals import LEVEL
from analysis.paired import Ratio, from_logs
from analysis.points import WALL_CLOCK, Point
from analysis.working_set import WorkingSet, fitted

CPU = "cpu_us_per_request"
MEMORY = "memory_bytes_per_connection"
# With fewer clients a server sleeps between requests and pays for waking up; that cost goes away with
# load and says nothing of a busy server.
BUSY_CLIENTS = 8
UNDISTURBED = 0.25  # of the blocks; a quarter of them are cheaper
PROCESS, THREAD, FEW = "a process for each connection", "a kernel thread for each connection", "few kernel threads"
# A server has a process or a kernel thread for each connection when at its largest load there are at
# least so many for one. Not 1: a server that forks is counted while its processes still come and go.
VEHICLES_FOR_EACH = 0.25

Costs = Mapping[float, float]  # microseconds of CPU time for one request, by ends for each CPU


@dataclass(frozen=True)
class Span:
    """A number, and the range within which the assumptions leave it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Demand:
    """One label under one workload. Servers of one `kind` grow dearer together: where each connection has
    a kernel thread it also has a kernel stack and a scheduler's entry, and where it has a process, page
    tables, a heap and a cache of files of its own."""

    label: str
    workload: str
    kind: str | None  # PROCESS, THREAD or FEW; None when they were not counted
    alone_rps: float | None  # of a single client: what its way there and back allows
    server_us: dict[float, float]
    generator_us: dict[float, float]  # empty when the generator's CPU time was not recorded
    memory_bytes: float | None  # of a further connection, the kernel's part not counted


def ends_per_cpu(clients: int, cpus: int, machine_cpus: int) -> float:
    """Ends of connections for each CPU. A server with all CPUs shares them with the generator, and each
    connection has two ends there."""
    return clients / cpus * (2 if cpus >= machine_cpus else 1)


def measured(
    points: Sequence[Point], label: str, workload: str, machine_cpus: int
) -> Demand | None:
    """The demands of `label`; None when it was measured under fewer than two busy loads."""
    here = [p for p in points if (p.label, p.workload) == (label, workload) and p.of(CPU)]
    fewest = min((p.cpus for p in here), default=0)
    here = sorted((p for p in here if p.cpus == fewest), key=lambda p: p.clients)
    busy = {
        ends_per_cpu(p.clients, p.cpus, machine_cpus): p
        for p in here
        if p.clients >= BUSY_CLIENTS * p.cpus
    }
    if len(busy) < 2:
        return None
    alone = [rps for p in here if p.clients == 1 and (rps := rate(p)) is not None]
    memory = [p.metrics[MEMORY].median for p in here if MEMORY in p.metrics]
    return Demand(
        label, workload, _kind(here[-1]),
        alone_rps=alone[0] if alone else None,
        server_us={ends: server_us(p) for ends, p in busy.items()},
        generator_us={ends: us for ends, p in busy.items() if (us := generator_us(p)) is not None},
        memory_bytes=memory[-1] if memory else None,
    )


def _kind(largest: Point) -> str | None:
    each = VEHICLES_FOR_EACH * largest.clients
    processes, threads = largest.median("server_processes"), largest.median("server_threads")
    if processes is None or threads is None:
        return None
    return PROCESS if processes >= each else THREAD if threads >= each else FEW


def server_us(p: Point) -> float:
    """CPU time of the server for one request, in microseconds, of a point that has it."""
    return float(np.quantile(list(p.of(CPU).values()), UNDISTURBED))


def generator_us(p: Point) -> float | None:
    """CPU time of the generator for one request, in microseconds."""
    used, asked = p.of("generator_cpu_s"), p.of("generator_requests")
    each = [1e6 * used[block] / asked[block] for block in used if asked.get(block)]
    return float(np.quantile(each, UNDISTURBED)) if each else None


def rate(p: Point) -> float | None:
    """Requests per second, None when that was not measured."""
    by_block = p.of(WALL_CLOCK)
    return float(np.quantile(list(by_block.values()), 1 - UNDISTURBED)) if by_block else None


@dataclass(frozen=True)
class Growth:
    """How the cost of a request grows beyond the largest load: as the server's working set says; at least
    not at all, and at most as in the steepest step that any server of its kind showed."""

    law: WorkingSet
    steepest: float  # power of the ends

    def times(self, largest: float, ends: float) -> Span:
        """The cost at so many ends over that at the largest load."""
        if ends <= largest:
            return Span(1.0, 1.0, 1.0)
        value = self.law.at(ends) / self.law.at(largest)
        return Span(value, 1.0, max(value, math.pow(ends / largest, self.steepest)))


def growth(own: Costs, family: Iterable[Costs]) -> Growth:
    """Of a server, and of all of its kind."""
    steps = [0.0]
    for costs in family:
        loads = sorted(costs)
        steps += [
            math.log(costs[many] / costs[few]) / math.log(many / few) for few, many in zip(loads, loads[1:])
        ]
    return Growth(fitted(own), max(steps))


def at(costs: Costs, ends: float) -> float:
    """The cost at a load between those that were measured; outside them that of the nearest.

    Linear in the logarithm of the load: what grows with the number of connections (misses in caches and
    tables) grows by about as much with each doubling.
    """
    loads = sorted(costs)
    if ends <= loads[0]:
        return costs[loads[0]]
    if ends >= loads[-1]:
        return costs[loads[-1]]
    above = next(n for n in loads if n >= ends)
    below = max(n for n in loads if n < ends)
    share = math.log(ends / below) / math.log(above / below)
    return costs[below] + share * (costs[above] - costs[below])


def inflation(points: Sequence[Point], label: str, workload: str, machine_cpus: int) -> dict[int, Ratio]:
    """By number of CPUs: the CPU time of a request over that on the fewest, with as many ends for each.

    Above 1 is what the CPUs lose to each other: locks and shared lines. Paired within blocks, the mean
    of the logarithms over a block's busy loads. Empty when only one number of CPUs was measured.
    """
    own = [p for p in points if (p.label, p.workload) == (label, workload) and p.of(CPU)]
    own = [p for p in own if p.clients >= BUSY_CLIENTS * p.cpus]
    fewest = min((p.cpus for p in own), default=0)
    logs: dict[int, dict[int, list[float]]] = {}
    for many in (p for p in own if p.cpus > fewest):
        ends = ends_per_cpu(many.clients, many.cpus, machine_cpus)
        for block, cost in many.of(CPU).items():
            costs: Costs = {
                ends_per_cpu(p.clients, p.cpus, machine_cpus): p.of(CPU)[block]
                for p in own
                if p.cpus == fewest and block in p.of(CPU)
            }
            if costs:
                by_block = logs.setdefault(many.cpus, {})
                by_block.setdefault(block, []).append(math.log(cost / at(costs, ends)))
    ratios = {
        cpus: from_logs({block: float(np.mean(each)) for block, each in by_block.items()})
        for cpus, by_block in logs.items()
    }
    return {cpus: ratio for cpus, ratio in ratios.items() if ratio is not None}


def serial_share(inflated: Mapping[int, Ratio], servers: int) -> Span | None:
    """The serial share of the scalability law that a step to more CPUs shows; None when none was made.

    The most precise step says it. The value is 0 unless the loss is sure, also when of so many `servers`
    each could show one by chance (Bonferroni): a share of a hundredth already halves a hundred CPUs.
    """
    if not inflated:
        return None
    cpus, ratio = min(inflated.items(), key=lambda each: each[1].high / each[1].low)
    low, high = (max(0.0, bound - 1) / (cpus - 1) for bound in (ratio.low, ratio.high))
    sure = ratio.verdict == "ahead" and ratio.p is not None and ratio.p * servers < 1 - LEVEL
    return Span((ratio.ratio - 1) / (cpus - 1) if sure else 0.0, low, high)
