#!/usr/bin/python3
"""Draw the effect of slow clients, which read their answers over seconds, beside the active ones.

Left: throughput of the active clients. Right: requests per second of CPU time that the server used. A
server with a worker for each connection gives each slow client a worker to hold; a pool runs out.

    scripts/plot_slow_clients.py results/slow-clients-20260101T120000Z -o /tmp/figures
"""

from __future__ import annotations

import functools
import sys

import figures
import over_quantity
from analysis.points import CPU_SECOND, WALL_CLOCK
from numbers_as_text import rate
from over_quantity import Panel, Question

QUESTION = Question(
    title="Slow clients",
    stem="slow_clients",
    quantity="slow_clients",
    axis="slow clients beside the others",
    shown=rate,
    panels=(
        Panel(WALL_CLOCK, "Throughput of the active", "requests per second"),
        Panel(CPU_SECOND, "Work per CPU time", "requests per server CPU-second"),
    ),
    remark="",
    missing="no two workloads differ in the number of slow clients only.",
)
drawings = functools.partial(over_quantity.drawings, question=QUESTION)


if __name__ == "__main__":
    sys.exit(figures.main(__doc__, drawings))
