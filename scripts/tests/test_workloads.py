"""What a workload varies is read off its path, its options and its offered rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import results
import synthetic
from analysis.workloads import Workload, _workload, by_quantity, workloads_of


def workload(name: str, how: str, **varies: float) -> Workload:
    return Workload(name, "", True, varies, how)


def test_sizes_of_the_same_path_are_a_family() -> None:
    small = workload("small", "/bytes/N", response_bytes=64)
    large = workload("large", "/bytes/N", response_bytes=65536)
    other = workload("disk", "/disk/N", disk_reads=4)
    assert by_quantity([large, other, small], "response_bytes") == {"/bytes/N": [small, large]}
    assert by_quantity([small, other], "response_bytes") == {}


def test_no_idle_clients_belong_to_the_family_of_some() -> None:
    none = workload("none", "/bytes/N", response_bytes=64)
    some = workload("some", "/bytes/N", response_bytes=64, idle_clients=1000)
    larger = workload("larger", "/bytes/N", response_bytes=128)
    families = by_quantity([some, none, larger], "idle_clients")
    assert families == {"/bytes/N, 64 response bytes": [none, some]}


def test_another_generator_is_another_family() -> None:
    none = workload("none", "/bytes/N", response_bytes=64)
    some = workload("some", "/bytes/N, stload", response_bytes=64, idle_clients=1000)
    assert by_quantity([none, some], "idle_clients") == {}


def test_of_two_with_the_same_size_the_first_is_taken() -> None:
    first, second, other = (
        workload(name, "/bytes/N", response_bytes=n) for name, n in (("a", 1), ("b", 1), ("c", 2))
    )
    assert by_quantity([first, second, other], "response_bytes") == {"/bytes/N": [first, other]}


def test_quantities_of_a_campaign(tmp_path: Path) -> None:
    campaign = results.load(synthetic.write(tmp_path, synthetic.rich(blocks=1)))
    found = {w.name: w.varies for w in workloads_of(campaign)}
    assert found["bytes-65536"] == {"response_bytes": 65536}
    assert found["idle-1000"] == {"response_bytes": 1024, "idle_clients": 1000}
    assert found["open-r40000"] == {"response_bytes": 1024, "offered_rps": 40000}
    assert found["disk"] == {"disk_reads": 1}


def plan_workloads(*fields: dict[str, Any], usual: str = "wrk") -> list[Workload]:
    return [_workload(str(f["name"]), f, None, usual) for f in fields]


def test_how_slow_the_slow_are_is_no_difference_from_none() -> None:
    none, some = plan_workloads(
        {"name": "none", "path": "/bytes/9"},
        {"name": "some", "path": "/bytes/9",
         "generator_options": ["--slow-clients", "256", "--slow-read", "20000", "--timeout", "9"]},
        usual="stload",
    )
    assert (none.how, some.how) == ("/bytes/N, stload", "/bytes/N, stload, --timeout, 9")
    assert some.varies == {"response_bytes": 9, "slow_clients": 256}


def test_files_have_sizes_and_a_mix_has_none() -> None:
    file, mix = plan_workloads(
        {"name": "file", "path": "/file/small/16384", "keepalive": False}, {"name": "mix", "mix": []}
    )
    assert file.varies == {"response_bytes": 16384}
    assert file.how == "/file/small/N, a connection for each request" and mix.how == "a mix"
