"""From demands to curves that nobody has measured: bounds of operational analysis, and one law.

    X(N, k) = min(N X(1), k / (D(N/k) (1 + s (k - 1))))

N clients, k CPUs, X(1) what one client alone gets, D the CPU time of a request where each CPU has N/k
clients, s the serial share of the Universal Scalability Law. The first bound is Little's law without
queues, the second the utilisation law. Denning and Buzen, "The Operational Analysis of Queueing
Network Models" (1978); Gunther, "Guerrilla Capacity Planning" (2007). Beyond the largest load D grows
as the server's working set says (`working_set`).

What it cannot know: the law's third term, coherence, which two CPUs do not show; memory controllers,
sockets and network cards; what overflows only beyond the loads that were measured, a further cache or
the kernel's tables.
"""

from __future__ import annotations

from analysis.demand import Demand, Growth, Span, at

NO_SHARING = Span(0.0, 0.0, 0.0)


def on_other_cpus(demand: Demand, growth: Growth, sharing: Span, clients: int, cpus: int) -> Span:
    """Requests per second with the clients on other machines.

    High: growth and sharing are as little as their ranges allow; low: as much.
    """
    each, costs = clients / cpus, demand.server_us
    times = growth.times(max(costs), each)

    def rate(grown: float, share: float) -> float:
        busy = 1e6 * cpus / (at(costs, each) * grown * (1 + share * (cpus - 1)))
        return busy if demand.alone_rps is None else min(clients * demand.alone_rps, busy)

    return Span(
        rate(times.value, sharing.value), rate(times.high, sharing.high), rate(times.low, sharing.low)
    )


def beside_generator(server_us: float, generator_us: float, cpus: int, machine_cpus: int) -> float:
    """Requests per second where the generator runs on the same machine, as all that is measured here.

    With CPUs of its own it is a second bound. Without, both take turns and their costs add up.
    """
    if cpus >= machine_cpus:
        return 1e6 * machine_cpus / (server_us + generator_us)
    return 1e6 * min(cpus / server_us, (machine_cpus - cpus) / generator_us)


def most_clients(demand: Demand, memory_bytes: float) -> int | None:
    """How many connections fit into the memory; None when one was not measured, or takes none."""
    if not demand.memory_bytes or demand.memory_bytes <= 0:
        return None
    return int(memory_bytes / demand.memory_bytes)
