"""The terminal says what the report says."""

from __future__ import annotations

from pathlib import Path

import pytest

import results
import sentences
import show
import synthetic
import text_plot
from analysis.record import analyse, load_analysis
from conftest import run
from text_plot import Line


def test_headline_is_that_of_the_report(healthy: Path) -> None:
    ended = run("show.py", healthy)
    assert ended.returncode == 0, ended.stderr
    said = " ".join(ended.stdout.split())
    analysis = load_analysis(healthy)
    for finding in sentences.headline(analysis):
        assert " ".join(finding.text.split()) in said
    for caveat in sentences.caveats(analysis):
        assert " ".join(caveat.split()) in said
    assert max(map(len, ended.stdout.splitlines())) <= 110


def test_both_curves_are_drawn(healthy: Path) -> None:
    text = "\n".join(show.shown(analyse(results.load(healthy))))
    assert "over clients, 1 CPU" in text and "over CPUs, 64 clients" in text
    assert "s st process" in text


def test_one_load_gives_no_plot_and_no_error(tmp_path: Path) -> None:
    recipe = synthetic.Recipe(blocks=2, clients=(8, 64), cpus=(1,), servers=synthetic.SERVERS[:1])
    text = "\n".join(show.shown(analyse(results.load(synthetic.write(tmp_path, recipe)))))
    assert "over CPUs" not in text


def test_points_stand_at_their_heights() -> None:
    drawn = text_plot.plot(
        "t", ["1", "2"], [Line("a", "aa", (100.0, 50.0)), Line("b", "bb", (None, 50.0))]
    )
    assert drawn[1].strip().startswith("100 |    a")
    assert [line.count("*") for line in drawn].count(1) == 1 and "*" in drawn[7]
    assert drawn[-1].strip() == "a aa   b bb"


def test_nothing_measured_is_said() -> None:
    assert text_plot.plot("t", ["1"], [Line("a", "aa", (None,))]) == ["t: nothing was measured"]


def test_every_name_gets_a_sign_of_its_own() -> None:
    found = text_plot.signs(["st-process", "st-hybrid", "stp", "s"])
    assert len(set(found.values())) == 4 and found["st-process"] == "s"


@pytest.mark.parametrize("script", ["show.py", "compare.py", "judge.py"])
def test_misuse_ends_with_two_and_help_with_zero(script: str) -> None:
    assert run(script, "--no-such-option", "x").returncode == 2
    assert run(script, "--help").returncode == 0
