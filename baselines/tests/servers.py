"""The servers as a test sees them: started on a free port, watched through /proc, always ended.

The binaries are looked for in the folder that ARCHBENCH_BIN names (default: build/release/bin).
"""

from __future__ import annotations

import contextlib
import errno
import functools
import itertools
import json
import os
import random
import re
import select
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import Callable, Iterator, NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ARCHBENCH_BIN", REPOSITORY / "build/release/bin")).resolve()

# Every model of every server, by the name that tests show. The one list: test_servers_command_line
# checks that --help knows exactly these.
MODELS: dict[str, list[str]] = {
    "mp-fork": ["httpd_mp", "--model", "fork"],
    "mp-prefork": ["httpd_mp", "--model", "prefork", "--workers", "6"],
    "mt-thread": ["httpd_mt", "--model", "thread"],
    "mt-pool": ["httpd_mt", "--model", "pool", "--workers", "6"],
    "mt-staged": ["httpd_mt", "--model", "staged", "--workers", "3"],
    "edsm-epoll": ["httpd_edsm", "--model", "epoll"],
    "edsm-poll": ["httpd_edsm", "--model", "poll"],
    "edsm-select": ["httpd_edsm", "--model", "select"],
    "edsm-io_uring": ["httpd_edsm", "--model", "io_uring"],
    "edsm-amped": ["httpd_edsm", "--model", "amped"],
    "st-process": ["httpd_st", "--model", "process"],
    "st-hybrid": ["httpd_st", "--model", "hybrid"],
}
# The same handler on other people's runtimes: those that are built.
PEERS: dict[str, list[str]] = {
    name: command for name, command in {
        "libst": ["httpd_peer_libst", "--model", "process"],
        "pth": ["httpd_peer_pth", "--model", "process"],
        "nspr": ["httpd_peer_nspr", "--model", "thread"],
        "fiber-thread": ["httpd_peer_fiber", "--model", "thread"],
        "fiber-stealing": ["httpd_peer_fiber", "--model", "stealing"],
        "libevent": ["httpd_peer_libevent", "--model", "loop"],
    }.items() if (BIN / command[0]).exists()
}
MODELS |= PEERS
# Further ways to run some of them, for tests in which they could differ.
VARIANTS: dict[str, list[str]] = {
    "mp-prefork-lock": MODELS["mp-prefork"] + ["--accept", "lock"],
    "mp-prefork-reuseport": MODELS["mp-prefork"] + ["--accept", "reuseport", "--workers", "64"],
    "edsm-epoll-2": MODELS["edsm-epoll"] + ["--cpus", "2"],
    "edsm-io_uring-2": MODELS["edsm-io_uring"] + ["--cpus", "2"],
    "st-process-2": MODELS["st-process"] + ["--cpus", "2"],
    "st-process-poll": MODELS["st-process"] + ["--event", "poll"],
    "st-process-select": MODELS["st-process"] + ["--event", "select"],
    "st-process-io_uring": MODELS["st-process"] + ["--event", "io_uring"],
    "st-hybrid-2": MODELS["st-hybrid"] + ["--cpus", "2"],
}
VARIANTS |= {
    f"{name}-{variant}": PEERS[name] + options for name, variant, options in [
        ("libst", "select", ["--event", "select"]),
        ("libst", "2", ["--cpus", "2"]),
        ("fiber-stealing", "2", ["--cpus", "2"]),
    ] if name in PEERS
}
BINARIES = sorted({command[0] for command in MODELS.values()})
# Models that serve no more connections at once than they have --workers.
POOLS = ["mp-prefork", "mp-prefork-lock", "mp-prefork-reuseport", "mt-pool"]
# Models in which a parent keeps its workers alive.
SUPERVISED = ["mp-prefork", "mp-prefork-lock", "mp-prefork-reuseport", "mt-thread", "mt-pool",
              "mt-staged", "edsm-epoll", "edsm-epoll-2", "edsm-poll", "edsm-select", "edsm-io_uring",
              "edsm-io_uring-2", "edsm-amped", "st-process", "st-process-2",
              "st-hybrid", "st-hybrid-2",
              *({"libst", "pth", "fiber-thread", "libevent"} & PEERS.keys())]
# Models that are one process, whose crash is everybody's.
SINGLE = ["nspr", "fiber-stealing", "fiber-stealing-2"]

# Longer than anything takes on a loaded machine; what is waited for has failed when it is over.
PATIENCE_S = 60.0

GET = b"GET /plaintext HTTP/1.1\r\nHost: test\r\n\r\n"
HELLO = b"Hello, World!"


class Counters(NamedTuple):
    """All slots of a counters file added up; the fields are described in counters.h."""

    requests: int
    connections: int
    served: int
    closed: int
    bytes: int
    errors: int
    refused: int

    @staticmethod
    def read(path: Path) -> Counters:
        data = path.read_bytes()
        magic, slot_size, _, used = struct.unpack_from("<8sIII", data)
        assert magic == b"STCOUNT1"
        slots = [struct.unpack_from("<7Q", data, 64 + slot_size * i) for i in range(used)]
        return Counters(*(sum(column) for column in zip(*slots)))


