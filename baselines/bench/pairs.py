#!/usr/bin/python3
"""Compares servers by what a request costs them, in short runs that take turns.

    baselines/bench/pairs.py --clients 64 httpd_null "httpd_edsm --model epoll"

Each server runs on the first CPU that we may use, wrk on the next one. Every round runs each of them once, every
other round backwards, so that whatever the machine does meanwhile it does to all of them. CPU time is that of all
processes of the server from its exit line, over the requests it has counted. `ratio` is to the first server:
the median over the rounds, each of which compares two neighbours in time, and its quartiles.

--syscalls counts system calls (perf, raw_syscalls:sys_enter) of all processes of each server instead: tracing
costs CPU time, so the two are never measured together. There a wrk with half of the clients runs on either CPU, so that
the server never waits for its clients: where it does, a loop asks for events more often the less there is to do, which
costs nobody anything. On CPUs of their own, because two threads that may run on both are at times both on one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Iterator, Optional

REPOSITORY = Path(__file__).resolve().parents[2]


def fail(sentence: str) -> None:
    sys.exit(f"fatal: {sentence}")


def processes_below(pid: int) -> list[int]:
    """`pid`, and whatever it has started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += processes_below(int(child))
    return found


@contextlib.contextmanager
def system_calls(pids: list[int], wanted: bool) -> Iterator[list[int]]:
    """Puts into the list how many system calls the processes have made inside the block."""
    counted: list[int] = []
    if not wanted:
        yield counted
        return
    perf = subprocess.Popen(["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter",
                             "-p", ",".join(map(str, pids))], stderr=subprocess.PIPE, text=True)
    assert perf.stderr is not None
    time.sleep(0.3)  # perf says nothing when it has begun
    yield counted
    perf.send_signal(signal.SIGINT)
    said = perf.stderr.read()
    perf.wait()
    try:
        counted.append(int(said.split(",")[0]))
    except ValueError:
        fail(f"perf cannot count system calls here: {said.strip()}")


def run(server: list[str], cpus: list[int], clients: int, options: argparse.Namespace) -> dict[str, float]:
    """One run of one server: per request, microseconds or system calls."""
    with subprocess.Popen(["taskset", "-c", str(cpus[0]), *server, "--listen", "127.0.0.1:0", "--backlog", "8192"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        if not ready:
            fail(f"'{shlex.join(server)}' has not started; run it by hand to see why")
        url = json.loads(ready)["url"] + options.path
        with system_calls(processes_below(process.pid), options.syscalls) as counted:
            places = cpus[:2] if options.syscalls else cpus[1:2]
            shares = [(clients + i) // len(places) for i in range(len(places))]
            crowd = [subprocess.Popen(["taskset", "-c", str(place), "wrk", "-t1", f"-c{share}",
                                       f"-d{options.seconds}s", url], stdout=subprocess.PIPE, text=True)
                     for place, share in zip(places, shares) if share]
            answers = [wrk.communicate()[0] for wrk in crowd]
        for said in answers:
            if "Non-2xx" in said or "Requests/sec" not in said:
                fail(f"wrk's requests to '{shlex.join(server)}' for {options.path} failed:\n{said}")
        process.send_signal(signal.SIGTERM)
        total: dict[str, Any] = json.loads(process.stdout.read().splitlines()[-1])
    if not total.get("requests"):
        fail(f"'{shlex.join(server)}' does not count its requests; its cost cannot be told")
    requests = total["requests"]
    if options.syscalls:
        return {"calls": counted[0] / requests}
    return {"cpu": (total["user_s"] + total["system_s"]) / requests * 1e6,
            "user": total["user_s"] / requests * 1e6}


def report(clients: int, servers: list[str], runs: dict[str, list[dict[str, float]]]) -> None:
    unit = "system calls" if "calls" in runs[servers[0]][0] else "us CPU"
    measure = "calls" if unit == "system calls" else "cpu"
    print(f"{clients} clients, per request".ljust(52) + f"{unit:>13} {'user':>6} {'ratio':>6}  quartiles")
    for server in servers:
        ratios = [own[measure] / first[measure] for own, first in zip(runs[server], runs[servers[0]])]
        low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        median = {name: statistics.median(one[name] for one in runs[server]) for name in runs[server][0]}
        user = f"{median['user']:.3f}" if "user" in median else ""
        print(f"  {server:50}{median[measure]:13.3f} {user:>6} {middle:6.3f}  {low:.3f} {high:.3f}", flush=True)


def parse(arguments: Optional[list[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("servers", nargs="+", metavar="SERVER", help="a binary and its options, in one word")
    parser.add_argument("--clients", default="64", help="numbers of clients, with commas [%(default)s]")
    parser.add_argument("--rounds", type=int, default=10, help="runs of each server [%(default)s]")
    parser.add_argument("--seconds", type=int, default=2, help="length of a run [%(default)s]")
    parser.add_argument("--path", default="/bytes/1024", help="what is asked for [%(default)s]")
    parser.add_argument("--bin", type=Path, default=REPOSITORY / "build/release/bin",
                        help="where binaries are that are named without a folder [%(default)s]")
    parser.add_argument("--syscalls", action="store_true", help="count system calls, not CPU time")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse()
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        fail("there is one CPU here, and server and wrk need one each")
    commands = {server: shlex.split(server) for server in options.servers}
    for command in commands.values():
        command[0] = str(options.bin / command[0])  # an absolute path stays what it is
    for clients in map(int, options.clients.split(",")):
        runs: dict[str, list[dict[str, float]]] = {server: [] for server in options.servers}
        for number in range(options.rounds):
            for server in options.servers if number % 2 == 0 else reversed(options.servers):
                runs[server].append(run(commands[server], cpus, clients, options))
        report(clients, options.servers, runs)


if __name__ == "__main__":
    main()
