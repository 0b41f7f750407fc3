"""The tables of the report that show an analysis. Every function returns HTML."""

from __future__ import annotations

from html import escape

from analysis.comparisons import Comparison
from analysis.intervals import Interval
from analysis.points import CPU_SECOND, WALL_CLOCK, Point
from analysis.record import Analysis
from analysis.usl import Estimate, Usl
from numbers_as_text import percent, rate
from report_html import about, median, named, number, table, text
from results import Campaign, Cell
from sentences import UNIT, counted, factor, interval, shares


def ratios(analysis: Analysis, workload: str, cpus: int, metric: str) -> str:
    """Each label against the reference, one column for each load; empty without comparisons."""
    here = {
        (c.label, c.clients): c
        for c in analysis.comparisons
        if (c.workload, c.cpus, c.metric) == (workload, cpus, metric)
    }
    clients = sorted({n for _, n in here})
    rows = [
        [named(analysis, label), *(_ratio(here.get((label, n)), analysis.level) for n in clients)]
        for label in (one.name for one in analysis.labels)
        if any((label, n) in here for n in clients)
    ]
    if not rows:
        return ""
    title = f"{workload}, {counted(cpus, 'CPU')}: {UNIT[metric]}, relative to {analysis.reference}"
    heads = [f"<{'clients →'}", *(f"{n:,}" for n in clients)]
    head = f'<div data-workload="{escape(workload)}"><h3>{escape(title)}</h3>'
    return f"{head}{table(heads, rows)}</div>"


def _ratio(c: Comparison | None, level: float) -> str:
    if c is None:
        return "<td>–</td>"
    kind = {"ahead": "ahead", "behind": "behind"}.get(c.ratio.verdict, "same")
    unsure = kind != "same" and c.p_holm is not None and c.p_holm > 1 - level
    size = factor(c.ratio.ratio) + ("†" if unsure else "")
    band = f" <small>{interval(c.ratio)}</small>" if c.ratio.n > 1 else ""
    return f'<td><span class="{kind}">{size}</span>{band}</td>'


def load_curves(analysis: Analysis) -> str:
    rows = [
        [
            named(analysis, c.label), about(c.workload), number(c.cpus, str(c.cpus)),
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


def system_steps(analysis: Analysis) -> str:
    rows = []
    for s in analysis.system_steps:
        row = [
            named(analysis, s.label), about(s.workload), number(s.clients, f"{s.clients:,}"),
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


def points(analysis: Analysis) -> str:
    def row(p: Point) -> list[str]:
        of = p.metrics.get
        state = f"{p.usable}" + (f" + {p.excluded} excluded" if p.excluded else "")
        return [
            named(analysis, p.label), about(p.workload), number(p.clients, f"{p.clients:,}"),
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


def every_cell(analysis: Analysis, campaign: Campaign) -> str:
    """All cells in the order in which they ran, so that drift can be seen by sorting.

    The number in the first column is the cell's line in cells.jsonl; with scripts it opens it.
    """

    def row(c: Cell) -> list[str]:
        place = campaign.lines[c.identity]
        of = c.measurements.get
        state = "usable" if c.usable else "excluded"
        return [
            f'<td data-value="{place}" data-line="{place}">{place}</td>', named(analysis, c.label),
            about(c.workload), number(c.clients, f"{c.clients:,}"),
            number(c.cpus, str(c.cpus)), number(c.block, str(c.block)),
            number(of(CPU_SECOND)), number(of(WALL_CLOCK)), number(of("latency_us_p99")),
            text(state, "" if c.usable else "fail"),
            text(", ".join(g.name for g in c.gates if g.verdict == "fail") or c.reason, "long"),
        ]

    heads = ("line", "<label", "<workload", "clients", "CPUs", "block", "requests / CPU-second",
             "requests / s", "p99 µs", "state", "<why")
    return table(heads, [row(c) for c in campaign.cells], "sortable")


def capacities(analysis: Analysis) -> str:
    """The most clients within the objective."""
    rows = []
    for c in analysis.capacities:
        if c.clients is None:
            shown = text(c.reason, "long")
        elif c.clients.median >= c.largest_clients:
            shown = number(c.clients.median, f"at least {c.clients.median:,.0f}")
        else:
            shown = median(c.clients, lambda v: f"{v:,.0f}")
        rows.append(
            [named(analysis, c.label), about(c.workload), number(c.cpus, str(c.cpus)), shown,
             number(c.largest_clients, f"{c.largest_clients:,}")]
        )
    heads = ("<label", "<workload", "CPUs", "clients within the objective", "largest load run")
    return table(heads, rows, "sortable") if rows else ""


def laws(analysis: Analysis) -> str:
    """The Universal Scalability Law of each curve, or why there is none."""

    def estimate(e: Estimate | None, digits: str) -> str:
        if e is None:
            return "<td>–</td>"
        band = "" if e.low is None else f" <small>{e.low:{digits}} – {e.high:{digits}}</small>"
        return f'<td data-value="{e.value:.9g}">{e.value:{digits}}{band}</td>'

    def row(u: Usl) -> list[str]:
        fixed = counted(u.fixed, "CPU" if u.axis == "clients" else "client")
        return [
            named(analysis, u.label), about(u.workload), text(f"{u.axis}, at {fixed}"),
            estimate(u.gain, ",.0f"), estimate(u.contention, ".3g"), estimate(u.coherence, ".2g"),
            number(u.misfit, None if u.misfit is None else percent(u.misfit, 1)), text(u.reason, "long"),
        ]

    heads = ("<label", "<workload", "<over", "g (requests/s of one)", "s", "k", "misfit", "<remark")
    return table(heads, [row(u) for u in analysis.laws], "sortable") if analysis.laws else ""
