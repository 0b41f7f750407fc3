"""The plans that come with archbench hold what is promised of them."""

from __future__ import annotations

import json
from pathlib import Path

PLANS = Path(__file__).resolve().parents[2] / "harness" / "plans"
FOUR = {"mp", "mt", "edsm", "st"}


def test_the_quick_plan_holds_both_curves_of_all_four_architectures() -> None:
    plan = json.loads((PLANS / "quick.json").read_text())
    assert {server["architecture"] for server in plan["servers"]} >= FOUR
    clients = plan["clients"]
    assert len(clients) >= 5, "a load curve of fewer points hides where it bends"
    assert min(clients) == 1
    assert max(clients) >= 1000
    assert {1, 2} <= set(plan["cpus"])
    assert plan["blocks"] >= 6, "fewer blocks give no 95 % interval"
    assert "servers" not in plan["workloads"][0], "the workload is asked of every server"


def test_every_plan_asks_a_question_and_has_the_name_of_its_file() -> None:
    for path in sorted(PLANS.glob("*.json")):
        plan = json.loads(path.read_text())
        assert plan["name"] == path.stem
        assert plan["question"].endswith((".", "?")), path
