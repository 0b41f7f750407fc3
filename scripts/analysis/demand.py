"""What one request of a label demands: the service demands that a prediction starts from.

All of it is read off cells on the fewest CPUs. Costs are over clients *for each CPU*, because a CPU
that looks after n connections touches the memory of n, however many CPUs there are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.paired import Ratio, from_logs
from analysis.points import WALL_CLOCK, Point

CPU = "cpu_us_per_request"
MEMORY = "memory_bytes_per_connection"
# With fewer clients a server sleeps between requests and pays for waking up; that cost goes away with
# load and says nothing of a busy server.
BUSY_CLIENTS = 8
# How the cost of a request grows beyond the loads that were measured. The power was chosen where 256
# clients are predicted from 8 and 64: of the logarithm, the fourth root, the square root and the line, the
# fourth root came nearest. The largest load, on which predictions are checked, had no say.
LIKELY_POWER, HIGHEST_POWER = 0.25, 0.5

Costs = Mapping[float, float]  # microseconds of CPU time for one request, by clients for each CPU


@dataclass(frozen=True)
class Demand:
    """One label under one workload."""

    label: str
    workload: str
    alone_rps: float | None  # of a single client: what its way there and back allows
    server_us: dict[float, float]
    generator_us: dict[float, float]  # empty when the generator's CPU time was not recorded
    memory_bytes: float | None  # of a further connection, the kernel's part not counted


def measured(points: Sequence[Point], label: str, workload: str) -> Demand | None:
    """The demands of `label`; None when it was measured under fewer than two busy loads."""
    here = [p for p in points if (p.label, p.workload) == (label, workload) and CPU in p.metrics]
    fewest = min((p.cpus for p in here), default=0)
    here = sorted((p for p in here if p.cpus == fewest), key=lambda p: p.clients)
    busy = [p for p in here if p.clients >= BUSY_CLIENTS * p.cpus]
    if len(busy) < 2:
        return None
    alone = [p.metrics[WALL_CLOCK].median for p in here if p.clients == 1 and WALL_CLOCK in p.metrics]
    memory = [p.metrics[MEMORY].median for p in here if MEMORY in p.metrics]
    generator = {p.clients / p.cpus: cost for p in busy if (cost := generator_us(p)) is not None}
    return Demand(
        label, workload,
        alone_rps=alone[0] if alone else None,
        server_us={p.clients / p.cpus: p.metrics[CPU].median for p in busy},
        generator_us=generator,
        memory_bytes=memory[-1] if memory else None,
    )


def generator_us(p: Point) -> float | None:
    """CPU time of the generator for one request, in microseconds."""
    used, asked = p.median("generator_cpu_s"), p.median("generator_requests")
    return 1e6 * used / asked if used is not None and asked else None


def at(costs: Costs, clients: float) -> float:
    """The cost at a load between those that were measured; beyond them that of the nearest.

    Linear in the logarithm of the load: what grows with the number of connections (misses in caches and
    tables) grows by about as much with each doubling.
    """
    loads = sorted(costs)
    if clients <= loads[0]:
        return costs[loads[0]]
    if clients >= loads[-1]:
        return costs[loads[-1]]
    above = next(n for n in loads if n >= clients)
    below = max(n for n in loads if n < clients)
    share = math.log(clients / below) / math.log(above / below)
    return costs[below] + share * (costs[above] - costs[below])


def growing(costs: Costs, clients: float, power: float = LIKELY_POWER) -> float:
    """As `at`, but beyond the largest load the growth of the last step goes on for ever, with a power
    of the clients."""
    *_, before, last = sorted(costs)
    if clients <= last:
        return at(costs, clients)
    growth = max(0.0, costs[last] - costs[before]) / (last**power - before**power)
    return float(costs[last] + growth * (clients**power - last**power))


def inflation(points: Sequence[Point], many: Point) -> Ratio | None:
    """The CPU time of a request on several CPUs, over that on the fewest with as many clients for each.

    Above 1 is what the CPUs lose to each other: locks, shared lines, and on a machine without a CPU for
    the generator also its presence. Paired within blocks. None when the fewer were not measured.
    """
    own = [p for p in points if (p.label, p.workload) == (many.label, many.workload) and p.of(CPU)]
    fewest = min((p.cpus for p in own), default=many.cpus)
    few = [p for p in own if p.cpus == fewest and p.clients >= BUSY_CLIENTS * p.cpus]
    if many.cpus == fewest or len(few) < 2:
        return None
    logs = {}
    for block, cost in many.of(CPU).items():
        costs: Costs = {p.clients / p.cpus: p.of(CPU)[block] for p in few if block in p.of(CPU)}
        if len(costs) == len(few):
            logs[block] = math.log(cost / at(costs, many.clients / many.cpus))
    return from_logs(logs)


