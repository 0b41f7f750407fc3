"""What a workload varies is read off its path, its options and its offered rate."""

from __future__ import annotations

from pathlib import Path

import results
import synthetic
from analysis.workloads import Workload, by_quantity, workloads_of


def workload(name: str, path: str, **varies: float) -> Workload:
    return Workload(name, path, True, varies)


def test_sizes_of_the_same_path_are_a_family() -> None:
    small = workload("small", "/bytes/64", response_bytes=64)
    large = workload("large", "/bytes/65536", response_bytes=65536)
    other = workload("disk", "/disk/4", disk_reads=4)
    assert by_quantity([large, other, small], "response_bytes") == {"/bytes/N": [small, large]}
    assert by_quantity([small, other], "response_bytes") == {}


def test_no_idle_clients_belong_to_the_family_of_some() -> None:
    none = workload("none", "/bytes/64", response_bytes=64)
    some = workload("some", "/bytes/64", response_bytes=64, idle_clients=1000)
    larger = workload("larger", "/bytes/128", response_bytes=128)
    families = by_quantity([some, none, larger], "idle_clients")
    assert families == {"/bytes/64": [none, some]}


def test_sizes_beside_idle_clients_are_another_family() -> None:
    sizes = [workload(f"s{n}", f"/bytes/{n}", response_bytes=n) for n in (1, 2)]
    idle = [workload(f"i{n}", f"/bytes/{n}", response_bytes=n, idle_clients=9) for n in (1, 2)]
    families = by_quantity(sizes + idle, "response_bytes")
    assert families == {"/bytes/N": sizes, "/bytes/N, idle_clients 9": idle}


def test_quantities_of_a_campaign(tmp_path: Path) -> None:
    campaign = results.load(synthetic.write(tmp_path, synthetic.rich(blocks=1)))
    found = {w.name: w.varies for w in workloads_of(campaign)}
    assert found["bytes-65536"] == {"response_bytes": 65536}
    assert found["idle-1000"] == {"response_bytes": 1024, "idle_clients": 1000}
    assert found["open-r40000"] == {"response_bytes": 1024, "offered_rps": 40000}
    assert found["disk"] == {"disk_reads": 1}
