"""Claims are supported, refuted or left open as the data want it, and never by what must not decide."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

import judge
import results
import synthetic
from analysis import source_size
from analysis.evidence import FIRST_FILES, mask_calls, place_between
from analysis.hypotheses import REFUTED, SUPPORTED, UNDECIDED, Evidence, Verdict, judge_part, outcome
from analysis.record import Analysis, analyse, as_json
from conftest import run
from synthetic import Server

REGISTERED = judge.read_registered(judge.ROOT / "paper" / "hypotheses.json")
NEVER = 1e9  # clients at which a server's rate is halved

# A world in which every claim about load and CPUs is true.
TRUE_WORLD = {
    "fork": Server("mp", "fork", "mp-fork", 50_000, 400),
    "prefork": Server("mp", "prefork", "mp-prefork", 50_000, 400, 0.97),
    "thread": Server("mt", "thread", "mt-thread", 60_000, 1_500, 0.8),
    "staged": Server("mt", "staged", "mt-staged", 60_000, 9_000, 0.6),
    "epoll": Server("edsm", "epoll", "edsm-epoll", 80_000, 90_000, 0.97),
    "process": Server("st", "process", "st-process", 80_000, 90_000, 0.97),
    "hybrid": Server("st", "hybrid", "st-hybrid", 80_000, 90_000, 0.8),
    "pool 10": Server("mt", "pool", "pool-10", 60_000, 2_000, options=("--workers", "10")),
    "pool 500": Server("mt", "pool", "pool-500", 50_000, 1_000, options=("--workers", "500")),
}
BYTES = {"name": "bytes-1024", "path": "/bytes/1024"}
CLOSE = {"name": "bytes-1024-close", "path": "/bytes/1024", "keepalive": False}
IDLE = {"name": "idle", "path": "/bytes/1024", "generator_options": ["--idle", "1000"]}


def judged(
    tmp_path: Path, changes: dict[str, dict[str, Any]] | None = None, *, blocks: int = 6,
    cpus: tuple[int, ...] = (1, 4), noise: float = 0.005, gated: dict[str, str] | None = None,
    workloads: tuple[dict[str, Any], ...] = (BYTES, CLOSE),
) -> dict[str, Verdict]:
    """The verdicts of a world in which `changes` are made to the servers of TRUE_WORLD."""
    servers = tuple(
        dataclasses.replace(server, **(changes or {}).get(name, {}))
        for name, server in TRUE_WORLD.items()
    )
    recipe = synthetic.Recipe(
        blocks=blocks, servers=servers, workloads=workloads, clients=(256, 2048), cpus=cpus,
        cell_noise=noise, gated=gated or {},
    )
    analysis = analyse(results.load(synthetic.write(tmp_path, recipe)))
    return {v.id: v for v in judge.verdicts(REGISTERED, [analysis], judge.ROOT).verdicts}


@pytest.fixture(scope="module")
def true_world(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    return judged(tmp_path_factory.mktemp("true"))


def test_every_claim_that_is_true_of_the_data_is_supported(true_world: dict[str, Verdict]) -> None:
    found = {name: v.verdict for name, v in true_world.items() if name != "H10"}
    assert found == dict.fromkeys(found, SUPPORTED), [v.because for v in true_world.values()]
    assert len(true_world) == 13 and true_world["H10"].verdict == UNDECIDED


def test_every_verdict_from_cells_names_them(true_world: dict[str, Verdict]) -> None:
    for v in true_world.values():
        for part in v.parts:
            for e in part.evidence:
                assert (e.campaign is None) == (e.cells == ())
                assert all("/bytes-1024" in cell and "/b" in cell for cell in e.cells)
                assert e.low <= e.value <= e.high


FAULTS: list[tuple[str, dict[str, dict[str, Any]]]] = [
    ("H1", {"fork": {"decay_clients": NEVER}}),
    ("H2", {"prefork": {"efficiency": 0.7}}),
    ("H3", {"thread": {"decay_clients": 200.0}}),
    ("H4", {"thread": {"efficiency": 0.99}, "prefork": {"efficiency": 0.9}}),
    ("H5", {"staged": {"decay_clients": 300.0}}),
    ("H5", {"staged": {"efficiency": 0.95}}),
    ("H6", {"epoll": {"decay_clients": 300.0}}),
    ("H7", {"epoll": {"efficiency": 0.5}}),
    ("H8", {"process": {"decay_clients": 3_000.0}}),
    ("H9", {"hybrid": {"efficiency": 1.0}, "process": {"efficiency": 0.8}}),
    ("H11", {"pool 10": {"decay_clients": 300.0}}),
]


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(FAULTS)])
def test_fault_in_the_data_refutes(
    name: str, fault: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    assert judged(tmp_path, fault)[name].verdict == REFUTED


def test_claim_is_judged_by_the_campaigns_of_its_plan_and_else_by_those_at_hand(tmp_path: Path) -> None:
    fork = TRUE_WORLD["fork"]
    worlds = {"full": fork, "claims": dataclasses.replace(fork, decay_clients=NEVER)}
    analyses = []
    for plan, server in worlds.items():
        recipe = synthetic.Recipe(servers=(server,), workloads=(BYTES,), clients=(256, 2048), cpus=(1,))
        found = analyse(results.load(synthetic.write(tmp_path / plan, recipe)))
        analyses.append(dataclasses.replace(found, campaign=plan))

    def h1(*given: Analysis) -> Verdict:
        return next(v for v in judge.verdicts(REGISTERED, given, judge.ROOT).verdicts if v.id == "H1")

    assert h1(analyses[0]).verdict == SUPPORTED, "without its own plan the other one judges it"
    both = h1(*analyses)
    assert both.verdict == REFUTED
    assert {e.campaign for part in both.parts for e in part.evidence} == {"claims"}


def test_idle_connections_cost_everybody_or_the_claim_falls(tmp_path: Path) -> None:
    both = (BYTES, IDLE)
    assert judged(tmp_path / "a", workloads=both)["H10"].verdict == SUPPORTED
    immune = {"process": {"idle_keeps": 1.0}}
    assert judged(tmp_path / "b", immune, workloads=both, noise=0.001)["H10"].verdict == REFUTED


def test_noise_leaves_claims_open_and_names_who_could_decide(tmp_path: Path) -> None:
    found = judged(tmp_path, {"fork": {"decay_clients": 5_000.0}}, noise=0.3)
    assert found["H8"].verdict == UNDECIDED and found["H8"].decider
    assert found["S1"].verdict == SUPPORTED, "what is counted has no noise"


def test_five_blocks_and_two_cpus_decide_nothing(tmp_path: Path) -> None:
    few = judged(tmp_path / "few", blocks=5)
    assert few["H1"].verdict == UNDECIDED and "too few" in few["H1"].because
    two = judged(tmp_path / "two", cpus=(1, 2))
    assert two["H7"].verdict == UNDECIDED and "2 CPUs are too few" in two["H7"].because
    assert two["H1"].verdict == SUPPORTED


def test_server_that_was_not_the_limit_decides_nothing_over_cpus(tmp_path: Path) -> None:
    cells = [f"edsm/epoll/edsm-epoll/bytes-1024/c256/k4/b{b}" for b in range(6)]
    found = judged(tmp_path, gated=dict.fromkeys(cells, "server_was_the_limit"))
    assert found["H7"].verdict == UNDECIDED and "not the limit" in found["H7"].because


def evidence(low: float, high: float, flaw: str = "") -> Evidence:
    return Evidence("it", "c", (low + high) / 2, low, high, 6, (), flaw)


@pytest.mark.parametrize(
    ("part", "low", "high", "wanted"),
    [
        ({"above": 1}, 1.1, 1.2, SUPPORTED), ({"above": 1}, 0.9, 1.2, UNDECIDED),
        ({"above": 1}, 0.7, 0.9, REFUTED), ({"below": 1}, 0.7, 0.9, SUPPORTED),
        ({"below": 1}, 0.9, 1.1, UNDECIDED), ({"below": 1}, 1.1, 1.2, REFUTED),
        ({"within": [0.95, 1.05]}, 0.96, 1.04, SUPPORTED),
        ({"within": [0.95, 1.05]}, 0.9, 1.04, UNDECIDED),
        ({"within": [0.95, 1.05]}, 0.8, 0.9, REFUTED),
        ({"within": [2, 2]}, 2, 2, SUPPORTED), ({"within": [2, 2]}, 1, 1, REFUTED),
    ],
)
def test_whole_interval_must_lie_on_one_side(
    part: dict[str, Any], low: float, high: float, wanted: str
) -> None:
    assert outcome(part, evidence(low, high)) == wanted
    assert outcome(part, evidence(low, high, "too few blocks")) == UNDECIDED


def test_campaigns_that_contradict_each_other_leave_it_open() -> None:
    part = {"above": 1, "why": ""}
    both = judge_part(part, [evidence(1.1, 1.2), evidence(0.8, 0.9)], "")
    assert both.verdict == UNDECIDED and "contradict" in both.because
    each = judge_part({**part, "each": "server"}, [evidence(1.1, 1.2), evidence(0.8, 0.9)], "")
    assert each.verdict == REFUTED
    some = judge_part({**part, "each": "server"}, [evidence(1.1, 1.2), evidence(0.9, 1.1)], "")
    assert some.verdict == UNDECIDED
    one_sure = judge_part(part, [evidence(1.1, 1.2), evidence(0.9, 1.1)], "")
    assert one_sure.verdict == SUPPORTED
    assert judge_part(part, [], "nothing is there").because == "nothing is there"


def tree(root: Path, **decisions: int) -> Path:
    """Servers that share one file and have so many decisions of their own."""
    for kind, first in FIRST_FILES.items():
        path = root / first
        path.parent.mkdir(parents=True, exist_ok=True)
        body = "".join(f"  if (f({i})) g({i});\n" for i in range(decisions[kind]))
        path.write_text(f'#include "baselines/common/shared.h"\nvoid run() {{\n{body}}}\n')
    (root / "baselines" / "common").mkdir(parents=True, exist_ok=True)
    (root / "baselines/common/shared.h").write_text("int f(int);\n" * 50)
    return root


@pytest.mark.parametrize(("st", "wanted"), [(12, SUPPORTED), (35, REFUTED)])
def test_simplicity_is_counted_in_the_source(st: int, wanted: str, tmp_path: Path) -> None:
    root = tree(tmp_path, mp=10, mt=8, edsm=40, st=st)
    (found,) = place_between(root, {"measure": "decisions"})
    assert outcome({"below": 0.5}, found) == wanted
    assert found.value == pytest.approx((st - 10) / 30)
    assert place_between(tmp_path / "nowhere", {"measure": "lines"}) == []


def test_state_machine_as_small_as_threads_is_compared_directly(tmp_path: Path) -> None:
    root = tree(tmp_path, mp=10, mt=10, edsm=10, st=20)
    (found,) = place_between(root, {"measure": "decisions"})
    assert found.value == 2.0


def test_decisions_in_comments_strings_and_types_are_none() -> None:
    size = source_size.size_of(
        '// if (a && b)\n#if X && Y\n#endif\nvoid f(Fd&& x) {\n  /* for while\n case */\n'
        '  const char* s = "if (a) // ?";  char c = \'?\';\n  if (a && b || c) d = e ? 1 : 2;\n}\n'
    )
    assert (size.lines, size.decisions) == (6, 4)


def test_header_brings_its_source_file_and_shared_files_count_for_nobody(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    texts = {"b/a.cc": '#include "b/x.h"\n#include "b/s.h"\n', "b/c.cc": '#include "b/s.h"\n',
             "b/x.h": "int x;\n", "b/x.cc": "int y;\n", "b/s.h": "int s;\n", "b/s.cc": ""}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    own = source_size.own_parts(tmp_path, {"a": "b/a.cc", "c": "b/c.cc"}, "b/")
    assert own == {"a": {"b/a.cc", "b/x.h", "b/x.cc"}, "c": {"b/c.cc"}}


@pytest.mark.parametrize(("saving", "wanted"), [(2, SUPPORTED), (1, REFUTED), (3, REFUTED)])
def test_mask_calls_are_counted(saving: int, wanted: str, tmp_path: Path) -> None:
    assert mask_calls(tmp_path, {}) == []
    (tmp_path / "paper").mkdir()
    calls = {"sigsetjmp": saving, "_setjmp": 0, "swapcontext": 1}
    (tmp_path / "paper/mask_calls.json").write_text(
        json.dumps({"libc": "imagined", "calls_per_switch": calls})
    )
    (found,) = mask_calls(tmp_path, {})
    assert outcome({"within": [2, 2]}, found) == wanted


def test_script_writes_what_the_schema_wants_and_says_each_claim(
    healthy: Path, tmp_path: Path
) -> None:
    ended = run("verdicts", healthy, "-o", tmp_path / "v.json")
    assert ended.returncode == 0, ended.stderr
    record = json.loads((tmp_path / "v.json").read_text())
    results.check(record, "verdicts", "verdicts.json")
    for v in record["verdicts"]:
        assert f"{v['id']:<4} {v['verdict']}" in ended.stdout
    assert as_json(judge.verdicts(REGISTERED, [analyse(results.load(healthy))], judge.ROOT)) == (
        tmp_path / "v.json"
    ).read_text()


def test_unreadable_claims_are_bad_data(tmp_path: Path) -> None:
    with pytest.raises(results.BadData, match="cannot be read"):
        judge.read_registered(tmp_path / "none.json")
    (tmp_path / "two.json").write_text(
        (judge.ROOT / "paper/hypotheses.json").read_text().replace('"below": 0.9', '"below": 0.9, "above": 1')
    )
    with pytest.raises(results.BadData, match="archbench.hypotheses/1"):
        judge.read_registered(tmp_path / "two.json")
