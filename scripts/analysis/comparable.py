"""May two campaigns be compared at all? Every difference in what they were made with, by its meaning.

A difference of the machine, the tools or the plan means that a ratio shows this difference as much
as any other: such campaigns are not comparable. A difference of the servers (commit, binary,
compiler) is usually the question itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from results import Campaign

# What may differ between two runs on the same machine without being another machine.
MOODS = {"memory_available_bytes", "load_average_1min"}
# Of the plan, what changes how a cell is measured; which cells there are does not matter.
MEASURING = ("seconds", "warmup_seconds", "generator")
TESTED = ("commit", "dirty", "compiler", "build_type", "build_flags")
TOOLS = ("archbench_sha256", "wrk_sha256", "wrk_version")


@dataclass(frozen=True)
class Difference:
    """One thing that differs. `spoils` is true when it makes a comparison meaningless."""

    what: str
    first: str
    second: str
    spoils: bool


def differences(one: Campaign, other: Campaign) -> list[Difference]:
    """Everything that differs, what spoils the comparison first."""
    a, b = one.about, other.about
    found = [
        *_differing("machine: ", a["environment"], b["environment"], spoils=True, but=MOODS),
        *_differing("tools: ", _of(a["provenance"], TOOLS), _of(b["provenance"], TOOLS), spoils=True),
        *_differing("plan: ", _of(one.plan, MEASURING), _of(other.plan, MEASURING), spoils=True),
        *_differing("workload ", _workloads(one), _workloads(other), spoils=True, common_only=True),
        *_differing("source: ", _of(a["provenance"], TESTED), _of(b["provenance"], TESTED), spoils=False),
        *_differing("binary of ", _binaries(a), _binaries(b), spoils=False, common_only=True),
    ]
    return sorted(found, key=lambda d: not d.spoils)


def _of(record: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: record[name] for name in names if name in record}


def _workloads(campaign: Campaign) -> dict[str, Any]:
    return {w["name"]: {k: v for k, v in w.items() if k != "name"} for w in campaign.plan["workloads"]}


def _binaries(about: Mapping[str, Any]) -> dict[str, Any]:
    return {
        s.get("program", s["architecture"]): s["sha256"][:12]
        for s in about["provenance"]["servers"]
        if "sha256" in s
    }


def _differing(
    prefix: str, one: Mapping[str, Any], other: Mapping[str, Any], *, spoils: bool,
    but: Set[str] = frozenset(), common_only: bool = False,
) -> Iterator[Difference]:
    """`common_only`: what only one of them has is no difference."""
    for name in sorted(one.keys() | other.keys()):
        if name in but or (common_only and (name not in one or name not in other)):
            continue
        first, second = one.get(name), other.get(name)
        if isinstance(first, Mapping) and isinstance(second, Mapping):
            yield from _differing(f"{prefix}{name}.", first, second, spoils=spoils)
        elif first != second:
            yield Difference(prefix + name, _shown(first), _shown(second), spoils)


def _shown(value: Any) -> str:
    return "unknown" if value is None else str(value)
