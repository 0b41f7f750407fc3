"""Campaigns that are wrong stop every script with one sentence that says where."""

from __future__ import annotations

import json
import lzma
import shutil
from pathlib import Path

import pytest

import results
import synthetic
from conftest import MP_AT_512, MT_GATED, run

SCRIPTS = ("results.py", "analyse.py", "report.py", "plot_load_scalability.py")


def copy(campaign: Path, to: Path) -> Path:
    return Path(shutil.copytree(campaign, to / "copy"))


def replace_line(campaign: Path, number: int, text: str) -> None:
    path = campaign / "cells.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    lines[number - 1] = text
    path.write_text("".join(lines))


@pytest.mark.parametrize("script", SCRIPTS)
def test_malformed_line_stops_every_script_with_its_number(
    script: str, healthy: Path, tmp_path: Path
) -> None:
    campaign = copy(healthy, tmp_path)
    replace_line(campaign, 17, '{"schema": "archbench.cell/1", \n')
    ended = run(script, campaign)
    assert ended.returncode == 1
    assert ended.stderr.startswith("fatal: ") and "line 17" in ended.stderr
    assert "Traceback" not in ended.stderr
    made = [p.name for p in campaign.iterdir()]
    assert sorted(made) == ["campaign.json", "cells.jsonl"], "nothing is made from bad data"


def test_last_line_cut_off_names_the_remedy(healthy: Path, tmp_path: Path) -> None:
    campaign = copy(healthy, tmp_path)
    path = campaign / "cells.jsonl"
    path.write_text(path.read_text()[:-40])
    with pytest.raises(results.BadData, match="cut off.*archbench run"):
        results.load(campaign)


def test_not_a_number_is_refused(healthy: Path, tmp_path: Path) -> None:
    campaign = copy(healthy, tmp_path)
    line = json.loads((campaign / "cells.jsonl").read_text().splitlines()[2])
    line["measurements"]["throughput_rps"] = float("nan")
    replace_line(campaign, 3, json.dumps(line) + "\n")
    with pytest.raises(results.BadData, match="line 3 is not JSON: NaN"):
        results.load(campaign)


def test_field_that_the_schema_does_not_know_is_refused(healthy: Path, tmp_path: Path) -> None:
    campaign = copy(healthy, tmp_path)
    line = json.loads((campaign / "cells.jsonl").read_text().splitlines()[0])
    line["measurements"]["speed"] = 1.0
    replace_line(campaign, 1, json.dumps(line) + "\n")
    with pytest.raises(results.BadData, match="line 1 does not follow archbench.cell/1.*'speed'"):
        results.load(campaign)


def test_identity_that_contradicts_the_fields_is_refused(healthy: Path, tmp_path: Path) -> None:
    campaign = copy(healthy, tmp_path)
    line = json.loads((campaign / "cells.jsonl").read_text().splitlines()[0])
    line["block"] = 6 - line["block"]
    replace_line(campaign, 1, json.dumps(line) + "\n")
    with pytest.raises(results.BadData, match="line 1 calls itself"):
        results.load(campaign)


def test_repeated_cell_is_refused(healthy: Path, tmp_path: Path) -> None:
    campaign = copy(healthy, tmp_path)
    first = (campaign / "cells.jsonl").read_text().splitlines(keepends=True)[0]
    replace_line(campaign, 9, first)
    with pytest.raises(results.BadData, match="line 9 repeats the cell of line 1"):
        results.load(campaign)


def test_plan_inside_campaign_json_is_checked_by_its_own_schema(
    healthy: Path, tmp_path: Path
) -> None:
    campaign = copy(healthy, tmp_path)
    about = json.loads((campaign / "campaign.json").read_text())
    about["plan"]["clients"] = []
    (campaign / "campaign.json").write_text(json.dumps(about))
    with pytest.raises(results.BadData, match="campaign.json does not follow.*plan/clients"):
        results.load(campaign)


def test_campaign_without_a_cell_is_bad_data(healthy: Path, tmp_path: Path) -> None:
    campaign = copy(healthy, tmp_path)
    (campaign / "cells.jsonl").write_text("")
    with pytest.raises(results.BadData, match="no finished cell"):
        results.load(campaign)


