"""The Universal Scalability Law, X(N) = g N / (1 + s (N - 1) + k N (N - 1)), or why it cannot be fitted.

Gunther, "Guerrilla Capacity Planning" (2007). Three unknowns need at least three loads: with fewer,
nothing is fitted and the reason is given. On the axis of clients a server whose CPU is full stops
growing after a handful of clients; `s` is then saturation and says nothing about locks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.bootstrap import intervals, resamples
from analysis.intervals import ENOUGH_BLOCKS
from analysis.paired import Blocks
from analysis.points import WALL_CLOCK, Point
from analysis.signed_rank import Numbers

UNKNOWNS = 3
# A law that is this far off its own points describes another curve; its parameters are then only a
# summary. Noise of medians over six blocks stays below.
POOR_FIT = 0.1
# More than any curve here needed (about 40); rows that have converged cost nothing but time.
STEPS = 120


@dataclass(frozen=True)
class Estimate:
    """A parameter with its 95 % bootstrap interval; without one when the blocks are too few."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Usl:
    """The law for one curve. Without `gain` it is not identifiable and `reason` says why."""

    label: str
    workload: str
    axis: str  # clients or cpus
    fixed: int  # the number of the other kind
    reason: str  # why not identifiable; else what the parameters must not be taken for
    gain: Estimate | None  # requests per second of one client or CPU alone
    contention: Estimate | None  # s, the serial share
    coherence: Estimate | None  # k, the cost of each pair agreeing
    peak_at: float | None  # N at which the law is highest; None when it never falls
    misfit: float | None  # root mean square of log(measured / law), of the geometric means


def fit(loads: Sequence[float], logs: Numbers) -> Numbers:
    """Rows of (g, s, k) with s, k >= 0, one for each row of `logs`, the log-rates at `loads`.

    Non-linear least squares on logarithms, because noise on a rate is a factor; it gives a slow start
    and a fast peak the same weight. log g enters linearly and drops out when residuals are centred,
    so two unknowns remain: Levenberg-Marquardt, in which an unknown at its bound that would leave
    the allowed side stands still. All rows at once, because the bootstrap asks for hundreds.
    """
    n = np.array(loads, dtype=float)
    # In these units both unknowns halve the rate at the largest load when they are 1.
    scale = np.array([1 / n.max(), 1 / n.max() ** 2])
    basis = np.stack([(n - 1) * scale[0], n * (n - 1) * scale[1]])  # of s and k
    offset = logs - np.log(n)

    def residuals(u: Numbers) -> Numbers:
        r: Numbers = offset + np.log1p(u @ basis)
        centred: Numbers = r - r.mean(axis=1, keepdims=True)
        return centred

    u = np.tile(np.array([1.0, 0.1]), (len(logs), 1))
    error = (residuals(u) ** 2).sum(axis=1)
    damping = np.full(len(logs), 1e-3)
    for _ in range(STEPS):
        slope = basis[None] / (1 + u @ basis)[:, None]
        slope = slope - slope.mean(axis=2, keepdims=True)
        gradient = np.einsum("rpn,rn->rp", slope, residuals(u))
        still = (u <= 0) & (gradient >= 0)
        slope = np.where(still[:, :, None], 0.0, slope)
        normal = np.einsum("rpn,rqn->rpq", slope, slope)
        for place in (0, 1):
            normal[:, place, place] *= 1 + damping
            normal[:, place, place] += np.where(still[:, place], 1.0, 1e-300)
        step = np.linalg.solve(normal, np.where(still, 0.0, gradient)[:, :, None])[:, :, 0]
        moved = np.maximum(u - step, 0.0)
        new_error = (residuals(moved) ** 2).sum(axis=1)
        better = new_error < error
        u = np.where(better[:, None], moved, u)
        error = np.where(better, new_error, error)
        damping = np.clip(np.where(better, damping / 4, damping * 4), 1e-12, 1e12)
        if np.all(damping >= 1e12):  # no row has improved for long
            break
    log_gain = (offset + np.log1p(u @ basis)).mean(axis=1)
    found: Numbers = np.column_stack([np.exp(log_gain), u * scale])
    return found


def law(n: float, g: float, s: float, k: float) -> float:
    """X(N)."""
    return g * n / (1 + s * (n - 1) + k * n * (n - 1))


def of_curve(
    label: str, workload: str, axis: str, fixed: int, loads: Mapping[int, Blocks]
) -> Usl:
    """The law through `loads`: values by block for each N."""
    what = "CPUs" if axis == "cpus" else "clients"
    if len(loads) < UNKNOWNS:
        points = {1: "one point does", 2: "two points do"}.get(len(loads), "no point does")
        reason = f"not identifiable: {points} not determine three unknowns"
        return Usl(label, workload, axis, fixed, reason, None, None, None, None, None)
    blocks = sorted(set.intersection(*(set(v) for v in loads.values())))
    ordered = sorted(loads)
    if not blocks:
        reason = f"not identifiable: no block has a usable cell at every number of {what}"
        return Usl(label, workload, axis, fixed, reason, None, None, None, None, None)
    logs = np.log([[loads[n][b] for n in ordered] for b in blocks])
    means = logs.mean(axis=0)
    g, s, k = (float(v) for v in fit(ordered, means[None])[0])
    misfit = math.sqrt(
        float(np.mean([(m - math.log(law(n, g, s, k))) ** 2 for n, m in zip(ordered, means)]))
    )
    bands: list[tuple[float | None, float | None]] = [(None, None)] * UNKNOWNS
    if len(blocks) >= ENOUGH_BLOCKS:
        drawn = resamples(len(blocks), f"usl/{axis}/{workload}/{label}/{fixed}")
        bands = [*intervals(fit(ordered, logs[drawn].mean(axis=1)), len(blocks))]
    peak = math.sqrt((1 - s) / k) if k > 0 and s < 1 else None
    gain, contention, coherence = (
        Estimate(value, low, high) for value, (low, high) in zip((g, s, k), bands)
    )
    reason = "s is saturation of the CPUs, not contention" if axis == "clients" else ""
    if misfit > POOR_FIT:
        reason += f"{'; ' if reason else ''}the law misses this curve by {100 * misfit:.0f} %"
    return Usl(
        label, workload, axis, fixed, reason, gain, contention, coherence, peak, misfit
    )


def laws(points: Sequence[Point]) -> tuple[Usl, ...]:
    """The law of throughput over clients, and over CPUs, for each label that varies them."""
    found = []
    for axis in ("clients", "cpus"):
        curves: dict[tuple[str, str, int], dict[int, Blocks]] = {}
        for p in points:
            n, fixed = (p.clients, p.cpus) if axis == "clients" else (p.cpus, p.clients)
            if p.of(WALL_CLOCK):
                curves.setdefault((p.workload, p.label, fixed), {})[n] = p.of(WALL_CLOCK)
        found += [
            of_curve(label, workload, axis, fixed, loads)
            for (workload, label, fixed), loads in curves.items()
            if len(loads) > 1
        ]
    return tuple(found)
