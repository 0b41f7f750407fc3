"""Figures are made from the same data as the same bytes, and show what was excluded."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import figure_catalogue
import figure_parts
import figure_style
import figures
import plot_cost
import plot_disk
import plot_latency_cdf
import plot_latency_throughput
import plot_load_scalability
import plot_offered_rate
import plot_system_scalability
import plot_tuning
import results
import synthetic
from analysis.record import Analysis, analyse, load_analysis
from conftest import run
from figures import Absent, Drawing


def analysed(campaign: Path) -> Analysis:
    return analyse(results.load(campaign))


@pytest.mark.parametrize("drawings", figure_catalogue.CATALOGUE, ids=lambda f: str(f.__module__))
def test_same_cells_same_bytes(
    drawings: Callable[[Analysis], figures.Drawings], rich: Path
) -> None:
    made = []
    for _ in range(2):
        first = next(d for d in drawings(load_analysis(rich)) if isinstance(d, Drawing))
        made.append((figure_style.svg(first.draw(False, first.caption)), figures.as_csv(first.rows)))
    assert made[0] == made[1]
    assert made[0][1].count("\n") > 1, "the table behind it has no data"


def test_plot_script_writes_svg_png_and_csv_twice_the_same(healthy: Path, tmp_path: Path) -> None:
    made: list[dict[str, bytes]] = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        ended = run("plot_load_scalability.py", healthy, "-o", folder)
        assert ended.returncode == 0, ended.stderr
        made.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert made[0] == made[1]
    stem = "load_scalability-plaintext"
    assert sorted(made[0]) == [f"{stem}.csv", f"{stem}.png", f"{stem}.svg"]


def test_campaign_without_the_data_gets_a_sentence_and_no_figure(
    healthy: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = figure_catalogue.drawings(analysed(healthy))
    missing = {d.title.partition(",")[0]: d.reason for d in found if isinstance(d, Absent)}
    for title in ("Idle connections", "Response size", "Disk-bound", "Offered rate",
                  "Distribution of latency"):
        assert missing[title].endswith(".")
    assert figures.main("doc", plot_disk.drawings, [str(healthy), "-o", str(tmp_path)]) == 0
    assert capsys.readouterr().err == "Disk-bound: no workload reads the disk.\n"
    assert not list(tmp_path.iterdir())


def test_every_figure_has_a_narrow_form_and_a_name_of_its_own(rich: Path) -> None:
    made = [d for d in figure_catalogue.drawings(load_analysis(rich)) if isinstance(d, Drawing)]
    assert len({d.name for d in made}) == len(made)
    assert {d.title for d in made} >= {"Fairness", "Differences", "All runs", "Offered rate"}
    for drawing in {d.title: d for d in made}.values():
        assert drawing.draw(True, "").get_figwidth() < 5.5, drawing.title
        assert drawing.rows and all(row.keys() == drawing.rows[0].keys() for row in drawing.rows)


def test_parts_of_an_architecture_can_be_told_by_their_ids(healthy: Path) -> None:
    svg = load_figure(healthy)
    for kind in ("mp", "mt", "edsm", "st"):
        assert f'id="{figure_style.OF}{kind}-' in svg
    ids = re.findall(r'id="([^"]+)"', svg)
    assert len(ids) == len(set(ids))


def load_figure(campaign: Path) -> str:
    return figure_style.svg(drawn(campaign))


def drawn(campaign: Path) -> Any:
    found = [d for d in plot_load_scalability.drawings(analysed(campaign)) if isinstance(d, Drawing)]
    return found[0].draw(False, found[0].caption)


def test_svg_says_units_samples_and_exclusions(sick: Path) -> None:
    svg = load_figure(sick)
    assert "requests per server CPU-second" in svg and "clients (simultaneous" in svg
    assert "over 6 to 7 blocks" in svg and "Crosses:" in svg and "Hollow:" in svg


def test_healthy_campaign_has_no_cross(healthy: Path) -> None:
    assert "Crosses:" not in load_figure(healthy)


def test_four_servers_and_a_twin_have_bands_and_the_caption_says_so(healthy: Path) -> None:
    (drawing,) = plot_load_scalability.drawings(analysed(healthy))
    assert isinstance(drawing, Drawing)
    assert "band:" in drawing.caption and "line at a mark" not in drawing.caption


def test_line_is_broken_where_no_cell_is_usable(sick: Path) -> None:
    figure = drawn(sick)
    mp = figure_style.LINE["mp"]
    lines = [line for line in figure.axes[0].lines if line.get_color() == mp]
    assert max(max(line.get_xdata()) for line in lines if line.get_linestyle() == "-") == 64
    crosses = [line for line in lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert [list(cross.get_xdata()) for cross in crosses] == [[512]]


def test_excluded_cell_is_drawn_as_itself_and_not_averaged(sick: Path) -> None:
    figure = drawn(sick)
    gated = next(c for c in results.load(sick).cells if c.failed_gates)
    mt = figure_style.LINE["mt"]
    crosses = [
        (list(line.get_xdata()), list(line.get_ydata()))
        for line in figure.axes[0].lines
        if line.get_color() == mt and line.get_marker() == "x" and len(line.get_xdata())
    ]
    assert crosses == [([64], [gated.measurements["throughput_rps"]])]


def test_ideal_line_starts_at_one_cpu_and_is_proportional(healthy: Path) -> None:
    found = analysed(healthy)
    figure = plot_system_scalability.draw(found, "plaintext", [64])
    point = found.point("st process", "plaintext", 64, 1)
    assert point is not None
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
    figure = plot_system_scalability.draw(
        analysed(synthetic.write(tmp_path, recipe)), "plaintext", [64]
    )
    lines = [line for line in figure.axes[1].lines if line.get_color() == figure_style.LINE["mp"]]
    assert not [line for line in lines if len(line.get_xdata())]


def test_plan_without_curves_draws_nothing_and_says_so(tmp_path: Path) -> None:
    recipe = synthetic.Recipe(blocks=2, clients=(8, 64), cpus=(1,), servers=synthetic.SERVERS[:1])
    campaign = synthetic.write(tmp_path, recipe)
    ended = run("plot_system_scalability.py", campaign)
    assert ended.returncode == 0 and "one number of CPUs only" in ended.stderr
    assert not (campaign / "figures").exists()


def test_labels_are_moved_apart_within_the_panel() -> None:
    places = figure_parts._apart([0.0, 1.0, 2.0, 95.0, 100.0], 10.0, 100.0)
    assert all(b - a >= 10 - 1e-9 for a, b in zip(places, places[1:]))
    assert places[0] >= 0 and places[-1] <= 100


def test_heat_map_frames_the_best_pool_under_each_load(rich: Path) -> None:
    drawing = next(d for d in plot_tuning.drawings(load_analysis(rich)) if isinstance(d, Drawing))
    (axes,) = drawing.draw(False, "").axes
    framed = [
        (round(field.get_x() + 0.48), round(field.get_y() + 0.46))
        for field in axes.patches if field.get_edgecolor()[3] > 0
    ]
    assert framed == [(0, 1), (1, 1)]  # 64 workers, the second row, at both loads
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["4", "64"]


def test_copies_of_the_null_responder_are_the_reference_over_cpus(healthy: Path) -> None:
    found = analysed(healthy)
    points = [p for p in found.points if p.clients == 64]
    # The synthetic generator can do 400,000 requests/s, however many CPUs the server has.
    assert plot_system_scalability._copies(points) == {1: 1.0, 2: 0.5}


def without(analysis: Analysis, metric: str, label: str, workload: str) -> Analysis:
    """The analysis as if this one point had not this metric."""
    points = tuple(
        dataclasses.replace(p, metrics={k: v for k, v in p.metrics.items() if k != metric})
        if (p.label, p.workload) == (label, workload) else p
        for p in analysis.points
    )
    return dataclasses.replace(analysis, points=points)


def test_percentile_that_is_missing_has_its_reason_below(rich: Path) -> None:
    metric, whole = "latency_intended_us_p99", load_analysis(rich)
    (drawing,) = plot_offered_rate.drawings(whole)
    assert isinstance(drawing, Drawing) and "not drawn" not in drawing.caption
    (drawing,) = plot_offered_rate.drawings(without(whole, metric, "mt thread", "open-r160000"))
    assert isinstance(drawing, Drawing)
    assert "not drawn: mt thread at 160k; more than one request in a hundred had no answer" in drawing.caption


def test_line_of_all_answered_goes_by_way_of_every_rate(rich: Path) -> None:
    (drawing,) = plot_offered_rate.drawings(load_analysis(rich))
    assert isinstance(drawing, Drawing)
    (ideal,) = [line for line in drawing.draw(False, "").axes[0].lines if line.get_linestyle() == ":"]
    assert list(ideal.get_xdata()) == list(ideal.get_ydata()) == [20_000, 40_000, 80_000, 160_000]


def test_cost_that_was_not_measured_is_not_drawn_as_nothing(healthy: Path) -> None:
    analysis = without(analysed(healthy), "syscalls_per_request", "mt thread", "plaintext")
    (drawing,) = plot_cost.drawings(analysis)
    assert isinstance(drawing, Drawing)
    drawn = drawing.draw(False, "")
    assert figure_style.svg(drawn).count("not measured") == 1
    rows = {axes.get_ylim() for axes in drawn.axes if axes.get_visible()}
    assert rows == {(4.5, -0.5)}, "the rows of all panels are beside each other"


def test_cost_that_was_not_divided_is_not_drawn_as_the_users(healthy: Path) -> None:
    analysis = without(analysed(healthy), "server_user_share", "mt thread", "plaintext")
    (drawing,) = plot_cost.drawings(analysis)
    assert isinstance(drawing, Drawing)
    assert figure_style.svg(drawing.draw(False, "")).count("not divided") == 1


@pytest.mark.parametrize("plot", [plot_latency_throughput, plot_latency_cdf])
def test_twin_is_no_further_line_of_latencies(plot: Any, rich: Path) -> None:
    drawing = next(d for d in plot.drawings(load_analysis(rich)) if isinstance(d, Drawing))
    labels = {row["label"] for row in drawing.rows}
    assert "edsm epoll" in labels and "edsm epoll (twin)" not in labels