@pytest.mark.parametrize("script", SCRIPTS)
def test_misuse_ends_with_two_and_help_with_zero(script: str) -> None:
    refused = run(script, "--no-such-option", "x")
    assert refused.returncode == 2 and refused.stderr.startswith("fatal: ")
    told = run(script, "--help")
    assert told.returncode == 0 and "archbench run" in told.stdout


def test_gates_decide_what_counts(sick: Path) -> None:
    cells = {c.identity: c for c in results.load(sick).cells}
    assert not cells[f"{MP_AT_512}0"].usable
    assert not cells[MT_GATED].usable
    few_clients = cells["st/process/st process/plaintext/c1/k1/b0"]
    assert few_clients.usable and few_clients.limited, "not being the limit is no error"
    assert sum(not c.usable for c in cells.values()) == 8


def test_missing_cells_are_counted(healthy: Path, tmp_path: Path) -> None:
    campaign = copy(healthy, tmp_path)
    path = campaign / "cells.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-3]))
    assert results.load(campaign).missing == 3


def test_labels_come_by_architecture_then_by_plan(healthy: Path) -> None:
    wanted = tuple(server.label for server in synthetic.SERVERS)
    assert results.load(healthy).labels == wanted


def test_servers_without_a_label_keep_the_order_of_the_plan(tmp_path: Path) -> None:
    models = ("prefork", "fork", "zygote")
    servers = tuple(synthetic.Server("mp", m, f"mp-{m}", 50_000, 500) for m in models)
    campaign = synthetic.write(tmp_path, synthetic.Recipe(blocks=1, servers=servers))
    assert results.load(campaign).labels == ("mp-prefork", "mp-fork", "mp-zygote")


def test_ceilings_are_no_cells_of_a_server_and_not_missing(healthy: Path, tmp_path: Path) -> None:
    campaign = copy(healthy, tmp_path)
    path = campaign / "cells.jsonl"
    line = json.loads(path.read_text().splitlines()[0])
    line |= {"architecture": "null", "model": "null", "label": "ceiling", "block": 0}
    line["cell"] = (
        f"null/null/ceiling/{line['workload']}/c{line['clients']}/k{line['cpus']}/b{line['block']}"
    )
    path.write_text(json.dumps(line) + "\n" + path.read_text())
    about = json.loads((campaign / "campaign.json").read_text())
    about["cells_total"] += 1
    (campaign / "campaign.json").write_text(json.dumps(about))
    loaded = results.load(campaign)
    assert "ceiling" not in loaded.labels and loaded.missing == 0
    assert [c.identity for c in loaded.ceilings] == [line["cell"]]
    assert loaded.lines[loaded.cells[0].identity] == 2


@pytest.mark.parametrize(("why", "wanted"), [("precision", "precision"), ("running", None)])
def test_reason_for_stopping_early_is_read(
    why: str, wanted: str | None, healthy: Path, tmp_path: Path
) -> None:
    campaign = copy(healthy, tmp_path)
    assert results.load(campaign).stopped is None
    (campaign / "stop.json").write_text(json.dumps({"stopped": why}))
    assert results.load(campaign).stopped == wanted


def test_results_script_says_what_is_in_a_campaign(
    sick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert results.main([str(sick)]) == 0
    said = capsys.readouterr().out
    assert "usable    167" in said and f"failed    {MP_AT_512}0: the server ended" in said
    assert f"gate      {MT_GATED}: littles_law" in said


def test_packed_campaign_is_the_same_campaign(tmp_path: Path) -> None:
    campaign = synthetic.write(tmp_path, synthetic.Recipe())
    before, file = results.load(campaign), campaign / "cells.jsonl"
    packed = campaign / "cells.jsonl.xz"
    packed.write_bytes(lzma.compress(file.read_bytes()))
    file.unlink()
    assert results.load(campaign) == before
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(results.BadData, match="cannot be unpacked"):
        results.load(campaign)
