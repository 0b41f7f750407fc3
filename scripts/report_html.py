"""The parts of the report's tables. Every text from a file is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from analysis.intervals import Interval
from analysis.record import Analysis
from figure_style import LINE
from numbers_as_text import rate


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


def named(analysis: Analysis, label: str) -> str:
    """A label beside its architecture's colour; the filter goes by its data-of."""
    kind = analysis.label(label).architecture
    colour = f"var(--fig-line-{kind}, {LINE[kind]})"
    return (
        f'<td class="text" data-of="{kind}"><span class="swatch" style="background:{colour}"></span>'
        f"{escape(label)}</td>"
    )


def about(workload: str) -> str:
    """A workload's name; the filter goes by its data-workload."""
    return f'<td class="text" data-workload="{escape(workload)}">{escape(workload)}</td>'


def median(summary: Interval | None, show: Any = rate) -> str:
    if summary is None:
        return "<td>–</td>"
    band = f"{show(summary.low)} – {show(summary.high)}"
    inner = escape(show(summary.median))
    if summary.n > 1:
        inner += f" <small>{escape(band)}</small>"
    return f'<td data-value="{summary.median:.9g}">{inner}</td>'
