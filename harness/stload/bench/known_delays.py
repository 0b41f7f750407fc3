#!/usr/bin/python3
"""How far stload's percentiles are from the truth: the same percentiles of what passed on the wire in the same run.

    harness/stload/bench/known_delays.py
    harness/stload/bench/known_delays.py --only fixed --rounds 9

A server with known delays answers after a fixed 2 ms; after 2 ms, and one in 100 after 200 ms (rare); after 2 ms with a
stall of 1 s in 5 s, seen by an open loop and by a closed one, which hides it (hidden).

The truth is from the kernel's time stamps of the segments on loopback (wire.py). It ends when the answer came to the client's
socket, and begins when the request came to the server's (closed loop) or when the request was due (open loop: the n-th
request was due n / rate after the begin of the load, whose time stload tells). The nominal figures beside it are of a
server and a machine without any delay but the stated ones; the machine that this runs on may add to them, and then does so
in the truth as well.

stload takes the arrival of an answer from time stamps of the same kernel (--latency-until arrived, in the closed loop as well). What
is compared is the rest: which stamp is of which request, when it was due or sent, the conversion between clocks, the buckets. With
--until read it counts until it has read instead, and what it needs to be woken and to read is between report and truth.

The server spins on one CPU. stload has another one, with real-time priority, so that whatever else the machine does there
is not in its way; a program of the lowest priority keeps this CPU awake, because waking a sleeping one takes 20-30 us more.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from wire import Exchange, Wire, exchanges

REPOSITORY = Path(__file__).resolve().parents[3]
SHARES = (0.5, 0.9, 0.95, 0.99, 0.995, 1)
AIM_PERCENT = 2


class Case(NamedTuple):
    """The server's delays, and the load."""

    title: str
    clients: int
    seconds: int
    rate: int = 0  # requests per second, evenly spaced; 0: closed loop
    delay_us: int = 2000
    slow_every: int = 0  # 0: none is slow
    slow_us: int = 0
    stall_at_ms: int = 0
    stall_ms: int = 0

    def server(self) -> list[str]:
        """Arguments of known_server; the last one makes it spin."""
        return [str(number) for number in (*self[4:], 1)]

    def load(self, until: str) -> list[str]:
        words = ["--latency-until", until, "--warmup", "0", "--clients", str(self.clients), "--duration", str(self.seconds)]
        return words + (["--rate", str(self.rate), "--arrivals", "constant"] if self.rate else [])


CASES = {
    "fixed": Case("2 ms, open loop", 800, 4, 2500),
    "rare": Case("2 ms, one in 100 takes 200 ms, open loop", 800, 4, 2500, slow_every=100, slow_us=200_000),
    # A fifth of the requests of the open loop meet the stall, and 8 of those of the closed one.
    "stall": Case("2 ms, a stall of 1 s, open loop", 1500, 5, 1000, stall_at_ms=2000, stall_ms=1000),
    "hidden": Case("2 ms, a stall of 1 s, closed loop of 8 clients", 8, 5, stall_at_ms=2000, stall_ms=1000),
}


def nominal(case: Case) -> list[float]:
    """The latencies of a server and a machine without any other delay, in microseconds, in order of size."""
    stall_begin, stall_end = 1e3 * case.stall_at_ms, 1e3 * (case.stall_at_ms + case.stall_ms)
    end = 1e6 * case.seconds
    asking = [1e6 * i / case.rate for i in range(case.rate * case.seconds)] if case.rate else [0.0] * case.clients
    latencies: list[float] = []
    while asking and asking[0] < end:
        asked = heapq.heappop(asking)
        slow = case.slow_every and len(latencies) % case.slow_every == case.slow_every - 1
        answered = asked + (case.slow_us if slow else case.delay_us)
        if stall_begin <= answered < stall_end:
            answered = stall_end
        latencies.append(answered - asked)
        if not case.rate:
            heapq.heappush(asking, answered)
    return sorted(latencies)


