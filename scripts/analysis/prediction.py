"""From demands to curves that nobody has measured: bounds of operational analysis, and one law.

    X(N, k) = min(N X(1), k / (D(N/k) (1 + s (k - 1))))

N clients, k CPUs, X(1) what one client alone gets, D the CPU time of a request where each CPU has N/k
clients, s the serial share of the Universal Scalability Law. The first bound is Little's law without
queues, the second the utilisation law. Denning and Buzen, "The Operational Analysis of Queueing
Network Models" (1978); Gunther, "Guerrilla Capacity Planning" (2007). Beyond the largest load D grows
with a power that the servers of one kind have in common.

The power, one for each kind, was chosen without the loads that are predicted: of eight forms (no growth,
the last step's growth continued by the logarithm, the fourth or the square root, alone or in common;
the whole curve's slope, alone or in common) it came nearest where 256 clients are predicted from 8 and
64, over four campaigns: mean error 17 %, median 13 %; the server's own slope 18 %, no growth 19 %.

What it cannot know: the law's third term, coherence, which two CPUs do not show; memory controllers,
sockets and network cards; what the kernel's tables cost beyond the loads that were measured.
"""

from __future__ import annotations

from analysis.demand import Demand, Span, growing

NO_SHARING = Span(0.0, 0.0, 0.0)


def on_other_cpus(demand: Demand, growth: Span, sharing: Span, clients: int, cpus: int) -> Span:
    """Requests per second with the clients on other machines.

    High: growth and sharing are as little as their ranges allow; low: as much.
    """
    each, costs = clients / cpus, demand.server_us

    def rate(power: float, share: float) -> float:
        busy = 1e6 * cpus / (growing(costs, each, power) * (1 + share * (cpus - 1)))
        return busy if demand.alone_rps is None else min(clients * demand.alone_rps, busy)

    return Span(
        rate(growth.value, sharing.value), rate(growth.high, sharing.high), rate(growth.low, sharing.low)
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
