#!/usr/bin/python3
"""Predict what this machine cannot measure: many CPUs, a million clients. Prediction, not measurement.

    scripts/model results/reference/full              -> DIR/model.json, and a summary here
    scripts/model results/reference/full --memory 256

From the campaign's cells come the CPU time of a request over clients, the memory of a connection, and
what a second CPU costs; from these, by bounds of operational analysis, curves to 1,000,000 clients
and 128 CPUs. Points that the prediction never saw say how far off it is, in kinds that
scripts/analysis/held_out.py explains; the last line is a server measured twice, which nothing can beat.
What it cannot know stands in scripts/analysis/prediction.py. The figure is drawn by
scripts/plot_prediction.py; it is part of the report and of the paper.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.held_out import GOOD
from analysis.model import CLIENTS_FOR_EACH_CPU, MEMORY_BYTES, Model, model
from analysis.record import as_json, load_analysis
from numbers_as_text import percent, rate, size
from results import BadData, Parser, fatal


def told(made: Model) -> list[str]:
    """The model for a terminal."""
    lines = [f"{made.labelled} From campaign {made.campaign}, workload {made.workload}.", ""]
    limits = {limit.label: limit for limit in made.limits}
    for c in made.calibrations:
        curve = {p.cpus: p.rps for p in made.curves if (p.axis, p.label) == ("cpus", c.label)}
        most = max(curve)
        shared = "unknown, taken as 0"
        if c.sharing_known:
            shared = f"{c.sharing.value:.3f} ({c.sharing.low:.3f} to {c.sharing.high:.3f})"
        lines.append(
            f"{c.label:<16} {most} CPUs at {CLIENTS_FOR_EACH_CPU} clients each: {rate(curve[most].value)}"
            f" requests/s ({rate(curve[most].low)} to {rate(curve[most].high)}); serial share {shared}"
        )
        if c.label in limits:
            limit = limits[c.label]
            lines.append(f"{'':<16} {limit.clients:,} connections fit into {size(limit.memory_bytes)}")
    lines += ["", "CPU time of a request at points predicted without having been seen:"]
    for a in made.accuracies:
        lines.append(
            f"{a.kind:<22} {a.within} of {a.points} within {percent(GOOD)}; median error"
            f" {percent(a.median_error, 1)}, worst {percent(a.worst_error, 1)}"
            + ("" if a.median_rps_error is None else f"; of the throughput {percent(a.median_rps_error, 1)}")
        )
    if not made.accuracies:
        lines.append("none: the campaign has no point that the others could predict")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(__doc__, prog="scripts/model")
    parser.add_argument("-o", "--output", type=Path, help="file (default: DIR/model.json)")
    parser.add_argument(
        "--memory", type=float, default=MEMORY_BYTES / (1 << 30), metavar="GIB",
        help="memory for connections, in GiB (default: %(default)g)",
    )
    options = parser.parse_args(arguments)
    try:
        analysis = load_analysis(options.campaign)
    except BadData as error:
        fatal(error)
    made = model(analysis, options.memory * (1 << 30))
    if made is None:
        fatal(f"{options.campaign} has no server under two busy loads: there is nothing to predict from")
    output = options.output or options.campaign / "model.json"
    output.write_text(as_json(made), encoding="utf-8")
    print("\n".join(told(made)))
    print(output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
