#!/usr/bin/python3
"""What an answer costs the generator: stload and wrk, in short runs that take turns.

    harness/stload/bench/against_wrk.py --clients 64,1000

The server is on the first CPU that we may use, the generator on the next one. CPU time is all that a generator has used
from its start to its end, over all answers it got. `ratio` is stload's requests for a CPU-second over wrk's: the median
over the rounds, each of which compares two neighbours in time, and its quartiles.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def run(command: list[str], cpu: int) -> tuple[str, float]:
    """What it prints, and its CPU time in seconds."""
    with subprocess.Popen(["taskset", "-c", str(cpu), *command], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)  # with the processes that it has waited for itself
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"fatal: '{shlex.join(command)}' failed:\n{said}")
    return said, usage.ru_utime + usage.ru_stime


def cost_of_wrk(url: str, clients: int, seconds: int, cpu: int) -> float:
    """Microseconds for each answer."""
    said, used = run(["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", url], cpu)
    found = re.search(r"(\d+) requests in", said)
    if not found or "Non-2xx" in said or "Socket errors" in said:
        sys.exit(f"fatal: not all of wrk's requests were answered:\n{said}")
    return 1e6 * used / int(found.group(1))


def cost_of_stload(url: str, clients: int, seconds: int, cpu: int, binaries: Path) -> float:
    """Microseconds for each answer."""
    with tempfile.NamedTemporaryFile() as report:
        _, used = run([str(binaries / "stload"), "--clients", str(clients), "--warmup", "0", "--duration", str(seconds),
                       "--json", report.name, url], cpu)
        return 1e6 * used / int(json.load(report)["run"]["answers"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", default="64,1000", help="numbers of clients, with commas [%(default)s]")
    parser.add_argument("--rounds", type=int, default=8, help="runs of each generator [%(default)s]")
    parser.add_argument("--seconds", type=int, default=2, help="length of a run [%(default)s]")
    parser.add_argument("--server", default="httpd_edsm", help="whom they ask, with its options [%(default)s]")
    parser.add_argument("--path", default="/bytes/1024", help="what is asked for [%(default)s]")
    parser.add_argument("--bin", type=Path, default=REPOSITORY / "build/release/bin",
                        help="where server and stload are [%(default)s]")
    options = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("fatal: there is one CPU here, and server and generator need one each")
    first, second = sorted(os.sched_getaffinity(0))[:2]
    binary, *rest = shlex.split(options.server)
    with subprocess.Popen(["taskset", "-c", str(first), str(options.bin / binary), *rest, "--listen", "127.0.0.1:0",
                           "--backlog", "8192"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())["url"] + options.path
        for clients in map(int, options.clients.split(",")):
            wrk, stload = [], []
            for number in range(options.rounds):
                for name in ("wrk", "stload") if number % 2 == 0 else ("stload", "wrk"):
                    if name == "wrk":
                        wrk.append(cost_of_wrk(url, clients, options.seconds, second))
                    else:
                        stload.append(cost_of_stload(url, clients, options.seconds, second, options.bin))
            low, middle, high = statistics.quantiles([one / other for one, other in zip(wrk, stload)], n=4)
            print(f"{clients} clients: us of CPU for each answer wrk {statistics.median(wrk):.2f}, stload "
                  f"{statistics.median(stload):.2f}; ratio {middle:.3f}, quartiles {low:.3f} {high:.3f}", flush=True)
        server.send_signal(signal.SIGTERM)


if __name__ == "__main__":
    main()
