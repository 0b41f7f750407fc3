"""A small, shared machine to simulate: the noise is what this project's machine made.

Each cell's log-rate is the truth, plus a drift that wanders through the campaign, plus a residual
drawn from real ones: heavy-tailed, with a neighbour that takes 20 % every sixth cell or so.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

# log(cell / median of its point) of requests per CPU-second, of four servers at 64 clients on one
# CPU: the cells of a quick campaign on a virtual machine with two CPUs and nothing else running.
# Kept here, so that a reference measured anew does not decide whether the method passes.
RESIDUALS = np.array([
    -0.1329, 0.0641, -0.0137, 0.0315, 0.0137, -0.1109, -0.0031, 0.0031, 0.0062, -0.2032, 0.019, -0.0387,
    0.0248, 0.0439, -0.0248, -0.2572, 0.032, -0.0251, 0.0184, 0.0664, -0.1918, -0.0178, -0.1936, 0.0178,
])
# What a cell of that campaign cost in all, starts and stops included.
SECONDS_PER_CELL = 1.83


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
