"""Pools of one kind that differ in their size, as `--workers` of their servers says."""

from __future__ import annotations

from analysis.points import Label
from analysis.record import Analysis

Kind = tuple[str, str]  # architecture and model


def pools_of(analysis: Analysis) -> dict[Kind, dict[int, Label]]:
    """For each kind the labels by size, the kinds and sizes in the order of the plan."""
    found: dict[Kind, dict[int, Label]] = {}
    for label in analysis.labels:
        if "--workers" in label.options[:-1]:
            size = int(label.options[label.options.index("--workers") + 1])
            found.setdefault((label.architecture, label.model), {})[size] = label
    return found
