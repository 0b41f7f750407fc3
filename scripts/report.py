#!/usr/bin/python3
"""Write report.html: one page that says what a campaign found and how far it can be believed.

    scripts/report.py results/quick-20260101T120000Z

The page is one file. It loads nothing, works offline and without scripts, on paper, on a phone and
in the dark. With scripts its figures and tables can be filtered, zoomed and sorted, and every cell
shows the line that the harness wrote. Its sentences are made from the data; it says "cannot be told
apart" where that is so.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path

import figure_catalogue
import report_sections as sections
import sentences
from analysis.record import Analysis, load_analysis
from figures import Absent
from report_raw import raw_cells
from results import BadData, Campaign, Parser, fatal, load

HERE = Path(__file__).resolve().parent


def page(campaign: Campaign, analysis: Analysis) -> str:
    """The whole page, in the order in which a doubtful reader asks."""
    drawings = figure_catalogue.drawings(analysis)
    parts = [
        ("findings", "", sections.findings(analysis)),
        ("verdicts", "Claims judged", sections.verdicts(campaign.directory)),
        *sections.figure_sections(drawings),
        ("comparison", f"Against {analysis.reference}", sections.comparison(analysis)),
        ("curves", "Curves in numbers", sections.curves(analysis)),
        ("gates", "Gates", sections.gates(campaign)),
        ("warnings", "Warnings", sections.warnings(campaign)),
        ("cells", "All cells", sections.cells(campaign, analysis)),
        ("absent", "Figures that need other data",
         sections.absent([d for d in drawings if isinstance(d, Absent)])),
        ("environment", "Where it was measured", sections.environment(campaign)),
        ("reproduce", "Run this yourself", sections.reproduce(campaign, analysis)),
    ]
    shown = [part for part in parts if part[2]]
    links = "".join(f'<a href="#{name}">{escape(title)}</a>' for name, title, _ in shown[1:])
    body = "\n".join(
        f'<section id="{name}">{f"<h2>{escape(title)}</h2>" if title else ""}\n{content}</section>'
        for name, title, content in shown
    )
    title = f"{campaign.name}: {analysis.question}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_part('report.css')}</style></head>\n<body>\n"
        f"<header><h1>{escape(analysis.question)}</h1>\n"
        f'<p class="meta">{escape(subtitle(campaign))}</p></header>\n'
        f"<nav>{links}</nav>\n{sections.filters(analysis)}<main>\n{body}\n</main>\n"
        f"{raw_cells(campaign)}<script>\n{_part('report.js')}</script>\n</body></html>\n"
    )


def _part(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def subtitle(campaign: Campaign) -> str:
    """Which campaign this is and where it ran, in one line."""
    where = campaign.about["environment"]
    blocks = len({c.block for c in campaign.cells})
    parts = [
        f"Campaign {campaign.name}", f"started {campaign.about['started_utc']}",
        sentences.counted(len(campaign.cells), "cell")
        + (f", {campaign.missing:,} to come" if campaign.missing else ""),
        sentences.counted(blocks, "block"), where.get("cpu_model", where["machine"]),
        sentences.counted(where["cpus"], "CPU"),
    ]
    if where.get("hypervisor"):
        parts.append("virtual machine")
    return " · ".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(__doc__)
    parser.add_argument("-o", "--output", type=Path, help="file (default: DIR/report.html)")
    options = parser.parse_args(arguments)
    try:
        campaign = load(options.campaign)
        text = page(campaign, load_analysis(options.campaign))
    except BadData as error:
        fatal(error)
    output = options.output or campaign.directory / "report.html"
    output.write_text(text, encoding="utf-8")
    print(output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
