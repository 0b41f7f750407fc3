"""Two campaigns: a change is found, no change is called the same, and other machines are refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

import compare
import results
import synthetic
from analysis.comparable import differences
from analysis.points import CPU_SECOND
from analysis.record import analyse
from conftest import run

SERVERS = synthetic.SERVERS[2:3] + synthetic.SERVERS[4:]


def campaign(
    to: Path, seed: int, blocks: int = 8, rate: float = 1.0,
    about: dict[str, dict[str, Any]] | None = None,
) -> Path:
    """A campaign of two servers; `rate` speeds the second one up, `about` changes campaign.json."""
    servers = (SERVERS[0], dataclasses.replace(SERVERS[1], rate=SERVERS[1].rate * rate))
    recipe = synthetic.Recipe(blocks=blocks, seed=seed, servers=servers, block_noise=0.02)
    made = synthetic.write(to, recipe)
    record = json.loads((made / "campaign.json").read_text())
    for part, changes in (about or {}).items():
        record[part].update(changes)
    (made / "campaign.json").write_text(json.dumps(record))
    return made


def test_faster_server_is_found_and_the_other_is_the_same(tmp_path: Path) -> None:
    one, other = campaign(tmp_path / "a", 1), campaign(tmp_path / "b", 2, rate=1.3)
    found = compare.changes(analyse(results.load(one)), analyse(results.load(other)), CPU_SECOND)
    for c in found:
        assert c.verdict == ("faster" if c.point.label == "st process" else "same")
    ended = run("compare.py", one, other)
    assert ended.returncode == 0 and "Comparable:" in ended.stdout
    assert "of 10 points: 5 faster, 5 same" in ended.stdout


def test_slower_server_is_found(tmp_path: Path) -> None:
    one, other = campaign(tmp_path / "a", 1, rate=1.3), campaign(tmp_path / "b", 2)
    found = compare.changes(analyse(results.load(one)), analyse(results.load(other)), CPU_SECOND)
    assert sum(c.verdict == "slower" for c in found) == 5


def test_no_change_is_called_a_change_in_at_most_six_percent(tmp_path: Path) -> None:
    one = analyse(results.load(campaign(tmp_path / "a", 1)))
    found = [
        c
        for seed in range(2, 12)
        for c in compare.changes(
            one, analyse(results.load(campaign(tmp_path / str(seed), seed))), CPU_SECOND
        )
    ]
    assert sum(c.verdict in ("faster", "slower") for c in found) / len(found) <= 0.06


def test_three_blocks_are_too_few(tmp_path: Path) -> None:
    one, other = campaign(tmp_path / "a", 1, 3), campaign(tmp_path / "b", 2, 3, rate=2)
    lines, status = compare.report(
        analyse(results.load(one)), analyse(results.load(other)), [], [CPU_SECOND]
    )
    assert status == 0 and sum("too few blocks" in line for line in lines) == 10
    assert "none decided, 10 undecided" in lines[-1]


@pytest.mark.parametrize(
    ("about", "named"),
    [
        ({"environment": {"cpu_model": "Another CPU"}}, "machine: cpu_model: Imagined CPU -> Another CPU"),
        ({"environment": {"sysctls": {"net.core.somaxconn": "8"}}}, "machine: sysctls.net.core.somaxconn"),
        ({"provenance": {"wrk_sha256": "f" * 64}}, "tools: wrk_sha256: unknown -> ffff"),
        ({"plan": {"seconds": 9}}, "plan: seconds: 2 -> 9"),
        ({"plan": {"workloads": [{"name": "plaintext", "path": "/bytes/9"}]}}, "workload plaintext.path"),
    ],
)
def test_other_machine_tool_or_method_is_not_comparable(
    about: dict[str, dict[str, Any]], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = campaign(tmp_path / "a", 1), campaign(tmp_path / "b", 2, rate=2, about=about)
    assert compare.main([str(one), str(other)]) == compare.NOT_COMPARABLE
    said = capsys.readouterr().out
    assert f"SPOILS  {named}" in said and "Not comparable" in said and "faster" not in said


def test_other_commit_and_load_average_are_comparable(tmp_path: Path) -> None:
    servers = [{"architecture": "st", "path": "httpd_st", "sha256": "1" * 64}]
    one = results.load(campaign(tmp_path / "a", 1))
    other = results.load(campaign(
        tmp_path / "b", 2,
        about={
            "provenance": {"commit": "f" * 40, "servers": servers},
            "environment": {"load_average_1min": 3.0},
        },
    ))
    found = differences(one, other)
    assert [d.what for d in found] == ["source: commit", "binary of st"]
    assert not any(d.spoils for d in found)


def test_campaigns_without_a_common_point_say_so(tmp_path: Path) -> None:
    one = analyse(results.load(campaign(tmp_path / "a", 1)))
    other = dataclasses.replace(one, points=())
    assert "no point is in both campaigns" in compare.report(one, other, [], [CPU_SECOND])[0]


def test_misuse_and_bad_data(healthy: Path, tmp_path: Path) -> None:
    assert run("compare.py", healthy).returncode == 2
    ended = run("compare.py", healthy, tmp_path)
    assert ended.returncode == 1 and "cannot be read" in ended.stderr
