#!/usr/bin/python3
"""Make a campaign whose truth is known, to test the scripts that look at campaigns.

    scripts/tests/synthetic.py /tmp/synthetic --blocks 7

Every block is slowed by a factor of its own (the machine's mood), which pairing within blocks must
remove; every cell has noise of its own, which it cannot. `truth()` is the curve without either.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CLIENTS = (1, 8, 64, 512)
CPUS = (1, 2)
Json = dict[str, Any]


@dataclass(frozen=True)
class Server:
    """One label and its truth, in requests per server CPU-second."""

    architecture: str
    model: str
    label: str
    rate: float  # at few clients
    decay_clients: float  # the rate is halved here; infinity never
    efficiency: float = 1.0  # of further CPUs
    options: tuple[str, ...] = ()
    idle_keeps: float = 0.9  # of the rate beside idle connections


SERVERS = (
    Server("mp", "prefork", "mp prefork", 52_000, 400, 0.96),
    Server("mt", "thread", "mt thread", 60_000, 900, 0.85),
    Server("edsm", "epoll", "edsm epoll", 80_000, 20_000, 0.98),
    Server("edsm", "epoll", "edsm epoll (twin)", 80_000, 20_000, 0.98),
    Server("st", "process", "st process", 88_000, 18_000, 0.97),
)


@dataclass
class Recipe:
    """What to make; the defaults are a healthy campaign."""

    blocks: int = 7
    seed: int = 1
    servers: tuple[Server, ...] = SERVERS
    workloads: tuple[Json, ...] = ({"name": "plaintext", "path": "/plaintext"},)  # as in a plan
    clients: tuple[int, ...] = CLIENTS
    cpus: tuple[int, ...] = CPUS
    cell_noise: float = 0.01
    block_noise: float = 0.25
    failed: set[str] = field(default_factory=set)  # identities without a measurement
    gated: dict[str, str] = field(default_factory=dict)  # identity -> name of the failed gate
    raw: bool = False  # with the generators' reports


def rich(blocks: int = 6) -> Recipe:
    """A campaign with data for every figure: sizes, idle clients, disk, offered rates, pools, histograms."""
    sizes = [{"name": f"bytes-{n}", "path": f"/bytes/{n}"} for n in (64, 1024, 65536)]
    idle = {"name": "idle-1000", "path": "/bytes/1024", "generator_options": ["--idle", "1000"]}
    slow = {"name": "slow-256", "path": "/bytes/1024",
            "generator_options": ["--slow-clients", "256", "--slow-read", "20000"]}
    opened = {"name": "open", "path": "/bytes/1024", "generator": "stload",
              "rates": [20_000, 40_000, 80_000, 160_000]}
    disk = {"name": "disk", "path": "/disk/1"}
    pools = tuple(
        Server("mt", "pool", f"pool {n}", 70_000, 100 * n, options=("--workers", str(n))) for n in (4, 64)
    )
    return Recipe(
        blocks=blocks, servers=SERVERS + pools, clients=(64, 512), workloads=(*sizes, idle, slow, opened, disk), raw=True
    )


def truth(
    server: Server, clients: int, cpus: int, workload: Json | None = None,
    offered: float | None = None,
) -> dict[str, float]:
    """Throughput and requests per CPU-second before any noise."""
    workload = workload or {}
    per_cpu = server.rate / (1 + clients / server.decay_clients)
    per_cpu *= server.efficiency if cpus > 1 else 1.0
    found = re.search(r"/bytes/(\d+)", workload.get("path", ""))
    per_cpu /= 1 + int(found.group(1)) / 20_000 if found else 1
    per_cpu *= 0.1 if "/disk/" in workload.get("path", "") else 1.0
    if "--idle" in workload.get("generator_options", ()):
        per_cpu *= server.idle_keeps
    busy = min(1.0, 0.4 + 0.6 * (clients - 1) / 7)  # one client cannot keep a server busy
    able = per_cpu * cpus * busy
    return {
        "requests_per_cpu_s": per_cpu,
        "throughput_rps": able if offered is None else min(able, offered),
    }


def latencies(clients: int) -> dict[int, int]:
    """What each cell's generator observed, in microseconds."""
    return {clients * (20 + 2 * i): 600 - 5 * i for i in range(110)} | {50_000 + clients: 40}


