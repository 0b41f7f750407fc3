"""The truth that was put into a synthetic campaign comes out again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import analyse as script
import results
import synthetic
from analysis.comparisons import default_reference
from analysis.points import CPU_SECOND, WALL_CLOCK, labels_of
from analysis.record import Analysis, analyse, as_json, from_json, load_analysis
from conftest import run

SERVERS = {server.label: server for server in synthetic.SERVERS}


@pytest.fixture(scope="module")
def analysis(healthy: Path) -> Analysis:
    return analyse(results.load(healthy))


def test_ratios_are_recovered_through_the_noise_of_the_blocks(analysis: Analysis) -> None:
    assert analysis.reference == "edsm epoll"
    for c in analysis.comparisons:
        above = synthetic.truth(SERVERS[c.label], c.clients, c.cpus)[c.metric]
        below = synthetic.truth(SERVERS[c.reference], c.clients, c.cpus)[c.metric]
        # Blocks differ by 25 % and cells by 1 %: only pairing can come this close.
        assert c.ratio.ratio == pytest.approx(above / below, rel=0.02)


def test_real_differences_are_seen_and_twins_are_not(analysis: Analysis) -> None:
    for c in analysis.comparisons:
        if "twin" in c.label:
            assert c.ratio.verdict == "indistinguishable"
        else:
            assert c.ratio.verdict == ("ahead" if c.label == "st process" else "behind")
            assert c.p_holm is not None and c.p_holm < 0.05
    for n in analysis.noise:
        assert n.twins == ("edsm epoll", "edsm epoll (twin)")
        assert 1.01 < n.floor < 1.06 and n.called_different == 0


def test_retention_and_half_decay_are_recovered(analysis: Analysis) -> None:
    curves = {(c.label, c.metric): c for c in analysis.load_curves if c.cpus == 1}
    mp = curves["mp prefork", WALL_CLOCK]
    server = SERVERS["mp prefork"]
    kept = (
        synthetic.truth(server, 512, 1)[WALL_CLOCK] / synthetic.truth(server, 8, 1)[WALL_CLOCK]
    )
    assert (mp.peak_clients, mp.largest_clients, mp.half_decay_clients) == (8, 512, 512)
    assert mp.retention.ratio == pytest.approx(kept, rel=0.02)
    assert curves["st process", WALL_CLOCK].half_decay_clients is None
    assert curves["st process", CPU_SECOND].plateau_to_clients >= 64


def test_efficiency_is_recovered(analysis: Analysis) -> None:
    for step in analysis.system_steps:
        assert (step.from_cpus, step.cpus, step.clients) == (1, 2, 64)
        assert step.efficiency.ratio == pytest.approx(SERVERS[step.label].efficiency, rel=0.02)


def test_excluded_cells_are_counted_and_not_averaged(sick: Path, analysis: Analysis) -> None:
    found = analyse(results.load(sick))
    gone = found.point("mp prefork", "plaintext", 512, 1)
    assert gone is not None and (gone.usable, gone.excluded, gone.metrics) == (0, 7, {})
    gated = found.point("mt thread", "plaintext", 64, 1)
    assert gated is not None and (gated.usable, gated.excluded) == (6, 1)
    assert gated.metrics[WALL_CLOCK].n == 6
    mp = next(c for c in found.load_curves if c.label == "mp prefork" and c.metric == WALL_CLOCK)
    assert mp.largest_clients == 64
    assert len(found.comparisons) == len(analysis.comparisons) - 2


def test_same_cells_same_bytes_in_the_form_of_the_schema(healthy: Path, tmp_path: Path) -> None:
    for name in ("one.json", "two.json"):
        assert script.main([str(healthy), "-o", str(tmp_path / name)]) == 0
    text = (tmp_path / "one.json").read_text()
    assert text == (tmp_path / "two.json").read_text()
    results.check(json.loads(text), "analysis", "analysis.json")
    assert "null" not in text, "unknown is absent"


def test_what_was_written_is_read_back(analysis: Analysis) -> None:
    assert from_json(Analysis, as_json(analysis)) == analysis


@pytest.mark.parametrize("wrong", ["{}", "[]", '{"schema": 3}'])
def test_another_form_is_bad_data(wrong: str) -> None:
    with pytest.raises(results.BadData, match="no Analysis"):
        from_json(Analysis, wrong)


def test_analysis_of_other_cells_is_made_again(healthy: Path, sick: Path, tmp_path: Path) -> None:
    campaign = tmp_path / "copy"
    shutil.copytree(sick, campaign)
    (campaign / "analysis.json").write_text(as_json(analyse(results.load(healthy))))
    assert load_analysis(campaign) == analyse(results.load(sick))
    stale = (campaign / "analysis.json").read_bytes()
    script.main([str(campaign)])
    assert (campaign / "analysis.json").read_bytes() != stale
    assert load_analysis(campaign) == analyse(results.load(sick))


def test_unknown_reference_is_misuse(healthy: Path) -> None:
    ended = run("analyse.py", healthy, "--reference", "nobody")
    assert ended.returncode == 2 and "st process" in ended.stderr


def test_without_edsm_the_first_label_is_the_reference(tmp_path: Path) -> None:
    recipe = synthetic.Recipe(blocks=2, servers=(SERVERS["st process"], SERVERS["mp prefork"]))
    campaign = results.load(synthetic.write(tmp_path, recipe))
    assert default_reference(labels_of(campaign)) == "mp prefork"


def test_law_over_two_cpu_counts_is_never_a_number(analysis: Analysis) -> None:
    over_cpus = [u for u in analysis.laws if u.axis == "cpus"]
    assert over_cpus and all(u.gain is None and "not identifiable" in u.reason for u in over_cpus)


def test_unsteady_cells_are_counted(analysis: Analysis) -> None:
    mp = analysis.point("mp prefork", "plaintext", 512, 1)
    assert mp is not None and mp.unsteady == 7 and sum(p.unsteady for p in analysis.points) == 7
