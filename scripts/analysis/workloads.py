"""What a plan's workload varies, so that figures can put it on an axis.

A workload has a name; figures need the quantity. The response size is read off the path
(`/bytes/1024`), the others are fields of the workload in the plan.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from results import Campaign

# quantity -> the last number of a path that begins with this
FROM_PATH = {
    "response_bytes": r"/bytes/(\d+)$",
    "disk_reads": r"/disk/(\d+)$",
    "computing_us": r"/cpu/(\d+)$",
    "allocations": r"/alloc/(\d+)$",
}


@dataclass(frozen=True)
class Workload:
    """`varies` holds the quantities by name; `family` is equal for workloads that differ in them only."""

    name: str
    path: str
    keepalive: bool
    varies: dict[str, float]
    family: str


def workloads_of(campaign: Campaign) -> tuple[Workload, ...]:
    """The workloads that ran, in the plan's order."""
    described = {w["name"]: w for w in campaign.plan["workloads"]}
    return tuple(_workload(name, described.get(name, {})) for name in campaign.workloads)


def _workload(name: str, fields: Mapping[str, Any]) -> Workload:
    path = str(fields.get("path", ""))
    varies = {
        quantity: float(found.group(1))
        for quantity, pattern in FROM_PATH.items()
        if (found := re.match(pattern, path))
    }
    for quantity, places in FIELDS.items():
        for place in places:
            value = _at(fields, place)
            if value is not None:
                varies[quantity] = value
    keepalive = bool(fields.get("keepalive", True))
    family = re.sub(r"/\d+$", "/N", path) + ("" if keepalive else " close")
    return Workload(name, path, keepalive, varies, family)


# quantity -> where a plan's workload may say it, dots going inside
FIELDS = {
    "idle_clients": ("idle_clients",),
    "offered_rps": ("rate_rps",),
}


def _at(fields: Mapping[str, Any], place: str) -> float | None:
    value: Any = fields
    for part in place.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return float(value) if isinstance(value, (int, float)) else None
