#!/usr/bin/python3
"""Write report.html: one page that says what a campaign found and how far it can be believed.

    scripts/report.py results/quick-20260101T120000Z

The page is one file. It loads nothing, works offline and without scripts, on paper, on a phone and
in the dark. Its sentences are made from the data; it says "cannot be told apart" where that is so.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path

import plot_load_scalability as load_figure
import plot_system_scalability as system_figure
import report_figure
import report_tables as tables
import report_text as sentences
from analyse import COMPARED, Analysis, analyse
from figure_style import percent
from results import BadData, Campaign, Parser, fatal, load

HERE = Path(__file__).resolve().parent


def page(campaign: Campaign, analysis: Analysis) -> str:
    """The whole page, in the order in which a doubtful reader asks."""
    sections = (
        ("findings", "", findings(campaign, analysis)),
        ("load", "Load scalability", load_section(campaign, analysis)),
        ("system", "System scalability", system_section(campaign, analysis)),
        ("comparison", f"Against {analysis.reference}", comparison(campaign, analysis)),
        ("gates", "Gates", gates(campaign)),
        ("warnings", "Warnings", warnings(campaign)),
        ("cells", "All cells", cells(campaign, analysis)),
        ("environment", "Where it was measured", environment(campaign)),
        ("reproduce", "How to reproduce it", reproduce(campaign, analysis)),
    )
    links = "".join(f'<a href="#{name}">{escape(title)}</a>' for name, title, _ in sections[1:])
    body = "\n".join(
        f'<section id="{name}">{f"<h2>{escape(title)}</h2>" if title else ""}\n{content}</section>'
        for name, title, content in sections
    )
    title = f"{campaign.name}: {campaign.plan['question']}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_part('report.css')}</style></head>\n<body>\n"
        f'<header><h1>{escape(campaign.plan["question"])}</h1>\n'
        f'<p class="meta">{escape(subtitle(campaign))}</p></header>\n'
        f"<nav>{links}</nav>\n<main>\n{body}\n</main>\n"
        f"<script>\n{_part('report.js')}</script>\n</body></html>\n"
    )


def _part(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def subtitle(campaign: Campaign) -> str:
    where = campaign.about["environment"]
    blocks = len({c.block for c in campaign.cells})
    parts = [
        f"Campaign {campaign.name}", f"started {campaign.about['started_utc']}",
        f"{len(campaign.cells):,} of {campaign.about['cells_total']:,} cells",
        sentences.counted(blocks, "block"), where.get("cpu_model", where["machine"]),
        sentences.counted(where["cpus"], "CPU"),
    ]
    if where.get("hypervisor"):
        parts.append("virtual machine")
    return " · ".join(parts)


def findings(campaign: Campaign, analysis: Analysis) -> str:
    lines = "".join(
        f"<li><strong>{escape(f.place)}.</strong> {escape(f.text)}</li>\n"
        for f in sentences.headline(campaign, analysis)
    )
    doubts = "".join(f"<li>{escape(s)}</li>\n" for s in sentences.caveats(campaign, analysis))
    excluded = sum(not c.usable for c in campaign.cells)
    alarm = ""
    if excluded:
        alarm = (
            f'<p class="alarm"><strong>{sentences.counted(excluded, "cell")} excluded.</strong>'
            ' Which and why: <a href="#gates">Gates</a>.</p>\n'
        )
    return (
        f'<ul class="headline">\n{lines}</ul>\n'
        f'<p class="note">{escape(sentences.brackets(campaign, analysis))}</p>\n{alarm}'
        f'<h3>How far this can be believed</h3>\n<ul class="caveats">\n{doubts}</ul>\n'
    )


def comparison(campaign: Campaign, analysis: Analysis) -> str:
    note = (
        "Geometric mean over blocks of the ratio within each block, and its"
        f" {percent(analysis.level)} bootstrap interval (below six blocks: the range). Coloured where the"
        " interval excludes 1; grey cannot be told apart or has too few blocks; † does not survive"
        " Holm's correction for all comparisons of the same rate."
    )
    made = [
        tables.ratios(campaign, analysis, workload, cpus, metric)
        for workload in campaign.workloads
        for cpus in sorted({p.cpus for p in analysis.points if p.workload == workload})
        for metric in COMPARED
    ]
    body = "\n".join(t for t in made if t)
    if not body:
        return f"<p>There is nothing to compare with {escape(analysis.reference)}.</p>"
    return f'<p class="note">{escape(note)}</p>\n<div class="beside">{body}</div>'


def load_section(campaign: Campaign, analysis: Analysis) -> str:
    parts = []
    for workload in campaign.workloads:
        wide = load_figure.draw(campaign, analysis, workload, with_caption=False)
        narrow = load_figure.draw(campaign, analysis, workload, narrow=True, with_caption=False)
        if wide is None:
            parts.append(f"<p>{escape(workload)} was run with one load only: no curve.</p>")
            continue
        caption = load_figure.caption(analysis, workload)
        parts.append(report_figure.figure(f"load-{workload}", wide, narrow, caption))
    return "\n".join([*parts, tables.load_curves(campaign, analysis)])


def system_section(campaign: Campaign, analysis: Analysis) -> str:
    parts = []
    for workload in campaign.workloads:
        clients = system_figure.rows(campaign, analysis, workload)
        wide = system_figure.draw(campaign, analysis, workload, clients, with_caption=False)
        if wide is None:
            parts.append(f"<p>{escape(workload)} was run on one number of CPUs only: no curve.</p>")
            continue
        narrow = system_figure.draw(
            campaign, analysis, workload, clients, narrow=True, with_caption=False
        )
        caption = system_figure.caption(analysis, workload, clients)
        parts.append(report_figure.figure(f"system-{workload}", wide, narrow, caption))
    return "\n".join([*parts, tables.system_steps(campaign, analysis)])


def gates(campaign: Campaign) -> str:
    excluded = tables.excluded(campaign)
    parts = [tables.gate_counts(campaign)]
    if excluded:
        parts.append(f"<h3>Excluded cells</h3>{excluded}")
    else:
        parts.append("<p>No cell is excluded.</p>")
    for title, content in (
        ("Labelled cells: the numbers are right, these gates say what they are numbers of",
         tables.labelled(campaign)),
        ("Gates that could not be decided", tables.unknown(campaign)),
    ):
        if content:
            parts.append(f"<details><summary>{title}</summary>{content}</details>")
    return "\n".join(parts)


def warnings(campaign: Campaign) -> str:
    return tables.warnings(campaign) or "<p>No cell carries a warning.</p>"


def cells(campaign: Campaign, analysis: Analysis) -> str:
    return (
        '<p class="note">One row for each point: medians over its usable cells, with intervals.'
        " A click on a head sorts.</p>\n"
        + tables.points(campaign, analysis)
        + f"<details><summary>Every single cell ({len(campaign.cells):,}), as they ran</summary>\n"
        + tables.every_cell(campaign)
        + "</details>"
    )


def environment(campaign: Campaign) -> str:
    about = campaign.about
    parts = [tables.table(("<machine", "<"), tables.pairs(about["environment"]))]
    doctor = [
        [
            tables.text(d["name"]), tables.text(d["verdict"], "" if d["verdict"] == "ok" else "fail"),
            tables.text(d["found"], "long"),
            tables.text(" ".join(d[k] for k in ("why", "advice") if k in d), "long"),
        ]
        for d in about.get("doctor", ())
    ]
    if doctor:
        heads = ("<doctor", "verdict", "<found", "<what it spoils, what to do")
        parts.append(f"<h3>What archbench doctor found</h3>{tables.table(heads, doctor)}")
    provenance = tables.table(("<provenance", "<"), tables.pairs(about["provenance"]))
    return "\n".join([*parts, f"<h3>Programs</h3>{provenance}"])


def reproduce(campaign: Campaign, analysis: Analysis) -> str:
    about = campaign.about
    commit = about["provenance"].get("commit")
    lines = [f"git checkout {commit}"] if commit else []
    lines += ["scripts/setup", "cmake --preset release && cmake --build --preset release"]
    lines.append(shlex.join(about["command"]))
    lines.append("scripts/report.py DIR    # the folder that archbench run has named")
    example = campaign.cells[0]
    dirty = about["provenance"].get("dirty")
    doubt = "<p>The tree held uncommitted changes; the commit alone is not enough.</p>" if dirty else ""
    return (
        f"<pre>{escape(chr(10).join(lines))}</pre>\n{doubt}"
        f"<p>Order of cells: seed {about['seed']}. Bootstrap: seed {analysis.bootstrap_seed},"
        f" {analysis.bootstrap_resamples:,} resamples. cells.jsonl: SHA-256"
        f" <code>{analysis.cells_sha256}</code>.</p>\n"
        "<details><summary>The plan, and the command lines of the first cell</summary>"
        f"{tables.table(('<plan', '<'), tables.pairs(campaign.plan))}"
        f"{tables.table(('<first cell', '<'), tables.pairs(example.provenance))}</details>"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(__doc__)
    parser.add_argument("-o", "--output", type=Path, help="file (default: DIR/report.html)")
    options = parser.parse_args(arguments)
    try:
        campaign = load(options.campaign)
    except BadData as error:
        fatal(error)
    output = options.output or campaign.directory / "report.html"
    output.write_text(page(campaign, analyse(campaign)), encoding="utf-8")
    print(output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
