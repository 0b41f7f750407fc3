"""The sections of the report. Every function returns HTML, empty when there is nothing to show."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from html import escape
from pathlib import Path

import report_gates
import report_html as html
import report_tables as tables
import sentences
from analysis.hypotheses import REFUTED, SUPPORTED, UNDECIDED, Verdicts
from analysis.points import COMPARED
from analysis.record import Analysis, from_json
from figure_style import LINE
from figures import Absent, Drawing, Drawings
from numbers_as_text import percent
from report_figure import figure
from results import CELLS, PACKED_CELLS, Campaign


# What a first screen has room for: the plan's own question at both ends of its load, and over CPUs.
FIRST_FINDINGS = 5


def findings(analysis: Analysis) -> str:
    found = [
        f"<li><strong>{escape(f.place)}.</strong> {escape(f.text)}</li>\n"
        for f in sentences.headline(analysis)
    ]
    lines, rest = "".join(found[:FIRST_FINDINGS]), found[FIRST_FINDINGS:]
    more = f"{len(rest)} more: every other workload and load" if rest else ""
    further = (
        f'<details><summary>{more}</summary>\n<ul class="findings">\n{"".join(rest)}</ul>\n</details>\n'
        if rest else ""
    )
    doubts = "".join(f"<li>{escape(s)}</li>\n" for s in sentences.caveats(analysis))
    excluded = sum(p.excluded for p in analysis.points)
    alarm = ""
    if excluded:
        alarm = (
            f'<p class="alarm"><strong>{sentences.counted(excluded, "cell")} excluded.</strong>'
            ' Which and why: <a href="#gates">Gates</a>.</p>\n'
        )
    return (
        f'<ul class="headline">\n{lines}</ul>\n{further}'
        f'<p class="note">{escape(sentences.brackets(analysis))}</p>\n{alarm}'
        f'<h3>How far this can be believed</h3>\n<ul class="caveats">\n{doubts}</ul>\n'
    )


def filters(analysis: Analysis) -> str:
    """What hides and shows architectures and workloads. Hidden itself until the script is there."""
    kinds = dict.fromkeys(label.architecture for label in analysis.labels)
    buttons = "".join(
        f'<button type="button" aria-pressed="true" data-toggle="{kind}">'
        f'<span class="swatch" style="background:var(--fig-line-{kind}, {LINE[kind]})"></span>'
        f"{kind}</button>"
        for kind in kinds
    )
    choices = "".join(f"<option>{escape(w.name)}</option>" for w in analysis.workloads)
    one = len(analysis.workloads) == 1
    chooser = "" if one else (
        f'<label>workload <select><option value="">all</option>{choices}</select></label>'
    )
    return f'<div class="filters" hidden><span>Show</span>{buttons}{chooser}</div>\n'


def figure_sections(drawings: Drawings) -> list[tuple[str, str, str]]:
    """(name, title, content) for each title, in the order of the catalogue."""
    found: dict[str, list[Drawing]] = {}
    for drawing in drawings:
        if isinstance(drawing, Drawing):
            found.setdefault(drawing.title, []).append(drawing)
    return [
        # Of several figures each says above it which workload it shows.
        (title.lower().replace(" ", "-"), title,
         "\n".join(figure(d, d.workload if len(own) > 1 else "") for d in own))
        for title, own in found.items()
    ]


def absent(missing: Sequence[Absent]) -> str:
    return (
        '<ul class="reasons">'
        + "".join(f"<li>{escape(m.title)}: {escape(m.reason)}</li>\n" for m in missing)
        + "</ul>"
        if missing
        else ""
    )


def comparison(analysis: Analysis) -> str:
    note = (
        "Pseudomedian over blocks of the ratio within each block, and its exact"
        f" {percent(analysis.level)} signed-rank interval (below six blocks: the range). Coloured where"
        " the interval excludes 1; grey cannot be told apart or has too few blocks; † does not"
        " survive Holm's correction for all comparisons of the same rate."
    )
    made = [
        tables.ratios(analysis, workload.name, cpus, metric)
        for workload in analysis.workloads
        for cpus in sorted({p.cpus for p in analysis.points if p.workload == workload.name})
        for metric in COMPARED
    ]
    body = "\n".join(t for t in made if t)
    if not body:
        return f"<p>There is nothing to compare with {escape(analysis.reference)}.</p>"
    return f'<p class="note">{escape(note)}</p>\n<div class="beside">{body}</div>'


def curves(analysis: Analysis) -> str:
    wanted = analysis.objective
    objective = (
        f"Capacity: the most clients of which {percent(wanted.served_share)} get at least"
        f" {wanted.rate_rps:g} answers a second each, 99 % of these within"
        f" {wanted.latency_us_p99 / 1000:g} ms, at every load up to there that was run."
    )
    parts = [
        ("Over clients", "", tables.load_curves(analysis)),
        ("Over CPUs", "", tables.system_steps(analysis)),
        ("Capacity", objective, tables.capacities(analysis)),
        ("Universal Scalability Law", "X(N) = g N / (1 + s (N − 1) + k N (N − 1))",
         tables.laws(analysis)),
    ]
    return "\n".join(
        f"<h3>{title}</h3>" + (f'<p class="note">{escape(note)}</p>' if note else "") + content
        for title, note, content in parts
        if content
    )


def gates(campaign: Campaign) -> str:
    excluded = report_gates.excluded(campaign)
    parts = [report_gates.gate_counts(campaign)]
    if excluded:
        parts.append(f"<h3>Excluded cells</h3>{excluded}")
    else:
        parts.append("<p>No cell is excluded.</p>")
    for title, content in (
        ("Labelled cells: the numbers are right, these gates say what they are numbers of",
         report_gates.labelled(campaign)),
        ("Gates that could not be decided", report_gates.unknown(campaign)),
    ):
        if content:
            parts.append(f"<details><summary>{title}</summary>{content}</details>")
    return "\n".join(parts)


def warnings(campaign: Campaign) -> str:
    return report_gates.warnings(campaign) or "<p>No cell carries a warning.</p>"


def cells(campaign: Campaign, analysis: Analysis) -> str:
    file = PACKED_CELLS if (campaign.directory / PACKED_CELLS).is_file() else CELLS
    return (
        '<p class="note">One row for each point: medians over its usable cells, with intervals.'
        " A click on a head sorts.</p>\n"
        + tables.points(analysis)
        + f"<details><summary>Every single cell ({len(campaign.cells):,}), as they ran</summary>\n"
        '<p class="note">The number in front is the cell\'s line in'
        f' <a href="{file}">{file}</a>; a click on it shows the line.</p>\n'
        + tables.every_cell(analysis, campaign)
        + "</details>"
    )


def environment(campaign: Campaign) -> str:
    about = campaign.about
    parts = [html.table(("<machine", "<"), report_gates.pairs(about["environment"]))]
    doctor = [
        [
            html.text(d["name"]), html.text(d["verdict"], "" if d["verdict"] == "ok" else "fail"),
            html.text(d["found"], "long"),
            html.text(" ".join(d[k] for k in ("why", "advice") if k in d), "long"),
        ]
        for d in about.get("doctor", ())
    ]
    if doctor:
        heads = ("<doctor", "verdict", "<found", "<what it spoils, what to do")
        parts.append(f"<h3>What archbench doctor found</h3>{html.table(heads, doctor)}")
    provenance = html.table(("<provenance", "<"), report_gates.pairs(about["provenance"]))
    return "\n".join([*parts, f"<h3>Programs</h3>{provenance}"])


def reproduce(campaign: Campaign, analysis: Analysis) -> str:
    about = campaign.about
    lines = [f"git checkout {analysis.commit}"] if analysis.commit else []
    lines += ["scripts/setup", "cmake --preset release && cmake --build --preset release"]
    lines.append(shlex.join(about["command"]))
    lines.append("scripts/report.py DIR    # the folder that archbench run has named")
    example = campaign.cells[0]
    doubt = ""
    if analysis.dirty:
        doubt = "<p>The tree held uncommitted changes; the commit alone is not enough.</p>"
    return (
        f"<pre>{escape(chr(10).join(lines))}</pre>\n{doubt}"
        f"<p>Order of cells: seed {about['seed']}. Bootstrap: seed {analysis.bootstrap_seed},"
        f" {analysis.bootstrap_resamples:,} resamples. cells.jsonl: SHA-256"
        f" <code>{analysis.cells_sha256}</code>.</p>\n"
        "<details><summary>The plan, and the command lines of the first cell</summary>"
        f"{html.table(('<plan', '<'), report_gates.pairs(campaign.plan))}"
        f"{html.table(('<first cell', '<'), report_gates.pairs(example.provenance))}</details>"
    )


def verdicts(directory: Path) -> str:
    """The verdicts that `scripts/verdicts` left in the campaign; empty when it did not."""
    path = directory / "verdicts.json"
    if not path.is_file():
        return ""
    found = from_json(Verdicts, path.read_text(encoding="utf-8"))
    kinds = {SUPPORTED: ("supported", "ahead"), REFUTED: ("refuted", "behind")}
    items = []
    for v in found.verdicts:
        kind, colour = kinds.get(v.verdict, ("", "same"))
        decider = f". Could decide: {v.decider}." if v.verdict == UNDECIDED else ""
        items.append(
            f'<li class="{kind}"><strong>{escape(v.id)}</strong> <span class="{colour}">'
            f"{escape(v.verdict)}</span>: {escape(v.claim)}<p>{escape(v.because + decider)}</p></li>\n"
        )
    note = f"Thresholds were registered before. {found.registered} By: {', '.join(found.campaigns)}."
    return f'<p class="note">{escape(note)}</p><ul class="verdicts">{"".join(items)}</ul>'