def corrected(raw: dict[int, int], expected_us: int) -> dict[int, int]:
    """What wrk 4.1.0 makes of a histogram before it reports it (stats_correct)."""
    data = dict(raw)
    for n in sorted(raw):
        if n >= 2 * expected_us:
            m = n - expected_us
            while m > expected_us:
                data[m] = data.get(m, 0) + raw[n]
                m -= expected_us
    return dict(sorted(data.items()))


def plan(recipe: Recipe) -> dict[str, Any]:
    return {
        "schema": "archbench.plan/1",
        "name": "synthetic",
        "question": "Do the scripts find the truth that was put into these numbers?",
        "servers": [
            {"architecture": s.architecture, "model": s.model}
            | ({} if s.label == f"{s.architecture}-{s.model}" else {"label": s.label})
            | ({"options": list(s.options)} if s.options else {})
            for s in recipe.servers
        ],
        "workloads": list(recipe.workloads),
        "clients": list(recipe.clients),
        "cpus": list(recipe.cpus),
        "seconds": 2,
        "blocks": recipe.blocks,
        "seed": recipe.seed,
        "system_clients": [recipe.clients[-2]],
    }


def about(recipe: Recipe, total: int) -> dict[str, Any]:
    return {
        "schema": "archbench.campaign/1",
        "name": "synthetic",
        "started_utc": "2026-01-01T12:00:00Z",
        "seed": recipe.seed,
        "cells_total": total,
        "cells_per_block": total // recipe.blocks,
        "plan": plan(recipe),
        "command": ["archbench", "run", "synthetic.json"],
        "environment": {
            "kernel": "6.1.0", "machine": "x86_64", "cpus": 2, "cpu_list": "0-1",
            "cpu_model": "Imagined CPU", "memory_bytes": 8 << 30, "hypervisor": True,
            "sysctls": {"net.core.somaxconn": "4096"},
        },
        "provenance": {
            "archbench_version": "1.0.0",
            "commit": "0123456789abcdef0123456789abcdef01234567",
            "dirty": False,
            "compiler": "g++ 12.2.0",
            "servers": [{"architecture": "st", "path": "httpd_st", "sha256": "0" * 64}],
        },
        "doctor": [
            {"name": "governor", "verdict": "warn", "found": "no cpufreq <here>",
             "why": "the clock may change", "advice": "compare requests per CPU-second only"},
            {"name": "descriptors", "verdict": "ok", "found": "1048576"},
        ],
    }


def cells(recipe: Recipe) -> list[dict[str, Any]]:
    chance = random.Random(recipe.seed)
    made = []
    for block in range(recipe.blocks):
        mood = chance.gauss(1.0, recipe.block_noise)
        mood = max(0.3, mood)
        order = [
            (s, w, rate, n, k)
            for s in recipe.servers for w in recipe.workloads for rate in w.get("rates", [None])
            for n in recipe.clients for k in recipe.cpus
            if k == recipe.cpus[0] or n == recipe.clients[-2]
        ]
        chance.shuffle(order)
        for position, where in enumerate(order):
            factor = mood * max(0.1, chance.gauss(1.0, recipe.cell_noise))
            made.append(_cell(recipe, *where, block, position, factor))
    return made


def _cell(
    recipe: Recipe, server: Server, workload: Json, offered: float | None, clients: int, cpus: int,
    block: int, order: int, factor: float,
) -> Json:
    name = workload["name"] + ("" if offered is None else f"-r{offered:g}")
    identity = (
        f"{server.architecture}/{server.model}/{server.label}/{name}/c{clients}/k{cpus}/b{block}"
    )
    cell: Json = {
        "schema": "archbench.cell/1", "cell": identity,
        "architecture": server.architecture, "model": server.model, "label": server.label,
        "workload": name, "clients": clients, "cpus": cpus, "block": block,
        "order": order, "status": "ok", "started_utc": "2026-01-01T12:00:00Z",
        "measurements": {}, "gates": [], "warnings": [],
        "provenance": {
            "server_command": ["httpd_" + server.architecture, "--model", server.model],
            "generator_command": ["wrk", "-c", str(clients)], "seed": recipe.seed,
        },
    }
    if offered is not None:
        cell["offered_rps"] = offered
    if recipe.raw:
        kind = "wrk" if offered is None else "stload"
        cell["provenance"]["raw"] = [f"raw/b{block}-{order:04}.{kind}.json"]
    if identity in recipe.failed:
        cell["status"] = "failed"
        cell["reason"] = "the server ended before it was ready <exit 1>"
        return cell
    cell["measurements"] = _measurements(
        truth(server, clients, cpus, workload, offered), factor, clients, server
    )
    if offered is not None:
        late = offered / cell["measurements"]["throughput_rps"]
        cell["measurements"]["latency_intended_us_p99"] = 2_000 * late**8
    cell["gates"] = [_gate(recipe, identity, name, clients) for name in GATES]
    if clients == 512 and server.architecture == "mp":
        cell["warnings"] = [{"code": "no_steady_state", "text": "throughput still moved"}]
    return cell


