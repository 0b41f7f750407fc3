"""The tables and lists of the report that show single cells: gates, warnings, provenance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from report_html import number, table, text
from results import Campaign, Cell


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
