#!/usr/bin/python3
"""Draw what happens when more is offered than a server can do.

Left: answers per second over the offered rate, with the line on which everything is answered. Right:
the 99th percentile of latency from when a request was due. A good server keeps its rate beyond its
capacity; a bad one spends itself on what it cannot finish.

    scripts/plot_offered_rate.py results/overload-20260101T120000Z -o /tmp/figures
"""

from __future__ import annotations

import functools
import sys

import figures
import over_quantity
from analysis.points import WALL_CLOCK
from numbers_as_text import rate
from over_quantity import Panel, Question

QUESTION = Question(
    title="Offered rate",
    stem="offered_rate",
    quantity="offered_rps",
    axis="requests offered per second",
    shown=rate,
    panels=(
        Panel(WALL_CLOCK, "Throughput", "answers per second", ideal=True),
        Panel(
            "latency_intended_us_p99", "99th percentile from due time", "latency", is_latency=True,
            why_missing="more than one request in a hundred had no answer when the run ended",
        ),
    ),
    remark="Dotted: everything offered is answered. ",
    missing="it has no open load (a workload with several `rates`).",
)
drawings = functools.partial(over_quantity.drawings, question=QUESTION)


if __name__ == "__main__":
    sys.exit(figures.main(__doc__, drawings))
