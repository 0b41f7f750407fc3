"""model.json: what is predicted beyond the machine at hand, from what, and how good such predictions are.

Made of one analysis and nothing else. Every number in it that is not a demand is a prediction.
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.demand import Demand, Growth, Span, growth, inflation, measured, serial_share
from analysis.held_out import Accuracy, Check, accuracies, checks
from analysis.prediction import NO_SHARING, most_clients, on_other_cpus
from analysis.record import Analysis

SCHEMA = "archbench.model/3"
LABELLED = "Prediction, not measurement."
CLIENTS = tuple(10**e * m for e in range(6) for m in (1, 2, 5)) + (1_000_000,)
CPUS = (1, 2, 4, 8, 16, 32, 64, 128)
# Over CPUs each has so many clients: all architectures are busy, none is at its worst.
CLIENTS_FOR_EACH_CPU = 256
# What a server with one CPU is given to hold its connections in the curve over clients.
MEMORY_BYTES = float(64 << 30)


@dataclass(frozen=True)
class Calibration:
    """What was measured of one label. `growth` is how it grows dearer beyond the largest load, `sharing`
    the serial share that its step to more CPUs shows."""

    label: str
    architecture: str
    demand: Demand
    growth: Growth
    sharing: Span
    sharing_known: bool  # False: it was measured on one number of CPUs, and 0 is only assumed


@dataclass(frozen=True)
class Predicted:
    """One point of a predicted curve. Beyond what fits into the memory there is none."""

    axis: str  # clients or cpus
    label: str
    clients: int
    cpus: int
    rps: Span


@dataclass(frozen=True)
class Limit:
    """How many connections fit into `memory_bytes`; more than that nobody can hold."""

    label: str
    memory_bytes: float
    clients: int


@dataclass(frozen=True)
class Model:
    """All of model.json."""

    schema: str
    labelled: str
    campaign: str
    cells_sha256: str
    workload: str
    machine_cpus: int
    calibrations: tuple[Calibration, ...]
    curves: tuple[Predicted, ...]
    limits: tuple[Limit, ...]
    checks: tuple[Check, ...]
    accuracies: tuple[Accuracy, ...]


def model(analysis: Analysis, memory_bytes: float = MEMORY_BYTES) -> Model | None:
    """The model of the workload whose load varies most; None when no label was measured under enough."""
    workload = base_workload(analysis)
    twins = {label.name: label.twin_of for label in analysis.labels if label.twin_of is not None}
    demands = {
        label: demand
        for label in analysis.labels
        if label.name not in twins
        and (demand := measured(analysis.points, label.name, workload, analysis.cpus))
    }
    if not demands:
        return None
    calibrations = []
    for label, demand in demands.items():
        family = [d.server_us for d in demands.values() if d.kind == demand.kind]
        share = serial_share(inflation(analysis.points, label.name, workload, analysis.cpus), len(demands))
        calibrations.append(
            Calibration(
                label.name, label.architecture, demand, growth(demand.server_us, family),
                share or NO_SHARING, share is not None,
            )
        )
    limits = [
        Limit(c.label, memory_bytes, most)
        for c in calibrations
        if (most := most_clients(c.demand, memory_bytes)) is not None
    ]
    fit = {limit.label: limit.clients for limit in limits}
    made = checks(analysis.points, analysis.workloads, workload, twins, analysis.cpus)
    return Model(
        SCHEMA, LABELLED, analysis.campaign, analysis.cells_sha256, workload, analysis.cpus,
        tuple(calibrations),
        tuple(p for c in calibrations for p in (*_over_clients(c, fit), *_over_cpus(c))),
        tuple(limits), made, accuracies(made),
    )


def base_workload(analysis: Analysis) -> str:
    """The one with the most points: the demands need many loads."""
    names = [w.name for w in analysis.workloads]
    return max(names, key=lambda name: sum(p.workload == name for p in analysis.points))


def _over_clients(c: Calibration, fit: dict[str, int]) -> list[Predicted]:
    """On one CPU, from one client to a million or as many as there is memory for."""
    most = fit.get(c.label, CLIENTS[-1])
    loads = [n for n in CLIENTS if n < most] + [min(most, CLIENTS[-1])]
    return [
        Predicted("clients", c.label, n, 1, on_other_cpus(c.demand, c.growth, NO_SHARING, n, 1))
        for n in dict.fromkeys(loads)
    ]


def _over_cpus(c: Calibration) -> list[Predicted]:
    return [
        Predicted(
            "cpus", c.label, k * CLIENTS_FOR_EACH_CPU, k,
            on_other_cpus(c.demand, c.growth, c.sharing, k * CLIENTS_FOR_EACH_CPU, k),
        )
        for k in CPUS
    ]


