"""A small, shared machine to simulate: the noise is what this project's reference campaign met.

Each cell's log-rate is the truth, plus a drift that wanders through the campaign, plus a residual
drawn from the real ones: heavy-tailed, with a neighbour that takes 20 % every tenth cell or so.
"""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

import results
from analysis.points import CPU_SECOND, points_of
from conftest import SCRIPTS

Numbers = NDArray[np.float64]
REFERENCE = SCRIPTS.parent / "results" / "reference" / "quick"
SATURATED = 64  # clients: the server's CPU is full and few processes compete for it


def residuals() -> Numbers:
    """log(cell / median of its point) of requests per CPU-second, of all servers at SATURATED."""
    found: list[float] = []
    for p in points_of(results.load(REFERENCE)):
        if (p.clients, p.cpus) == (SATURATED, 1):
            logs = np.log(list(p.of(CPU_SECOND).values()))
            found += list(logs - np.median(logs))
    return np.array(found)


def seconds_per_cell() -> float:
    """What a cell of the quick plan costs in all, starts and stops included."""
    times = [
        datetime.fromisoformat(c.started_utc.replace("Z", "+00:00")).timestamp()
        for c in results.load(REFERENCE).cells
    ]
    return (max(times) - min(times)) / (len(times) - 1)


def drift(chance: np.random.Generator, cells: int) -> Numbers:
    """A walk that forgets slowly: the machine is 10 % faster or slower for some minutes."""
    walk = np.zeros(cells)
    for i in range(1, cells):
        walk[i] = 0.98 * walk[i - 1] + chance.normal(0, 0.02)
    return walk


def paired_logs(
    chance: np.random.Generator, noise: Numbers, blocks: int, effect: float = 0.0,
    cells_per_block: int = 2,
) -> Numbers:
    """log(first / second) in each block; the two stand at random places of their block."""
    wander = drift(chance, blocks * cells_per_block)
    logs = np.empty(blocks)
    for block in range(blocks):
        one, other = block * cells_per_block + chance.permutation(cells_per_block)[:2]
        own = chance.choice(noise, 2)
        logs[block] = math.log1p(effect) + wander[one] - wander[other] + own[0] - own[1]
    return logs
