#!/usr/bin/python3
"""What an idle connection costs each server in memory.

    baselines/bench/idle_memory.py httpd_st httpd_edsm "httpd_mt --model thread"

Each server is looked at with 100 and with --clients keep-alive connections that have asked once for --path and are then
silent; what is shown is the difference, for each connection between the two: anonymous memory and all memory of all its
processes (PSS: what several share counts once), page tables, and tasks, each of which has a kernel stack of 16 KiB. What
the kernel keeps for a socket is not in it. `before` is the whole server's memory with nobody connected.

A pool needs as many --workers as there are clients: its memory is there before they are.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shlex
import signal
import socket
import subprocess
from pathlib import Path
from typing import NamedTuple

from pairs import REPOSITORY, fail, processes_below

FEW = 100  # by then the server has whatever it makes once, and the caches of its allocator are warm


class Memory(NamedTuple):
    """Of all processes of a server; KiB but for the tasks."""

    anonymous: int
    all: int
    page_tables: int
    tasks: int


def field(text: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)
    return int(found.group(1)) if found else 0


def memory_of(server: int) -> Memory:
    total = Memory(0, 0, 0, 0)
    for pid in processes_below(server):
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        status = Path(f"/proc/{pid}/status").read_text()
        one = Memory(field(rollup, "Pss_Anon"), field(rollup, "Pss"), field(status, "VmPTE"), field(status, "Threads"))
        total = Memory(*map(sum, zip(total, one)))
    return total


def connect(port: int, count: int, path: str) -> list[socket.socket]:
    clients = []
    for _ in range(count):
        clients.append(socket.create_connection(("127.0.0.1", port), 20))
        clients[-1].sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = clients[-1].recv(1 << 16)
            if not part:
                fail("the server has closed a connection that should be idle")
            answer += part
        length = int(re.search(rb"(?i)content-length: (\d+)", answer).group(1))  # type: ignore[union-attr]
        while len(answer.split(b"\r\n\r\n", 1)[1]) < length:
            answer += clients[-1].recv(1 << 16)
    return clients


def run(command: list[str], options: argparse.Namespace) -> None:
    with subprocess.Popen([*command, "--listen", "127.0.0.1:0", "--idle-timeout", "600"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        if not ready:
            fail(f"'{shlex.join(command)}' has not started; run it by hand to see why")
        port = int(json.loads(ready)["url"].rpartition(":")[2])
        before = memory_of(process.pid)
        clients = connect(port, FEW, options.path)
        few = memory_of(process.pid)
        clients += connect(port, options.clients - FEW, options.path)
        many = memory_of(process.pid)
        for client in clients:
            client.close()
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
    each = [(after - earlier) / (options.clients - FEW) for after, earlier in zip(many, few)]
    name = shlex.join(command).rpartition("/")[2]
    print(f"  {name:44}{each[0]:10.2f}{each[1]:8.2f}{each[2]:13.2f}{each[3]:8.2f}{before.all:10,}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("servers", nargs="+", metavar="SERVER", help="a binary and its options, in one word")
    parser.add_argument("--clients", type=int, default=1000, help="connections at the end [%(default)s]")
    parser.add_argument("--path", default="/bytes/1024", help="what each has asked for [%(default)s]")
    parser.add_argument("--bin", type=Path, default=REPOSITORY / "build/release/bin",
                        help="where binaries are that are named without a folder [%(default)s]")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if not FEW < options.clients < hard - 100:
        fail(f"--clients {options.clients}: more than {FEW} and less than 'ulimit -Hn' ({hard}) less 100")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"  {'KiB for each idle connection':44}{'anonymous':>10}{'all':>8}{'page tables':>13}{'tasks':>8}{'before':>10}")
    for server in options.servers:
        command = shlex.split(server)
        command[0] = str(options.bin / command[0])
        run(command, options)


if __name__ == "__main__":
    main()
