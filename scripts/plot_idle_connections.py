#!/usr/bin/python3
"""Draw the effect of idle connections held beside the active clients.

Left: throughput of the active clients. Right: requests per second of CPU time that the server used. A
perfect server does not notice who is silent; select and poll look at everybody each time.

    scripts/plot_idle_connections.py results/idle-20260101T120000Z -o /tmp/figures
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
    title="Idle connections",
    stem="idle_connections",
    quantity="idle_clients",
    axis="idle connections beside the clients",
    shown=rate,
    panels=(
        Panel(WALL_CLOCK, "Throughput of the active", "requests per second"),
        Panel(CPU_SECOND, "Work per CPU time", "requests per server CPU-second"),
    ),
    remark="",
    missing="no two workloads differ in the number of idle connections only.",
)
drawings = functools.partial(over_quantity.drawings, question=QUESTION)


if __name__ == "__main__":
    sys.exit(figures.main(__doc__, drawings))
