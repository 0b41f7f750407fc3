#!/usr/bin/python3
"""Draw every figure that a campaign has the data for, in the order in which the report shows them.

    scripts/figure_catalogue.py results/quick-20260101T120000Z

The same as all scripts/plot_*.py one after the other, in one process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import figures
import plot_all_runs
import plot_cost
import plot_differences
import plot_disk
import plot_fairness
import plot_file_size
import plot_idle_connections
import plot_latency_cdf
import plot_latency_throughput
import plot_load_scalability
import plot_offered_rate
import plot_prediction
import plot_slow_clients
import plot_system_scalability
import plot_tuning
from analysis.record import Analysis
from figures import Drawings

CATALOGUE: tuple[Callable[[Analysis], Drawings], ...] = (
    plot_load_scalability.drawings,
    plot_system_scalability.drawings,
    plot_differences.drawings,
    plot_latency_throughput.drawings,
    plot_latency_cdf.drawings,
    plot_offered_rate.drawings,
    plot_idle_connections.drawings,
    plot_slow_clients.drawings,
    plot_fairness.drawings,
    plot_file_size.drawings,
    plot_disk.drawings,
    plot_cost.drawings,
    plot_tuning.drawings,
    plot_prediction.drawings,
    plot_all_runs.drawings,
)


def drawings(analysis: Analysis) -> Drawings:
    """Every figure that can be made of this campaign, and a sentence for each that cannot."""
    return [drawing for of in CATALOGUE for drawing in of(analysis)]


if __name__ == "__main__":
    sys.exit(figures.main(__doc__, drawings))
