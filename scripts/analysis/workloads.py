"""What a plan's workload varies, so that figures can put it on an axis.

A workload has a name; figures need the quantity. It is read off the path (`/bytes/1024`) or off the
generator's options (`--idle 1000`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from results import Campaign, plan_name

# quantity -> the last number of a path that begins with this
FROM_PATH = {
    "response_bytes": r"(?:/proxy)?/(?:bytes|file(?:/.*)?)/(\d+)$",
    "disk_reads": r"/disk/(\d+)$",
    "computing_us": r"/cpu/(\d+)$",
    "allocations": r"/alloc/(\d+)$",
}


@dataclass(frozen=True)
class Workload:
    """`varies` holds by name the quantities that a figure may put on an axis. `how` is everything
    else about it: workloads are compared over a quantity only when it is equal."""

    name: str
    path: str  # empty for a mix of several
    keepalive: bool
    varies: dict[str, float]
    how: str  # generator and options, and the path where it says no quantity


# quantity -> the generator's option that is followed by it
FROM_OPTIONS = {"idle_clients": "--idle", "slow_clients": "--slow-clients"}
# Options that say how the slow clients are slow: without any they say nothing.
DETAILS = ("--slow-read", "--slow-write")


def workloads_of(campaign: Campaign) -> tuple[Workload, ...]:
    """The workloads that ran, in the plan's order; each offered rate is one of its own."""
    described = {w["name"]: w for w in campaign.plan["workloads"]}
    offered = {c.workload: c.offered_rps for c in campaign.cells}
    usual = str(campaign.plan.get("generator", "wrk"))
    return tuple(
        _workload(name, described.get(plan_name(name, described), {}), offered[name], usual)
        for name in campaign.workloads
    )


def _workload(
    name: str, fields: Mapping[str, Any], offered_rps: float | None, usual: str
) -> Workload:
    path = str(fields.get("path", ""))
    varies = {
        quantity: float(found.group(1))
        for quantity, pattern in FROM_PATH.items()
        if (found := re.match(pattern, path))
    }
    how = [re.sub(r"\d+$", "N", path) if varies else path or "a mix"]
    if not fields.get("keepalive", True):
        how.append("a connection for each request")
    generator = str(fields.get("generator", usual))
    how += [generator] if generator != "wrk" else []
    options = [str(o) for o in fields.get("generator_options", ())]
    for quantity, option in [*FROM_OPTIONS.items(), *((None, detail) for detail in DETAILS)]:
        if option in options[:-1]:
            at = options.index(option)
            if quantity is not None:
                varies[quantity] = float(options[at + 1])
            del options[at : at + 2]
    options += [str(o) for o in fields.get("server_options", ())]
    if offered_rps is not None:
        varies["offered_rps"] = offered_rps
    return Workload(
        name, path, bool(fields.get("keepalive", True)), varies, ", ".join([*how, *options])
    )


def by_quantity(workloads: Sequence[Workload], quantity: str) -> dict[str, list[Workload]]:
    """Workloads that differ in `quantity` and nothing else, in its order, where there are two or more.

    A workload that does not mention idle or slow clients has none, and belongs to its family with 0.
    Of several with the same quantity the plan's first is taken.
    """
    families: dict[str, dict[float, Workload]] = {}
    for workload in workloads:
        if quantity not in workload.varies and quantity not in FROM_OPTIONS:
            continue
        others = [f"{v:g} {k.replace('_', ' ')}" for k, v in workload.varies.items() if k != quantity]
        family = families.setdefault(", ".join([workload.how, *others]), {})
        family.setdefault(workload.varies.get(quantity, 0.0), workload)
    return {
        kind: [members[n] for n in sorted(members)]
        for kind, members in families.items()
        if len(members) > 1
    }
