"""Figures are made from the same data as the same bytes, and show what was excluded."""

from __future__ import annotations

from pathlib import Path

import pytest

import analyse
import figure_style
import plot_load_scalability
import plot_system_scalability
import results
import synthetic
from conftest import run

PLOTS = ("load_scalability", "system_scalability")


@pytest.mark.parametrize("plot", PLOTS)
def test_same_cells_same_bytes(plot: str, sick: Path, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        ended = run(f"plot_{plot}.py", sick, "-o", tmp_path / folder)
        assert ended.returncode == 0, ended.stderr
    for ending in ("svg", "png"):
        name = f"{plot}-plaintext.{ending}"
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def load_figure(campaign: Path) -> str:
    loaded = results.load(campaign)
    return figure_style.svg(
        plot_load_scalability.draw(loaded, analyse.analyse(loaded), "plaintext")
    )


def test_svg_says_units_samples_and_exclusions(sick: Path) -> None:
    svg = load_figure(sick)
    assert "requests per server CPU-second" in svg and "clients (simultaneous" in svg
    assert "n = 6–7" in svg and "Crosses:" in svg and "Hollow:" in svg


def test_healthy_campaign_has_no_cross(healthy: Path) -> None:
    assert "Crosses:" not in load_figure(healthy)


def test_line_is_broken_where_no_cell_is_usable(sick: Path) -> None:
    loaded = results.load(sick)
    figure = plot_load_scalability.draw(loaded, analyse.analyse(loaded), "plaintext")
    assert figure is not None
    mp = figure_style.LINE["mp"]
    lines = [line for line in figure.axes[0].lines if line.get_color() == mp]
    assert max(max(line.get_xdata()) for line in lines if line.get_linestyle() == "-") == 64
    crosses = [line for line in lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert [list(cross.get_xdata()) for cross in crosses] == [[512]]


def test_excluded_cell_is_drawn_as_itself_and_not_averaged(sick: Path) -> None:
    loaded = results.load(sick)
    figure = plot_load_scalability.draw(loaded, analyse.analyse(loaded), "plaintext")
    assert figure is not None
    gated = next(c for c in loaded.cells if c.failed_gates)
    mt = figure_style.LINE["mt"]
    crosses = [
        (list(line.get_xdata()), list(line.get_ydata()))
        for line in figure.axes[0].lines
        if line.get_color() == mt and line.get_marker() == "x" and len(line.get_xdata())
    ]
    assert crosses == [([64], [gated.measurements["throughput_rps"]])]


def test_ideal_line_starts_at_one_cpu_and_is_proportional(healthy: Path) -> None:
    loaded = results.load(healthy)
    found = analyse.analyse(loaded)
    figure = plot_system_scalability.draw(loaded, found, "plaintext", [64])
    point = found.point("plaintext", "st process", 64, 1)
    assert figure is not None and point is not None
    colour = figure_style.LINE["st"]
    ideal = next(
        line for line in figure.axes[0].lines
        if line.get_linestyle() == ":" and line.get_color() == colour
    )
    one = point.metrics["throughput_rps"].median
    assert list(ideal.get_ydata()) == pytest.approx([one, 2 * one])


def test_no_efficiency_without_a_usable_cell_on_one_cpu(tmp_path: Path) -> None:
    recipe = synthetic.Recipe(blocks=2, servers=synthetic.SERVERS[:1])
    recipe.gated = {c["cell"]: "littles_law" for c in synthetic.cells(recipe) if c["cpus"] == 1}
    loaded = results.load(synthetic.write(tmp_path, recipe))
    figure = plot_system_scalability.draw(loaded, analyse.analyse(loaded), "plaintext", [64])
    assert figure is not None
    drawn = [line for line in figure.axes[1].lines if line.get_color() == figure_style.LINE["mp"]]
    assert not [line for line in drawn if len(line.get_xdata())]


def test_plan_without_curves_draws_nothing_and_says_so(tmp_path: Path) -> None:
    recipe = synthetic.Recipe(blocks=2, clients=(8, 64), cpus=(1,), servers=synthetic.SERVERS[:1])
    campaign = synthetic.write(tmp_path, recipe)
    ended = run("plot_system_scalability.py", campaign)
    assert ended.returncode == 0 and "one number of CPUs only" in ended.stderr
    assert not (campaign / "figures").exists()


def test_labels_are_moved_apart_within_the_panel() -> None:
    places = figure_style._apart([0.0, 1.0, 2.0, 95.0, 100.0], 10.0, 100.0)
    assert all(b - a >= 10 - 1e-9 for a, b in zip(places, places[1:]))
    assert places[0] >= 0 and places[-1] <= 100
