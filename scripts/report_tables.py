"""The tables of the report. Every function returns HTML; every text from a file is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from analyse import CPU_SECOND, WALL_CLOCK, Analysis, Comparison, Point
from figure_style import LINE, percent, rate
from report_text import UNIT, counted, factor, interval, shares
from results import Campaign, Cell
from statistics_of_blocks import Interval


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """`heads` are plain text, `rows` whole <td> elements. A head that begins with < is on the left."""
    head = "".join(
        f'<th scope="col" class="text">{escape(h[1:])}</th>'
        if h.startswith("<")
        else f'<th scope="col">{escape(h)}</th>'
        for h in heads
    )
    body = "".join("<tr>" + "".join(row) + "</tr>\n" for row in rows)
    return (
        f'<div class="scroll"><table class="{kind}"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )


def text(value: object, kind: str = "text") -> str:
    return f'<td class="{kind}">{escape(str(value))}</td>'


def number(value: float | None, shown: str | None = None) -> str:
    """A cell that sorts by `value`; a dash for what was not measured."""
    if value is None:
        return "<td>–</td>"
    return f'<td data-value="{value:.9g}">{escape(shown if shown is not None else rate(value))}</td>'


def named(campaign: Campaign, label: str) -> str:
    """A label beside its architecture's colour."""
    kind = next(c.architecture for c in campaign.cells if c.label == label)
    colour = f"var(--fig-line-{kind}, {LINE[kind]})"
    return (
        f'<td class="text"><span class="swatch" style="background:{colour}"></span>'
        f"{escape(label)}</td>"
    )


def median(summary: Interval | None, show: Any = rate) -> str:
    if summary is None:
        return "<td>–</td>"
    band = f"{show(summary.low)} – {show(summary.high)}"
    inner = escape(show(summary.median))
    if summary.n > 1:
        inner += f" <small>{escape(band)}</small>"
    return f'<td data-value="{summary.median:.9g}">{inner}</td>'


def ratios(campaign: Campaign, analysis: Analysis, workload: str, cpus: int, metric: str) -> str:
    """Each label against the reference, one column for each load; empty without comparisons."""
    here = {
        (c.label, c.clients): c
        for c in analysis.comparisons
        if (c.workload, c.cpus, c.metric) == (workload, cpus, metric)
    }
    clients = sorted({n for _, n in here})
    rows = [
        [named(campaign, label), *(_ratio(here.get((label, n)), analysis.level) for n in clients)]
        for label in analysis.labels
        if any((label, n) in here for n in clients)
    ]
    if not rows:
        return ""
    title = f"{workload}, {counted(cpus, 'CPU')}: {UNIT[metric]}, relative to {analysis.reference}"
    heads = [f"<{'clients →'}", *(f"{n:,}" for n in clients)]
    return f"<div><h3>{escape(title)}</h3>{table(heads, rows)}</div>"


def _ratio(c: Comparison | None, level: float) -> str:
    if c is None:
        return "<td>–</td>"
    kind = {"ahead": "ahead", "behind": "behind"}.get(c.ratio.verdict, "same")
    unsure = kind != "same" and c.p_holm is not None and c.p_holm > 1 - level
    size = factor(c.ratio.ratio) + ("†" if unsure else "")
    band = f" <small>{interval(c.ratio)}</small>" if c.ratio.n > 1 else ""
    return f'<td><span class="{kind}">{size}</span>{band}</td>'


def load_curves(campaign: Campaign, analysis: Analysis) -> str:
    rows = [
        [
            named(campaign, c.label), text(c.workload), number(c.cpus, str(c.cpus)),
            text("throughput" if c.metric == WALL_CLOCK else "per CPU-second"),
            number(c.peak.median), number(c.peak_clients, f"{c.peak_clients:,}"),
            text(f"{c.plateau_from_clients:,} – {c.plateau_to_clients:,}", ""),
            number(
                c.retention.ratio,
                percent(c.retention.ratio)
                + (shares(c.retention) if c.peak_clients != c.largest_clients else ""),
            ),
            number(c.largest_clients, f"{c.largest_clients:,}"),
            text("never" if c.half_decay_clients is None else f"{c.half_decay_clients:,}", ""),
        ]
        for c in analysis.load_curves
    ]
    heads = ("<label", "<workload", "CPUs", "<rate", "peak", "at clients", "plateau (clients)",
             "kept at largest load", "that is", "below half at")
    return table(heads, rows, "sortable") if rows else ""


def system_steps(campaign: Campaign, analysis: Analysis) -> str:
    rows = []
    for s in analysis.system_steps:
        row = [
            named(campaign, s.label), text(s.workload), number(s.clients, f"{s.clients:,}"),
            text(f"{s.from_cpus} → {s.cpus}", ""),
        ]
        for ratio in (s.efficiency, s.work):
            if ratio is None:
                row.append("<td>–</td>")
                continue
            band = f" ({interval(ratio)})" if ratio.n > 1 else ""
            row.append(number(ratio.ratio, factor(ratio.ratio) + band))
        rows.append([*row, number(s.efficiency.n, str(s.efficiency.n))])
    heads = ("<label", "<workload", "clients", "CPUs", "efficiency X(k) / (k X(1))",
             "requests per CPU-second, k to 1", "blocks")
    return table(heads, rows, "sortable") if rows else ""