def truth(seen: list[Exchange], rate: int, begin_ns: int) -> list[float]:
    """The latencies of these exchanges, which are all of a run, in microseconds, in order of size."""
    if rate == 0:
        return sorted((answer - request) / 1e3 for request, answer in seen)
    # stload's clients sleep until their turn and are woken in the order of what is due: the n-th request is the n-th due.
    return sorted((answer - begin_ns) / 1e3 - 1e6 * i / rate for i, (_, answer) in enumerate(seen))


def percentile(ordered: list[float], share: float) -> float:
    """The smallest that at least this share of all does not exceed."""
    return ordered[math.ceil(share * len(ordered) - 1e-6) - 1]


def name_of(share: float) -> str:
    return f"p{100 * share:g}" if share < 1 else "max"


def said(latency: dict[str, Any], share: float) -> float:
    """stload's figure; one that it does not give is taken from its histogram."""
    if name_of(share) in latency:
        return float(latency[name_of(share)])
    return percentile([value for value, count in latency["histogram"] for _ in range(count)], share)


class Round(NamedTuple):
    report: dict[str, Any]
    truth: list[float]


def measure(case: Case, until: str, binaries: Path) -> Round:
    on_server_cpu, on_stload_cpu = (["taskset", "-c", str(cpu)] for cpu in sorted(os.sched_getaffinity(0))[:2])
    keep_awake = [*on_stload_cpu, "chrt", "--idle", "0", sys.executable, "-c", "while True: pass"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        with subprocess.Popen([*on_server_cpu, str(binaries / "known_server"), *case.server()], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            wire = Wire(int(url.rpartition(":")[2]))
            with subprocess.Popen(keep_awake) as awake:
                try:
                    subprocess.run([*on_stload_cpu, "chrt", "--fifo", "1", str(binaries / "stload"), "--json", str(file),
                                    *case.load(until), url], stdout=subprocess.DEVNULL, check=True)
                finally:
                    awake.kill()
            segments = wire.stop()
            server.communicate()
        report = json.loads(file.read_text())
    made = Round(report, truth(exchanges(segments), case.rate, report["run"]["begin_monotonic_ns"]))
    assert len(made.truth) == report["latency_us"]["count"], "every request is in the window"
    return made


def show(case: Case, rounds: list[Round]) -> float:
    """Prints the medians over the rounds; the largest median error in percent."""
    hides = ", labelled as hiding stalls" if rounds[0].report["load"]["hides_stalls"] else ""
    print(f"{case.title}: {len(rounds)} rounds of {len(rounds[0].truth):,} requests{hides}")
    print("            stload        wire       error   (least to most)     nominal")
    ideal, worst = nominal(case), 0.0
    for share in SHARES:
        pairs = [(said(one.report["latency_us"], share), percentile(one.truth, share)) for one in rounds]
        stload, wire = (statistics.median(column) / 1e3 for column in zip(*pairs))
        off = sorted(100 * (one / other - 1) for one, other in pairs)
        worst = max(worst, abs(statistics.median(off)))
        spread = f"({off[0]:+.2f} to {off[-1]:+.2f})"
        print(f"  {name_of(share):6}{stload:7.2f} ms {wire:8.2f} ms   {statistics.median(off):+6.2f} %   {spread:17}"
              f"{percentile(ideal, share) / 1e3:9.2f} ms", flush=True)
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=CASES, action="append", help="this case; may be given again [all]")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of each [%(default)s]")
    parser.add_argument("--until", choices=("arrived", "read"), default="arrived",
                        help="where stload's latencies end [%(default)s]")
    parser.add_argument("--bin", type=Path, default=REPOSITORY / "build/release/bin", metavar="DIR",
                        help="where known_server and stload are [%(default)s]")
    options = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("fatal: there is one CPU here, and server and stload need one each")
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    worst = {name: show(CASES[name], [measure(CASES[name], options.until, options.bin) for _ in range(options.rounds)])
             for name in options.only or CASES}
    print("largest error: " + ", ".join(f"{name} {off:.2f} %" for name, off in worst.items()) + f" (aim: {AIM_PERCENT} %)")


if __name__ == "__main__":
    main()
