"""What is committed from the reference campaigns is what these scripts make of them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import figure_catalogue
import figure_style
import figures
import judge
import predict
import pytest
import readme_numbers
import remake
import synthetic
from analysis.model import model
from analysis.record import load_analysis
from figures import Drawing
from results import BadData, cells_bytes

CAMPAIGNS = {p.name: p for p in remake.campaigns()}
each_campaign = pytest.mark.parametrize("campaign", CAMPAIGNS.values(), ids=CAMPAIGNS.keys())


@each_campaign
def test_every_figure_is_remade_byte_by_byte(campaign: Path) -> None:
    """SVG and CSV; a PNG has the same lines, but its bytes are also those of the FreeType that drew it."""
    made: dict[str, str] = {}
    for drawing in figure_catalogue.drawings(load_analysis(campaign)):
        if isinstance(drawing, Drawing):
            made[f"{drawing.name}.svg"] = figure_style.svg(drawing.draw(False, drawing.caption))
            made[f"{drawing.name}.csv"] = figures.as_csv(drawing.rows)
    there = {p.name: p.read_text() for p in (campaign / "figures").iterdir() if p.suffix != ".png"}
    assert sorted(made) == sorted(there), "run scripts/reference"
    assert [name for name in made if made[name] != there[name]] == [], "run scripts/reference"
    assert {p.stem for p in (campaign / "figures").glob("*.png")} == {Path(n).stem for n in made}


@each_campaign
def test_model_is_that_of_the_cells(
    campaign: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = campaign / "model.json"
    if there.is_file():
        assert predict.main([str(campaign), "-o", str(tmp_path / "model.json")]) == 0
        assert (tmp_path / "model.json").read_text() == there.read_text(), "run scripts/reference"
    else:
        assert model(load_analysis(campaign)) is None, "run scripts/reference"
    capsys.readouterr()


@each_campaign
def test_model_is_the_same_on_a_processor_with_fewer_instructions(campaign: Path, tmp_path: Path) -> None:
    """numpy and the C library choose their loops by the processor; here they may choose the oldest only."""
    there = campaign / "model.json"
    if not there.is_file():
        pytest.skip("this campaign predicts nothing")
    old = {
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA",
    }
    command = [str(remake.ROOT / "scripts" / "predict.py"), str(campaign), "-o", str(tmp_path / "model.json")]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **old})
    assert (tmp_path / "model.json").read_text() == there.read_text()


def test_verdicts_are_those_of_the_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge.main([*map(str, CAMPAIGNS.values()), "-o", str(tmp_path / "verdicts.json")]) == 0
    made, there = (json.loads((at / "verdicts.json").read_text()) for at in (tmp_path, remake.MAIN))
    for found in (made, there):
        # The claim about the source changes with every line of the servers.
        found["verdicts"] = [v for v in found["verdicts"] if v["id"] != "S1"]
    assert made == there, "run scripts/reference"
    capsys.readouterr()


def test_numbers_of_the_readme_are_those_of_the_analysis() -> None:
    text = readme_numbers.README.read_text(encoding="utf-8")
    made = readme_numbers.block(remake.MAIN, remake.PRECISE)
    assert readme_numbers.rewritten(text, made) == text, "run scripts/reference"


def test_reference_is_small_enough_to_be_cloned() -> None:
    assert remake.weight_bytes() <= remake.MOST_BYTES


def test_readme_without_its_marks_is_refused() -> None:
    with pytest.raises(BadData, match="marks"):
        readme_numbers.rewritten("no marks", "made")


def test_campaign_is_taken_in_with_its_reports_packed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    campaign = synthetic.write(tmp_path / "new", synthetic.rich())
    taken = remake.take_in(campaign, tmp_path / "reference")
    assert taken == tmp_path / "reference" / "synthetic"
    assert not (taken / "cells.jsonl").exists()
    assert cells_bytes(taken) == (campaign / "cells.jsonl").read_bytes()
    assert load_analysis(taken).latencies, "they are read from the reports before these are packed"
    listed = subprocess.run(
        ["tar", "-tf", taken / "raw.tar.xz"], check=True, capture_output=True, text=True
    ).stdout.split()
    assert {f"raw/{p.name}" for p in (campaign / "raw").iterdir()} == {n for n in listed if n != "raw/"}
    first = (taken / "raw.tar.xz").read_bytes()
    assert (remake.take_in(campaign, tmp_path / "reference") / "raw.tar.xz").read_bytes() == first
    capsys.readouterr()


def test_unfinished_campaign_is_not_taken_in(tmp_path: Path) -> None:
    campaign = synthetic.write(tmp_path / "new", synthetic.Recipe(blocks=2))
    lines = (campaign / "cells.jsonl").read_text().splitlines(keepends=True)
    (campaign / "cells.jsonl").write_text("".join(lines[:-1]))
    with pytest.raises(BadData, match="lacks 1 cells"):
        remake.take_in(campaign, tmp_path / "reference")
    assert not (tmp_path / "reference").exists()