class Server:
    """A running server."""

    def __init__(self, command: list[str], stderr: Path, **popen: object) -> None:
        self.stderr = stderr
        with stderr.open("wb") as log:
            self.process: subprocess.Popen[str] = subprocess.Popen(
                [str(BIN / command[0]), "--listen", "127.0.0.1:0", *command[1:]],
                stdout=subprocess.PIPE, stderr=log, text=True, **popen)  # type: ignore[call-overload]
        line = self._read_line()
        assert line, f"{command[0]} did not start: {self.log()}"
        self.ready = json.loads(line)
        self.port = int(self.ready["url"].rsplit(":", 1)[1])
        self.pid = self.process.pid
        # Where each process has a queue of its own, a client behind a busy one would wait: so that
        # none does, clients take the queues in turn.
        self._queues = last_number(command, "--workers") if "reuseport" in command else 1
        self._turn = itertools.count()

    def _read_line(self) -> str:
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        return self.process.stdout.readline() if readable else ""

    def log(self) -> str:
        return self.stderr.read_text()

    def connect(self) -> socket.socket:
        connection = (self.connect_to_queue(next(self._turn) % self._queues) if self._queues > 1
                      else socket.create_connection(("127.0.0.1", self.port), PATIENCE_S))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def connect_to_queue(self, queue: int) -> socket.socket:
        """From a port that leads there: listener.cc chooses by half the client's port."""
        while True:
            half = self._queues * random.randrange(5000 // self._queues, 16000 // self._queues)
            try:
                return socket.create_connection(("127.0.0.1", self.port), PATIENCE_S,
                                                ("127.0.0.1", 2 * (half + queue)))
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
                    raise

    def children(self) -> list[int]:
        return children_of(self.pid)

    def tree(self) -> list[int]:
        return [self.pid, *self.children()]

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def finish(self) -> dict[str, float]:
        """Waits for the orderly end and returns the numbers of the exit line."""
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        assert self.process.wait(PATIENCE_S) == 0, self.log()
        lines = out.splitlines()
        assert len(lines) == 1, out
        line = json.loads(lines[0])
        assert line.pop("event") == "exit"
        return dict(line)

    def stop(self) -> dict[str, float]:
        self.terminate()
        return self.finish()


def last_number(command: list[str], option: str) -> int:
    return [int(value) for name, value in zip(command, command[1:]) if name == option][-1]


@contextlib.contextmanager
def running(command: list[str], stderr: Path, **popen: object) -> Iterator[Server]:
    server = Server(command, stderr, **popen)
    try:
        yield server
    finally:
        tree = server.tree()
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
        assert server.process.stdout is not None
        server.process.stdout.close()
        assert wait_until(lambda: not any(alive(pid) for pid in tree)), "a process was left behind"


@functools.cache
def why_no_io_uring() -> str:
    """What the server says where it cannot have io_uring, else nothing."""
    # Nobody has this address (RFC 5737), so it never serves.
    command = [str(BIN / "httpd_edsm"), "--model", "io_uring", "--listen", "192.0.2.1:0"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S).stderr
    return said if "io_uring" in said else ""


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and is not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def open_descriptors(pid: int) -> list[int]:
    """None once the process has ended."""
    try:
        return sorted(int(name) for name in os.listdir(f"/proc/{pid}/fd"))
    except (FileNotFoundError, ProcessLookupError):
        return []


def connections(pids: list[int]) -> int:
    """TCP connections that these processes hold, to clients and to origins, whoever has closed his end."""
    established, close_wait = "01", "08"
    inodes = set()
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, _, _, state, _, _, _, _, _, inode, *_ = line.split()
        if state in (established, close_wait):
            inodes.add(f"socket:[{inode}]")
    held = 0
    for pid in pids:
        for fd in open_descriptors(pid):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                held += os.readlink(f"/proc/{pid}/fd/{fd}") in inodes
    return held


def wait_until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)  # between two looks, not in place of one
    return True


def receive_all(connection: socket.socket) -> bytes:
    """What the server still says until it closes. A reset after the answer is an end, too."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(1 << 16):
            parts.append(part)
    return b"".join(parts)


def receive_answer(connection: socket.socket) -> tuple[int, bytes]:
    """One answer that has a Content-Length: its status and its body. (0, b"") at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(1 << 16)
        if not part:
            return 0, data
        data += part
    head, body = data.split(b"\r\n\r\n", 1)
    found = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    assert found, head
    while len(body) < int(found.group(1)):
        part = connection.recv(1 << 16)
        assert part, "the server closed within a body"
        body += part
    return int(head.split()[1]), body


def ask(connection: socket.socket, request: bytes = GET) -> tuple[int, bytes]:
    connection.sendall(request)
    return receive_answer(connection)


def ask_once(server: Server) -> int:
    """The status that a new connection gets; 0 when it gets none."""
    with server.connect() as connection, contextlib.suppress(ConnectionResetError, BrokenPipeError):
        return ask(connection)[0]
    return 0


def mask_dates(answer: bytes) -> bytes:
    return re.sub(rb"\r\nDate: [^\r]*", b"\r\nDate: *", answer)
