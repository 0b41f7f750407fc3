#!/usr/bin/python3
"""Judge the claims of paper/hypotheses.json, which were registered before the data.

    scripts/verdicts results/reference/full results/reference/claims

Prints one line for each claim and writes verdicts.json into the first folder: supported, refuted or
undecided here, each with the effect, its 95 % interval and the cells behind it, and, where this
machine cannot decide, the machine that could. Each claim names the plan whose campaigns judge it; where
none of these is given, all that are given do.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.evidence import gather, missing
from analysis.hypotheses import UNDECIDED, Verdict, Verdicts, judge, judge_part
from analysis.intervals import LEVEL
from analysis.record import Analysis, as_json, load_analysis
from results import BadData, Parser, check, fatal

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = "archbench.verdicts/1"


def verdicts(registered: dict[str, Any], analyses: Sequence[Analysis], root: Path) -> Verdicts:
    """Every registered claim, judged by these campaigns and by the source tree at `root`."""
    workload = registered["workload"]
    judged = []
    for hypothesis in registered["hypotheses"]:
        of_plan = [a for a in analyses if a.campaign == hypothesis.get("plan")]
        parts = [
            judge_part(
                part, gather(part["statistic"], workload, of_plan or analyses, root),
                missing(part["statistic"]),
            )
            for part in hypothesis["parts"]
        ]
        judged.append(judge(hypothesis, parts))
    names = tuple(f"{a.campaign} {a.started_utc}" for a in analyses)
    return Verdicts(SCHEMA, registered["registered"], LEVEL, names, tuple(judged))


def read_registered(path: Path) -> dict[str, Any]:
    """The registered claims, checked. Raises BadData."""
    try:
        registered = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadData(f"{path} cannot be read: {error}") from error
    check(registered, "hypotheses", str(path))
    assert isinstance(registered, dict)  # the schema says so
    return registered


def told(verdict: Verdict) -> str:
    """One claim for a terminal."""
    lines = [f"{verdict.id:<4} {verdict.verdict:<14} {verdict.claim}", verdict.because]
    if verdict.verdict == UNDECIDED:
        lines.append(f"could decide: {verdict.decider}")
    indent = " " * 20
    return "\n".join(
        textwrap.fill(line, 100, initial_indent=indent * (place > 0), subsequent_indent=indent)
        for place, line in enumerate(lines)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(__doc__, several=True, prog="scripts/verdicts")
    parser.add_argument(
        "--hypotheses", type=Path, default=ROOT / "paper" / "hypotheses.json",
        metavar="FILE", help="the registered claims (default: paper/hypotheses.json)",
    )
    parser.add_argument("-o", "--output", type=Path, help="file (default: first DIR/verdicts.json)")
    options = parser.parse_args(arguments)
    try:
        registered = read_registered(options.hypotheses)
        analyses = [load_analysis(directory) for directory in options.campaigns]
    except BadData as error:
        fatal(error)
    found = verdicts(registered, analyses, ROOT)
    output = options.output or options.campaigns[0] / "verdicts.json"
    output.write_text(as_json(found), encoding="utf-8")
    for verdict in found.verdicts:
        print(told(verdict))
    print(output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