def _measurements(
    true: dict[str, float], factor: float, clients: int, server: Server
) -> dict[str, float]:
    per_cpu = true["requests_per_cpu_s"] * factor
    rate = true["throughput_rps"] * factor
    own_process = server.architecture in ("mp", "mt")
    return {
        "duration_s": 2.0, "requests": round(2 * rate), "throughput_rps": rate,
        "requests_per_cpu_s": per_cpu, "cpu_us_per_request": 1e6 / per_cpu,
        "server_cpu_s": 2 * rate / per_cpu, "latency_us_p50": 1e6 * clients / rate,
        "latency_us_p99": 4e6 * clients / rate, "server_user_share": 0.2, "server_cpu_share": 0.98,
        "system_us_per_request": 1.2e6 / per_cpu,
        "syscalls_per_request": 2.0 if own_process else 2.1,
        "voluntary_switches_per_request": 1.0 if own_process else 0.01,
        "involuntary_switches_per_request": 0.02,
        "memory_bytes_per_connection": 100_000.0 if own_process else 4_096.0,
        "served_connections": clients, "jain_index": 0.7 if own_process else 0.99,
        "generator_requests": round(2 * rate), "ceiling_rps": 400_000.0,
        "slowest_client_requests": round((0.2 if own_process else 0.9) * 2 * rate / clients),
    }


GATES = ("littles_law", "completions_agree", "every_client_served", "server_was_the_limit")


def _gate(recipe: Recipe, identity: str, name: str, clients: int) -> dict[str, Any]:
    limited = name == "server_was_the_limit" and clients < 8
    if limited or recipe.gated.get(identity) == name:
        return {"name": name, "verdict": "fail", "value": 0.5, "limit": 0.95,
                "text": f"{name} is off at {clients} clients & more"}
    return {"name": name, "verdict": "pass", "text": f"{name} holds"}


def write(directory: Path, recipe: Recipe | None = None) -> Path:
    """Makes the campaign in `directory` and returns it."""
    recipe = recipe or Recipe()
    made = cells(recipe)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "campaign.json").write_text(json.dumps(about(recipe, len(made)), indent=1))
    lines = [json.dumps(cell) + "\n" for cell in made]
    (directory / "cells.jsonl").write_text("".join(lines))
    for name, text in _reports(recipe, made):
        (directory / "raw").mkdir(exist_ok=True)
        (directory / name).write_text(text)
    return directory


def _reports(recipe: Recipe, made: list[Json]) -> Iterator[tuple[str, str]]:
    """The generators' reports, in the parts that the scripts read."""
    for cell in made if recipe.raw else ():
        (name,) = cell["provenance"]["raw"]
        observed = latencies(cell["clients"])
        if name.endswith(".stload.json"):
            distribution = {"histogram": [[us + 0.5, n] for us, n in observed.items()]}
            yield name, json.dumps(
                {"schema": "stload.report/1", "load": {"kind": "open"}, "latency_us": distribution}
            )
            continue
        requests, expected_us = sum(observed.values()), 5_000
        yield name, json.dumps({
            "requests": requests, "errors": {"timeout": 0},
            "duration_us": requests // cell["clients"] * expected_us,
            "latency_us": list(corrected(observed, expected_us).items()),
        })


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--blocks", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sick", action="store_true", help="with failed cells and failed gates")
    options = parser.parse_args()
    recipe = Recipe(blocks=options.blocks, seed=options.seed)
    if options.sick:
        recipe.failed = {
            f"mp/prefork/mp prefork/plaintext/c512/k1/b{b}" for b in range(options.blocks)
        }
        recipe.gated = {
            "mt/thread/mt thread/plaintext/c64/k1/b1": "littles_law",
            "mt/thread/mt thread/plaintext/c512/k1/b2": "completions_agree",
            "edsm/epoll/edsm epoll/plaintext/c512/k1/b3": "every_client_served",
        }
    print(write(options.directory, recipe))


if __name__ == "__main__":
    main()
