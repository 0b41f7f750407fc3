"""Percentiles of merged histograms, or the reason why they are withheld.

Percentiles are never averaged: the histograms of a point's cells are added, then read. A percentile
needs enough requests beyond it to mean anything; the 99th at least 10,000 in all, so that a hundred
are slower.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results import BadData, Cell

Histogram = Mapping[int, int]  # latency in microseconds -> requests

# percentile -> fewest requests for which it is given
FEWEST = {0.5: 100, 0.9: 1_000, 0.99: 10_000, 0.999: 100_000}
# Where a distribution is stored: enough for a curve that looks smooth down to one in 10,000.
GRID = tuple(i / 50 for i in range(1, 46)) + tuple(
    1 - tail for tail in (0.08, 0.06, 0.05, 0.04, 0.03, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005,
                          0.0002, 0.0001)
)


@dataclass(frozen=True)
class Quantile:
    """`share` of the requests took at most `latency_us`."""

    share: float
    latency_us: float


@dataclass(frozen=True)
class Latency:
    """The merged latencies of a point's usable cells."""

    label: str
    workload: str
    clients: int
    cpus: int
    requests: int
    from_intended: bool  # measured from the intended send time (open loop)
    curve: tuple[Quantile, ...]
    withheld: tuple[str, ...]  # a sentence for each percentile that is not given


def merged(histograms: Iterable[Histogram]) -> dict[int, int]:
    """The sum, in ascending order of latency."""
    total: dict[int, int] = {}
    for histogram in histograms:
        for latency_us, count in histogram.items():
            total[latency_us] = total.get(latency_us, 0) + count
    return dict(sorted(total.items()))


def quantiles(histogram: Histogram, shares: Iterable[float]) -> list[Quantile]:
    """The smallest latency that at least each share of the requests kept; `histogram` ascending."""
    total = sum(histogram.values())
    found, seen = [], 0
    wanted = sorted(shares)
    place = 0
    for latency_us, count in histogram.items():
        seen += count
        while place < len(wanted) and seen >= wanted[place] * total - 1e-9 * total:
            found.append(Quantile(wanted[place], float(latency_us)))
            place += 1
    return found


def supported(share: float, requests: int) -> bool:
    """Are there requests enough to state this percentile? A hundred beyond it are wanted."""
    if share <= 0.5:
        return requests >= FEWEST[0.5]
    return requests * (1 - share) >= 100 * (1 - 1e-9)


def withheld(requests: int) -> tuple[str, ...]:
    """Why each of the usual percentiles that is not given is not given."""
    return tuple(
        f"p{100 * share:g} needs {fewest:,} requests, there are {requests:,}"
        for share, fewest in FEWEST.items()
        if requests < fewest
    )


def uncorrected(histogram: Histogram, expected_us: int) -> dict[int, int]:
    """Takes back wrk 4.1.0's "correction": data[m] - data[m + e] for m > e, which is exact.

    wrk adds, for each latency n of 2e or more, counts at n - e, n - 2e, ... above e.
    """
    if expected_us <= 0:
        return dict(histogram)
    raw = {
        m: count - (histogram.get(m + expected_us, 0) if m > expected_us else 0)
        for m, count in histogram.items()
    }
    return {m: count for m, count in sorted(raw.items()) if count}


@dataclass(frozen=True)
class Observed:
    """A cell's latencies as the generator saw them."""

    latencies: dict[int, int]
    from_intended: bool  # from when a request was due, not from when it was sent


def of_cell(directory: Path, cell: Cell) -> Observed | None:
    """The observed latencies of a cell, None where the generator's report is not there.

    Raises BadData when wrk's counts do not add up to its answers, as a wrong inversion would.
    """
    for name in cell.provenance.get("raw", ()):
        path = directory / name
        if not name.endswith(".json") or not path.is_file():
            continue
        report = json.loads(path.read_text(encoding="utf-8"))
        if report.get("schema") == "stload.report/1":
            counts = merged({round(us): n} for us, n in report["latency_us"]["histogram"])
            return Observed(counts, report["load"]["kind"] != "closed")
        if "latency_us" in report:
            return Observed(_of_wrk(report, cell.clients, path), False)
    return None


def _of_wrk(report: dict[str, Any], clients: int, path: Path) -> dict[int, int]:
    data = {int(us): int(count) for us, count in report["latency_us"]}
    requests = int(report["requests"])
    each = requests // clients  # both divisions are those of wrk, which forgets the remainder
    raw = uncorrected(data, int(report["duration_us"]) // each if each else 0)
    late = int(report["errors"].get("timeout", 0))
    if any(count < 0 for count in raw.values()) or abs(sum(raw.values()) - requests) > late:
        raise BadData(
            f"{path}: {sum(raw.values()):,} latencies for {requests:,} answers;"
            " this is not the histogram of wrk 4.1.0"
        )
    return raw
