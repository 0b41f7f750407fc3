#!/usr/bin/python3
"""How far stload's percentiles are from the truth, told by a server that writes down how long it took.

    harness/stload/bench/known_delays.py

Three kinds of truth: a fixed 2 ms; 2 ms and 200 ms for one request in 100; a stall of 1 s in 11 s. Server and stload each
spin on a CPU of their own, because waking a sleeping one takes 20-30 us. `truth` is the server's own figure for the same
rank, so `off` contains the way there and back. The last lines are the same stall seen by a closed loop, which hides it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]


def measure(delays: list[int], load: list[str], binaries: Path) -> tuple[dict[str, Any], list[int]]:
    """stload's report, and how long the server took for each request, in microseconds, in order of size.

    `delays` are known_server's arguments without the last one."""
    first, second = sorted(os.sched_getaffinity(0))[:2]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        with subprocess.Popen(["taskset", "-c", str(first), str(binaries / "known_server"), *map(str, delays), "1"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            subprocess.run(["taskset", "-c", str(second), str(binaries / "stload"), "--spin", "--warmup", "0",
                            "--json", str(report), *load, url], stdout=subprocess.DEVNULL, check=True)
            said, _ = server.communicate()
        return json.loads(report.read_text()), sorted(delay for _, delay in json.loads(said))


def at_rank(histogram: list[tuple[float, int]], rank: int) -> float:
    for value, count in histogram:
        rank -= count
        if rank <= 0:
            return value
    raise AssertionError("there are not so many requests")


def compare(title: str, report: dict[str, Any], truth: list[int]) -> None:
    latency = report["latency_us"]
    assert len(truth) == latency["count"], "every request is in the window"
    hides = ", labelled as hiding stalls" if report["load"]["hides_stalls"] else ""
    print(f"{title}: {len(truth):,} requests{hides}")
    for share in (0.5, 0.9, 0.95, 0.99, 0.995, 1):
        rank = math.ceil(share * len(truth) - 1e-6)
        name = f"p{100 * share:g}" if share < 1 else "max"
        # What the report has is taken from there; the rest it would have, given more requests.
        said, right = latency.get(name, at_rank(latency["histogram"], rank)), truth[rank - 1]
        print(f"  {name:6}{said / 1000:10.2f} ms   truth {right / 1000:10.2f} ms   off {100 * (said / right - 1):+6.2f} %",
              flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=REPOSITORY / "build/release/bin",
                        help="where known_server and stload are [%(default)s]")
    options = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("fatal: there is one CPU here, and server and stload need one each")
    open_loop = ["--rate", "2500", "--arrivals", "constant", "--clients", "800", "--duration", "10"]
    stall = [2000, 0, 0, 5000, 1000]
    at_1000 = ["--rate", "1000", "--arrivals", "poisson", "--clients", "1500", "--duration", "11"]
    for name, delays, load in [
            ("2 ms", [2000, 0, 0, 0, 0], open_loop),
            ("2 ms, one in 100 takes 200 ms", [2000, 100, 200_000, 0, 0], open_loop),
            ("2 ms, a stall of 1 s, open loop", stall, at_1000),
            ("2 ms, a stall of 1 s, closed loop of 8 clients", stall, ["--clients", "8", "--duration", "11"])]:
        compare(name, *measure(delays, load, options.bin))


if __name__ == "__main__":
    main()