def points(campaign: Campaign, analysis: Analysis) -> str:
    def row(p: Point) -> list[str]:
        of = p.metrics.get
        state = f"{p.usable}" + (f" + {p.excluded} excluded" if p.excluded else "")
        return [
            named(campaign, p.label), text(p.workload), number(p.clients, f"{p.clients:,}"),
            number(p.cpus, str(p.cpus)),
            f'<td data-value="{p.usable}" class="{"fail" if p.excluded else ""}">{state}</td>',
            median(of(CPU_SECOND)), median(of(WALL_CLOCK)),
            median(of("latency_us_p50")), median(of("latency_us_p99")),
            median(of("server_cpu_share"), percent),
            number(*_mebibytes(of("server_rss_bytes"))),
            text("not certainly" if p.not_its_limit else "yes", ""),
            f'<td class="fail">{p.starved}</td>' if p.starved else number(0, "0"),
        ]

    heads = ("<label", "<workload", "clients", "CPUs", "cells", "requests / CPU-second",
             "requests / s", "p50 µs", "p99 µs", "server CPU busy", "RSS MiB", "server the limit", "starved cells")
    return table(heads, [row(p) for p in analysis.points], "sortable")


def _mebibytes(size: Interval | None) -> tuple[float | None, str]:
    return (None, "") if size is None else (size.median, f"{size.median / 2**20:.1f}")


def every_cell(campaign: Campaign) -> str:
    """All cells in the order in which they ran, so that drift can be seen by sorting."""

    def row(place: int, c: Cell) -> list[str]:
        of = c.measurements.get
        state = "usable" if c.usable else "excluded"
        return [
            number(place, str(place)), text(c.label), text(c.workload), number(c.clients),
            number(c.cpus), number(c.block, str(c.block)),
            number(of(CPU_SECOND)), number(of(WALL_CLOCK)), number(of("latency_us_p99")),
            text(state, "" if c.usable else "fail"),
            text(", ".join(g.name for g in c.gates if g.verdict == "fail") or c.reason, "long"),
        ]

    heads = ("ran", "<label", "<workload", "clients", "CPUs", "block", "requests / CPU-second",
             "requests / s", "p99 µs", "state", "<why")
    return table(heads, [row(i, c) for i, c in enumerate(campaign.cells, 1)], "sortable")


def gate_counts(campaign: Campaign) -> str:
    verdicts: dict[tuple[str, str], dict[str, int]] = {}
    for cell in campaign.cells:
        for gate in cell.gates:
            key = (gate.name, gate.effect)
            count = verdicts.setdefault(key, {"pass": 0, "fail": 0, "unknown": 0})
            count[gate.verdict] += 1
    rows = [
        [
            text(name), number(count["pass"], str(count["pass"])),
            f'<td class="{"fail" if count["fail"] else ""}">{count["fail"]}</td>',
            number(count["unknown"], str(count["unknown"])),
            text("labels the cell" if effect == "labels" else "excludes the cell"),
        ]
        for (name, effect), count in verdicts.items()
    ]
    return table(("<gate", "pass", "fail", "unknown", "<a failure"), rows)


def excluded(campaign: Campaign) -> str:
    """Each excluded cell with the text of every gate that failed, or why nothing was measured."""
    reasons = [(c, "not measured", c.reason) for c in campaign.cells if c.status == "failed"]
    reasons += [(c, g.name, g.text) for c in campaign.cells for g in c.failed_gates]
    return _by_point(reasons)


def labelled(campaign: Campaign) -> str:
    return _by_point(
        (c, g.name, g.text)
        for c in campaign.cells
        for g in c.gates
        if g.verdict == "fail" and g.effect == "labels"
    )


def unknown(campaign: Campaign) -> str:
    return _by_point(
        (c, g.name, g.text) for c in campaign.cells for g in c.gates if g.verdict == "unknown"
    )


def _by_point(reasons: Iterable[tuple[Cell, str, str]]) -> str:
    """A list (it wraps on a phone where a table would hide the text): point and gate, then blocks."""
    found: dict[tuple[str, str], dict[str, list[int]]] = {}
    for cell, name, why in reasons:
        point = cell.identity.rpartition("/b")[0]
        found.setdefault((point, name), {}).setdefault(why, []).append(cell.block)
    items = []
    for (point, name), texts in found.items():
        lines = "".join(
            f"<li>block{'s' * (len(b) > 1)} {', '.join(map(str, sorted(b)))}: {escape(why)}</li>"
            for why, b in texts.items()
        )
        items.append(
            f'<li><code>{escape(point)}</code> <span class="fail">{escape(name)}</span>'
            f"<ul>{lines}</ul></li>\n"
        )
    return f'<ul class="reasons">{"".join(items)}</ul>' if items else ""


def warnings(campaign: Campaign) -> str:
    """Warnings by code, each different text once with the number of cells that carry it."""
    counts: dict[tuple[str, str], list[str]] = {}
    for cell in campaign.cells:
        for warning in cell.warnings:
            counts.setdefault((warning.code, warning.text), []).append(cell.identity)
    rows = [
        [text(code), number(len(cells), str(len(cells))), text(why, "long"), text(cells[0], "long")]
        for (code, why), cells in sorted(counts.items())
    ]
    return table(("<warning", "cells", "<what it says", "<first in"), rows) if rows else ""


def pairs(record: dict[str, Any], prefix: str = "") -> list[Sequence[str]]:
    """A JSON object as rows of name and value; objects inside it as dotted names."""
    rows: list[Sequence[str]] = []
    for name, value in record.items():
        if isinstance(value, dict):
            rows += pairs(value, f"{prefix}{name}.")
        elif isinstance(value, list) and any(isinstance(v, dict) for v in value):
            for place, each in enumerate(value):
                rows += pairs(each, f"{prefix}{name}.{place}.")
        else:
            shown = " ".join(map(str, value)) if isinstance(value, list) else str(value)
            rows.append((text(prefix + name), text(shown, "long")))
    return rows
