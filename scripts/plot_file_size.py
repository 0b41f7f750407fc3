#!/usr/bin/python3
"""Draw the effect of the response's size: where copying bytes outweighs the architecture.

Left: throughput. Right: requests per second of CPU time that the server used. With small responses a
server's architecture is its cost; with large ones the kernel's copying is everybody's.

    scripts/plot_file_size.py results/sizes-20260101T120000Z -o /tmp/figures
"""

from __future__ import annotations

import functools
import sys

import figures
import over_quantity
from analysis.points import CPU_SECOND, WALL_CLOCK
from numbers_as_text import size
from over_quantity import Panel, Question

QUESTION = Question(
    title="Response size",
    stem="file_size",
    quantity="response_bytes",
    axis="bytes in a response",
    shown=size,
    panels=(
        Panel(WALL_CLOCK, "Throughput", "requests per second"),
        Panel(CPU_SECOND, "Work per CPU time", "requests per server CPU-second"),
    ),
    remark="",
    missing="no two workloads differ in the size of the response only.",
)
drawings = functools.partial(over_quantity.drawings, question=QUESTION)


if __name__ == "__main__":
    sys.exit(figures.main(__doc__, drawings))
