#!/usr/bin/python3
"""How far stload's percentiles are from the truth, told by a server that writes down how long it took.

    harness/stload/bench/known_delays.py
    harness/stload/bench/known_delays.py --only fixed --repetitions 9

Kinds of truth: a fixed 2 ms; 2 ms and 200 ms for one request in 100 (rare); a stall of 1 s in 11 s, seen by an open loop
and by a closed one, which hides it. Server and stload each spin on a CPU of their own, because waking a sleeping one takes
20-30 us. The truth is the server's own figure for the same rank, so `off` contains the way there and back. It is the median
over the repetitions, with the least and the most.

Two programs that spin on both CPUs leave none for anything else. What the kernel, the hypervisor or another program takes from
them delays what happens to be due, and that is in the percentiles by right: no error of stload. So before each repetition
two loops that only read the clock spin on the same CPUs, and tell which share of the time they lost in pauses. Percentiles
that lie in this share are marked and not counted in the largest error; run it where there are fewer to know of them.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

REPOSITORY = Path(__file__).resolve().parents[3]
SHARES = (0.5, 0.9, 0.95, 0.99, 0.995, 1)
AIM_PERCENT = 2
LOOK_S = 1.0
PAUSE_S = 10e-6  # longer than a loop of Python takes without any; half a hundredth of the 2 ms


class Case(NamedTuple):
    """One kind of truth: known_server's arguments without the last one, and the load."""

    title: str
    delays: list[int]
    load: list[str]


OPEN_LOOP = ["--rate", "2500", "--arrivals", "constant", "--clients", "800", "--duration", "4"]
STALL = [2000, 0, 0, 5000, 1000]
AT_1000 = ["--rate", "1000", "--arrivals", "poisson", "--clients", "1500", "--duration", "11"]
CASES = {
    "fixed": Case("2 ms", [2000, 0, 0, 0, 0], OPEN_LOOP),
    "rare": Case("2 ms, one in 100 takes 200 ms", [2000, 100, 200_000, 0, 0], OPEN_LOOP),
    "stall": Case("2 ms, a stall of 1 s, open loop", STALL, AT_1000),
    "hidden": Case("2 ms, a stall of 1 s, closed loop of 8 clients", STALL, ["--clients", "8", "--duration", "11"]),
}


def lost(cpu: int) -> float:
    """The share of LOOK_S that a loop on that CPU spent in pauses that it did not make itself."""
    os.sched_setaffinity(0, {cpu})
    before = begin = time.monotonic_ns()
    pauses = 0
    while before - begin < 1e9 * LOOK_S:
        now = time.monotonic_ns()
        if now - before > 1e9 * PAUSE_S:
            pauses += now - before
        before = now
    return pauses / (before - begin)


def disturbed_share(server: int, generator: int) -> float:
    """Of the requests that meet a pause where it is no part of the truth: when they are sent, when the server reads them, and
    when the answer is read."""
    with concurrent.futures.ProcessPoolExecutor() as loops:
        of_server, of_generator = loops.map(lost, (server, generator))
    return min(1.0, of_server + 2 * of_generator)


class Run(NamedTuple):
    """One repetition."""

    report: dict[str, Any]
    truth: list[int]  # how long the server took for each request, in microseconds, in order of size
    disturbed: float  # share of the requests, by what a loop without work met just before

    def at(self, share: float) -> tuple[float, int]:
        """What stload says is the latency of that rank, and what it was, in microseconds."""
        latency = self.report["latency_us"]
        rank = math.ceil(share * len(self.truth) - 1e-6)
        # What the report has is taken from there; the rest it would have, given more requests.
        return latency.get(name_of(share), at_rank(latency["histogram"], rank)), self.truth[rank - 1]


def name_of(share: float) -> str:
    return f"p{100 * share:g}" if share < 1 else "max"


def at_rank(histogram: list[tuple[float, int]], rank: int) -> float:
    for value, count in histogram:
        rank -= count
        if rank <= 0:
            return value
    raise AssertionError("there are not so many requests")


def measure(case: Case, binaries: Path) -> Run:
    first, second = sorted(os.sched_getaffinity(0))[:2]
    disturbed = disturbed_share(first, second)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        with subprocess.Popen(["taskset", "-c", str(first), str(binaries / "known_server"), *map(str, case.delays), "1"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            subprocess.run(["taskset", "-c", str(second), str(binaries / "stload"), "--spin", "--warmup", "0",
                            "--json", str(report), *case.load, url], stdout=subprocess.DEVNULL, check=True)
            said, _ = server.communicate()
        made = Run(json.loads(report.read_text()), sorted(delay for _, delay in json.loads(said)), disturbed)
    assert len(made.truth) == made.report["latency_us"]["count"], "every request is in the window"
    return made


def show(case: Case, runs: list[Run]) -> float:
    """Prints them; the largest median error in percent of those that the machine lets be known."""
    disturbed = statistics.median(run.disturbed for run in runs)
    hides = ", labelled as hiding stalls" if runs[0].report["load"]["hides_stalls"] else ""
    print(f"{case.title}: {len(runs)} times {len(runs[0].truth):,} requests{hides}")
    worst = 0.0
    for share in SHARES:
        pairs = [run.at(share) for run in runs]
        said, right = (statistics.median(column) for column in zip(*pairs))
        off = [100 * (one / other - 1) for one, other in pairs]
        known = share <= 1 - disturbed
        if known:
            worst = max(worst, abs(statistics.median(off)))
        print(f"  {name_of(share):6}{said / 1000:10.2f} ms   truth {right / 1000:10.2f} ms   off "
              f"{statistics.median(off):+6.2f} %   ({min(off):+.2f} to {max(off):+.2f}){'' if known else '   the machine'}")
    print("  disturbed by the machine: " + " ".join(f"{100 * run.disturbed:.1f}" for run in runs) + " % of the requests", flush=True)
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=CASES, action="append", help="this kind; may be given again [all]")
    parser.add_argument("--repetitions", type=int, default=3, metavar="N", help="of each [%(default)s]")
    parser.add_argument("--bin", type=Path, default=REPOSITORY / "build/release/bin", metavar="DIR",
                        help="where known_server and stload are [%(default)s]")
    options = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("fatal: there is one CPU here, and server and stload need one each")
    if options.repetitions < 1:
        parser.error("--repetitions: at least 1")
    worst = {}
    for name in options.only or CASES:
        runs = [measure(CASES[name], options.bin) for _ in range(options.repetitions)]
        worst[name] = show(CASES[name], runs)
    print("largest error of the others: " + ", ".join(f"{name} {off:.2f} %" for name, off in worst.items() if name != "hidden")
          + f" (aim: {AIM_PERCENT} %)")


if __name__ == "__main__":
    main()
