"""From demands to curves that nobody has measured: bounds of operational analysis, and one law.

    X(N, k) = min(N X(1), k / (D(N/k) (1 + s (k - 1))))

N clients, k CPUs, X(1) what one client alone gets, D the CPU time of a request where each CPU has N/k
clients, s the serial share of the Universal Scalability Law. The first bound is Little's law without
queues, the second the utilisation law. Denning and Buzen, "The Operational Analysis of Queueing
Network Models" (1978); Gunther, "Guerrilla Capacity Planning" (2007).

What it cannot know: the law's third term, coherence, which two CPUs do not show; memory controllers,
sockets and network cards; what the kernel's tables cost beyond the loads that were measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.demand import HIGHEST_POWER, Demand, at, growing


@dataclass(frozen=True)
class Span:
    """A predicted number, and the range within which the assumptions leave it."""

    value: float
    low: float
    high: float


NO_SHARING = Span(0.0, 0.0, 0.0)


def on_other_cpus(demand: Demand, sharing: Span, clients: int, cpus: int) -> Span:
    """Requests per second with the clients on other machines.

    High: a request never costs more than at the largest load measured, and sharing is as little as its
    interval allows. Low: the growth over the last step goes on with the square root of the clients, and
    sharing is as much. The value lies between them: it goes on with the fourth root.
    """
    each, costs = clients / cpus, demand.server_us
    return Span(
        _bounded(demand, clients, _busy(cpus, growing(costs, each), sharing.value)),
        _bounded(demand, clients, _busy(cpus, growing(costs, each, HIGHEST_POWER), sharing.high)),
        _bounded(demand, clients, _busy(cpus, at(costs, each), sharing.low)),
    )


def beside_generator(
    demand: Demand, sharing: float, clients: int, cpus: int, machine_cpus: int
) -> float:
    """Requests per second where the generator runs on the same machine, as all that is measured here.

    With CPUs of its own it is a second bound. Without, both take turns and their costs add up.
    """
    each = clients / cpus
    server = at(demand.server_us, each) * (1 + sharing * (cpus - 1))
    generator = at(demand.generator_us, each) if demand.generator_us else 0.0
    if cpus >= machine_cpus:
        busy = 1e6 * machine_cpus / (server + generator)
    else:
        busy = 1e6 * cpus / server
        if generator:
            busy = min(busy, 1e6 * (machine_cpus - cpus) / generator)
    return _bounded(demand, clients, busy)


def most_clients(demand: Demand, memory_bytes: float) -> int | None:
    """How many connections fit into the memory; None when one was not measured, or takes none."""
    if not demand.memory_bytes or demand.memory_bytes <= 0:
        return None
    return int(memory_bytes / demand.memory_bytes)


def _busy(cpus: int, cost_us: float, sharing: float) -> float:
    return 1e6 * cpus / (cost_us * (1 + sharing * (cpus - 1)))


def _bounded(demand: Demand, clients: int, busy_rps: float) -> float:
    return busy_rps if demand.alone_rps is None else min(clients * demand.alone_rps, busy_rps)
