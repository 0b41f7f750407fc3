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
    "response_bytes": r"/bytes/(\d+)$",
    "disk_reads": r"/disk/(\d+)$",
    "computing_us": r"/cpu/(\d+)$",
    "allocations": r"/alloc/(\d+)$",
}


@dataclass(frozen=True)
class Workload:
    """`varies` holds by name the quantities that a figure may put on an axis."""

    name: str
    path: str  # empty for a mix of several
    keepalive: bool
    varies: dict[str, float]


# quantity -> the generator's option that is followed by it
FROM_OPTIONS = {"idle_clients": "--idle", "slow_clients": "--slow-clients"}


def workloads_of(campaign: Campaign) -> tuple[Workload, ...]:
    """The workloads that ran, in the plan's order; each offered rate is one of its own."""
    described = {w["name"]: w for w in campaign.plan["workloads"]}
    offered = {c.workload: c.offered_rps for c in campaign.cells}
    return tuple(
        _workload(name, described.get(plan_name(name, described), {}), offered[name])
        for name in campaign.workloads
    )


def _workload(name: str, fields: Mapping[str, Any], offered_rps: float | None) -> Workload:
    path = str(fields.get("path", ""))
    varies = {
        quantity: float(found.group(1))
        for quantity, pattern in FROM_PATH.items()
        if (found := re.match(pattern, path))
    }
    options = [str(o) for o in fields.get("generator_options", ())]
    for quantity, option in FROM_OPTIONS.items():
        if option in options[:-1]:
            varies[quantity] = float(options[options.index(option) + 1])
    if offered_rps is not None:
        varies["offered_rps"] = offered_rps
    return Workload(name, path, bool(fields.get("keepalive", True)), varies)


def by_quantity(workloads: Sequence[Workload], quantity: str) -> dict[str, list[Workload]]:
    """Workloads that differ in `quantity` and nothing else, in its order, where there are two or more.

    A workload that does not mention idle or slow clients has none, and belongs to its family with 0.
    """
    families: dict[str, list[Workload]] = {}
    for workload in workloads:
        others = {k: v for k, v in workload.varies.items() if k != quantity}
        path = re.sub(r"/\d+$", "/N", workload.path) if quantity in FROM_PATH else workload.path
        kind = f"{path}{'' if workload.keepalive else ', a connection for each request'}"
        extra = "".join(f", {k} {v:g}" for k, v in others.items() if k not in FROM_PATH)
        if quantity in workload.varies or quantity in FROM_OPTIONS:
            families.setdefault(kind + extra, []).append(workload)
    return {
        kind: sorted(members, key=lambda w: w.varies.get(quantity, 0.0))
        for kind, members in families.items()
        if len({w.varies.get(quantity, 0.0) for w in members}) > 1
    }
