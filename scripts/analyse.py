#!/usr/bin/python3
"""Turn a campaign into analysis.json: every number that the figures and the report show.

    scripts/analyse.py results/quick-20260101T120000Z

Points (median over blocks with its interval), load curves (peak, plateau, retention, half-decay),
system curves (efficiency over CPUs), the Universal Scalability Law or why it cannot be fitted,
capacity at an objective, fairness, merged latencies, ratios to a reference paired within blocks, the
noise floor seen between A/A twins and the smallest effect that could be seen. Cells whose gates
failed are counted and never averaged. The same cells give the same bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.capacity import Objective
from analysis.record import analyse, as_json
from results import BadData, Parser, fatal, load


def main(arguments: Sequence[str] | None = None) -> int:
    usual = Objective()
    parser = Parser(__doc__)
    parser.add_argument("-o", "--output", type=Path, help="file (default: DIR/analysis.json)")
    parser.add_argument("--reference", metavar="LABEL", help="label to compare with (default: edsm)")
    parser.add_argument(
        "--served-share", type=float, default=usual.served_share, metavar="SHARE",
        help="capacity: this share of the clients ... (default: %(default)s)",
    )
    parser.add_argument(
        "--rate", type=float, default=usual.rate_rps, metavar="RPS",
        help="... gets at least so many answers a second ... (default: %(default)s)",
    )
    parser.add_argument(
        "--p99", type=float, default=usual.latency_us_p99, metavar="US",
        help="... with a 99th percentile of at most so many microseconds (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    objective = Objective(options.served_share, options.rate, options.p99)
    try:
        campaign = load(options.campaign)
        if options.reference is not None and options.reference not in campaign.labels:
            parser.error(
                f"--reference '{options.reference}' is none of {', '.join(campaign.labels)}"
            )
        text = as_json(analyse(campaign, options.reference, objective))
    except BadData as error:
        fatal(error)
    output = options.output or campaign.directory / "analysis.json"
    output.write_text(text, encoding="utf-8")
    print(output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
