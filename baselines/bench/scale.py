#!/usr/bin/python3
"""What a request costs when very many clients are connected.

    baselines/bench/scale.py --clients 1000,100000 httpd_null httpd_st
    baselines/bench/scale.py --clients 1000,100000 --active 1000 httpd_st

Each server runs as --processes processes on the first CPU that we may use, each on an address of its own, because one
process may have too few descriptors and one address has 28,000 ports; stload runs as many on the next CPU. All clients
ask in a closed loop, or only --active of them while the others are connected and silent.

After --warmup seconds the machine is looked at twice, --seconds apart. Per request: microseconds of the server's
processes, of stload's, of all that was done on each of the two CPUs (with what the kernel does for nobody in particular),
and TCP segments, of which the request and the answer are two.

In every round each server runs once with each number of clients, every other round backwards; shown is the median over the
rounds. Two ratios of requests per second, each of two runs of one round, say how a server keeps its pace: `of few`, to the
same server with the first number of clients; `of first`, to the first server with the same number - httpd_null there is
the raw epoll loop with a canned answer, which shows what is the machine's and not the server's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shlex
import signal
import statistics
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from pairs import REPOSITORY, fail, processes_below

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Look(NamedTuple):
    """Sums since the start, of everything that is divided by requests afterwards."""

    time_s: float
    requests: int
    server_s: float
    stload_s: float
    first_cpu_s: float
    second_cpu_s: float
    segments: int


class Figures(NamedTuple):
    """Of one run, or medians of several: requests per second, and microseconds and segments of each of them."""

    rate: float
    server_us: float
    stload_us: float
    first_cpu_us: float
    second_cpu_us: float
    segments: float
    errors: float


def cpu_time(pids: list[int]) -> float:
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):  # it may have ended
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total * TICK_S


def busy_time(cpu: int) -> float:
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{cpu} "):
            user, nice, system, _idle, _iowait, irq, softirq = map(int, line.split()[1:8])
            return (user + nice + system + irq + softirq) * TICK_S
    raise AssertionError(cpu)


def segments_sent() -> int:
    names, values = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Tcp:")]
    return int(values[names.index("OutSegs")])


def requests_of(counters: Path) -> int:
    """As counters.h describes the file: a slot of 64 bytes for each vehicle, the requests first in it."""
    data = counters.read_bytes()
    used = struct.unpack_from("<8sIII", data)[3]
    return sum(struct.unpack_from("<Q", data, 64 * (1 + slot))[0] for slot in range(used))


def look(servers: list[int], stload: int, counters: list[Path], cpus: list[int]) -> Look:
    return Look(time.monotonic(), sum(map(requests_of, counters)),
                cpu_time([pid for server in servers for pid in processes_below(server)]),
                cpu_time(processes_below(stload)), busy_time(cpus[0]), busy_time(cpus[1]), segments_sent())


def start_servers(command: list[str], count: int, cpu: int, folder: Path,
                  stack: contextlib.ExitStack) -> tuple[list[int], int, list[Path]]:
    """All on one port of addresses that follow each other; their pids, the port, their counters."""
    pids, port, counters = [], 0, []
    for number in range(count):
        counters.append(folder / f"counters{number}")
        process = stack.enter_context(subprocess.Popen(
            ["taskset", "-c", str(cpu), *command, "--listen", f"127.0.0.{number + 1}:{port}", "--backlog", "65535",
             "--idle-timeout", "600", "--counters", str(counters[-1])],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        stack.callback(process.send_signal, signal.SIGKILL)
        assert process.stdout is not None
        ready = process.stdout.readline()
        if not ready:
            fail(f"'{shlex.join(command)}' has not started; run it by hand to see why")
        port = int(json.loads(ready)["url"].rpartition(":")[2])
        pids.append(process.pid)
    return pids, port, counters


def run(command: list[str], clients: int, options: argparse.Namespace, cpus: list[int]) -> Figures:
    active = min(options.active or clients, clients)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers, port, counters = start_servers(command, options.processes, cpus[0], folder, stack)
        report = folder / "report.json"
        stload = stack.enter_context(subprocess.Popen(
            ["taskset", "-c", str(cpus[1]), str(options.bin / "stload"), "--clients", str(active), "--idle",
             str(clients - active), "--processes", str(options.processes), "--addresses",
             f"127.0.0.1-127.0.0.{options.processes}", "--warmup", str(options.warmup), "--duration",
             str(options.seconds + 2), "--timeout", "60", "--json", str(report),
             f"http://127.0.0.1:{port}{options.path}"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
        stack.callback(stload.kill)
        with contextlib.suppress(subprocess.TimeoutExpired):
            stload.wait(options.warmup + 1)
            fail(f"stload has ended already: {stload.communicate()[1].strip()}")
        first = look(servers, stload.pid, counters, cpus)
        time.sleep(options.seconds)
        last = look(servers, stload.pid, counters, cpus)
        said = stload.communicate()[1]
        if stload.returncode != 0 or first.requests == last.requests:
            fail(f"stload has asked for nothing; a longer --warmup? {said.strip()}")
        window = json.loads(report.read_text())["window"]
    spent = Look(*(after - before for before, after in zip(first, last)))
    server_us, stload_us, first_us, second_us = (1e6 * seconds / spent.requests for seconds in spent[2:6])
    return Figures(spent.requests / spent.time_s, server_us, stload_us, first_us, second_us,
                   spent.segments / spent.requests, sum(window["errors"].values()))


def report(runs: dict[tuple[int, str], list[Figures]], active: int) -> None:
    few, first = next(iter(runs))
    print(f"  {'':32}{'clients':>8}{'active':>8}{'req/s':>10}  server  stload  CPU 1st  CPU 2nd segments  errors  of few"
          " of first")
    for (count, server), own in runs.items():
        rate, *each, segments, errors = (statistics.median(column) for column in zip(*own))
        ratios = [statistics.median(one.rate / other.rate for one, other in zip(own, runs[beside]))
                  for beside in ((few, server), (count, first))]
        name = server.rpartition("/")[2]
        print(f"  {name:32}{count:8,}{min(active or count, count):8,}{rate:10,.0f}",
              *(f"{us:7.1f}" for us in each[:2]), *(f"{us:8.1f}" for us in each[2:]), f"{segments:8.2f}{errors:8.0f}",
              *(f"{ratio:8.2f}" for ratio in ratios), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("servers", nargs="+", metavar="SERVER", help="a binary and its options, in one word")
    parser.add_argument("--clients", default="1000,100000", help="numbers of connections, with commas [%(default)s]")
    parser.add_argument("--active", type=int, default=0, help="how many of them ask [all]")
    parser.add_argument("--processes", type=int, default=6, help="of the server, and of stload [%(default)s]")
    parser.add_argument("--warmup", type=int, default=12, help="seconds until all are connected [%(default)s]")
    parser.add_argument("--seconds", type=int, default=6, help="length of the measurement [%(default)s]")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each server with each number [%(default)s]")
    parser.add_argument("--path", default="/bytes/1024", help="what is asked for [%(default)s]")
    parser.add_argument("--bin", type=Path, default=REPOSITORY / "build/release/bin",
                        help="where binaries are that are named without a folder [%(default)s]")
    options = parser.parse_args()
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        fail("there is one CPU here, and server and stload need one each")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    clients = [int(number) for number in options.clients.split(",")]
    if max(clients) / options.processes > hard - 100:
        fail(f"{max(clients)} clients in {options.processes} processes are more than each may open ('ulimit -Hn' is "
             f"{hard}); raise --processes")
    runs: dict[tuple[int, str], list[Figures]] = {(count, server): [] for count in clients for server in options.servers}
    for number in range(options.rounds):
        for count, server in list(runs) if number % 2 == 0 else reversed(list(runs)):
            command = shlex.split(server)
            command[0] = str(options.bin / command[0])
            runs[count, server].append(run(command, count, options, cpus))
    report(runs, options.active)


if __name__ == "__main__":
    main()
