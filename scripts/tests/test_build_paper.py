"""The paper's builder: what it looks up, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import build_paper
import pytest

ANALYSIS: dict[str, Any] = {
    "cells": 12345,
    "points": [
        {"label": "st", "clients": 64, "usable": 6,
         "metrics": {"cpu": {"median": 6.52, "low": 6.01, "high": 7.0}}},
        {"label": "mp", "clients": 64, "usable": 0, "metrics": {"cpu": {"median": 9.0}}},
        {"label": "st", "clients": 1, "usable": 6, "metrics": {}},
    ],
}
VERDICTS: dict[str, Any] = {"verdicts": [
    {"id": "H1", "claim": "More is 100 % worse.", "verdict": "refuted", "because": "it is_not"}]}


def paper(body: str) -> str:
    return build_paper.expand("\\documentclass{a}\n\\begin{document}\n" + body + "\n\\end{document}",
                              ANALYSIS, VERDICTS)


def test_a_number_is_the_one_that_was_measured() -> None:
    assert "costs 6.5 us" in paper(r"costs \measured{points}{label=st,clients=64}{metrics.cpu}{1} us")
    assert "6.52 (6.01 to 7.00)" in paper(
        r"\measured{points}{label=st,clients=64}{metrics.cpu}{interval 2}")
    assert r"12\,345 cells" in paper(r"\measured{campaign}{cells}{}{int} cells")


def test_a_verdict_is_the_judges() -> None:
    assert "is refuted." in paper(r"That is \verdict{H1}.")
    assert r"H1 & More is 100 \% worse. & refuted & it is\_not \\" in paper(r"\verdictrows")


@pytest.mark.parametrize("body, complaint", [
    ("It serves 85,000 requests.", "neither"),
    (r"\measured{campaign}{claims_cells}{}{int}", "claims and demands"),
    (r"\measured{points}{label=st}{metrics.cpu}{1}", "2 rows"),
    (r"\measured{points}{label=edsm}{metrics.cpu}{1}", "0 rows"),
    (r"\measured{points}{label=mp}{metrics.cpu}{1}", "no usable cell"),
    (r"\measured{points}{label=st,clients=1}{metrics.cpu}{1}", "has no 'metrics.cpu'"),
    (r"\measured{points}{label=st,clients=64}{metrics.cpu}{7}", "no format"),
    (r"\verdict{H99}", "no such claim"),
])
def test_what_the_data_do_not_say_is_refused(body: str, complaint: str) -> None:
    with pytest.raises(build_paper.Refused, match=complaint):
        paper(body)


def test_what_was_chosen_may_be_said() -> None:
    assert "1,024 clients" in paper(r"\given{1,024} clients").replace(r"\given{1,024}", "1,024")


def test_the_paper_itself_says_only_what_the_reference_does() -> None:
    build_paper.refuse_bare_digits(build_paper.SOURCE.read_text())


def test_a_sentence_is_the_one_that_the_verdict_supports() -> None:
    said = paper(r"It \byverdict{H1} {grows.} {does not grow by \measured{campaign}{cells}{}{int}.}" "\n{may grow.}")
    assert r"It does not grow by 12\,345." in said and "may grow" not in said


def test_where_no_cell_is_usable_the_paper_says_so() -> None:
    assert build_paper.NOT_USABLE in paper(r"\maybe{points}{label=mp,clients=64}{metrics.cpu}{1}")
    with pytest.raises(build_paper.Refused, match="0 rows"):
        paper(r"\maybe{points}{label=edsm}{metrics.cpu}{1}")


def test_rounding_keeps_three_digits() -> None:
    assert build_paper.shown(19_654_321, "round") == r"19\,700\,000"
    assert build_paper.shown(64_720, "kib") == r"63\,KiB"


def test_what_was_not_measured_is_not_called_unusable() -> None:
    said = paper(r"\maybe{points}{label=st,clients=1}{metrics.cpu}{1}")
    assert build_paper.NOT_MEASURED in said and build_paper.NOT_USABLE not in said


def test_figures_are_drawn_as_asked_and_described(
    healthy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_paper, "BUILD", tmp_path)
    name = "load_scalability-plaintext"
    said = build_paper.draw(
        rf"\includegraphics[width=\columnwidth]{{figures/{name}-narrow.pdf}} \described{{{name}}}", [healthy])
    assert "workload plaintext" in said and "described" not in said
    (drawn,) = (tmp_path / "figures").iterdir()
    first = drawn.read_bytes()
    assert drawn.name == f"{name}-narrow.pdf" and first.startswith(b"%PDF")
    build_paper.draw(rf"\includegraphics{{figures/{name}-narrow.pdf}}", [healthy])
    assert drawn.read_bytes() == first


def test_figure_without_data_is_refused(
    healthy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_paper, "BUILD", tmp_path)
    with pytest.raises(build_paper.Refused, match="no data for this figure"):
        build_paper.draw(r"\includegraphics{figures/disk-nowhere.pdf}", [healthy])
