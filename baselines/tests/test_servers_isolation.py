"""What the death of one process does to the connections of the others, and to the port."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from pathlib import Path

import pytest
from conftest import Start
from servers import HELLO, SUPERVISED, Counters, Server, ask, ask_once, receive_all, wait_until

SESSIONS = 20


def process_of(connection: socket.socket, server: Server) -> int:
    """The child that serves the connection: the one that has its socket open."""
    # The server's end is the line of /proc/net/tcp with the client's port on the remote side.
    port = f":{connection.getsockname()[1]:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[2].endswith(port) and fields[1].endswith(f":{server.port:04X}"):
            return next(pid for pid in server.children() if has_socket(pid, fields[9]))
    raise AssertionError(f"no connection from port {port}")


def has_socket(pid: int, inode: str) -> bool:
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                if os.readlink(f"/proc/{pid}/fd/{name}") == f"socket:[{inode}]":
                    return True
    return False


@pytest.mark.parametrize("model", ["mp-fork", "mp-prefork", "mp-prefork-lock",
                                   "mp-prefork-reuseport"])
def test_one_killed_process_takes_one_session_and_no_other(start: Start, model: str) -> None:
    extra = [] if model == "mp-fork" else ["--workers", str(SESSIONS + 4)]
    server = start(model, *extra)
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(server.connect()) for _ in range(SESSIONS)]
        for session in sessions:
            assert ask(session) == (200, HELLO)
        victim = sessions.pop(SESSIONS // 2)
        # Another is in the middle of an answer that no socket buffer holds.
        reading = sessions.pop()
        reading.sendall(b"GET /bytes/16777216 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        assert reading.recv(1)
        killed = process_of(victim, server)
        os.kill(killed, signal.SIGKILL)
        assert receive_all(victim) == b""
        assert wait_until(lambda: killed not in server.children())
        for session in sessions:
            assert ask(session) == (200, HELLO)
        assert len(receive_all(reading)) > 16777216
        assert [ask_once(server) for _ in range(3)] == [200] * 3
    server.stop()


@pytest.mark.parametrize("model", SUPERVISED)
def test_the_port_is_served_again_after_every_worker_has_crashed(start: Start, model: str) -> None:
    server = start(model)
    for number in signal.SIGABRT, signal.SIGKILL:  # also the replacement is replaced
        workers = server.children()
        with server.connect() as session:
            assert ask(session) == (200, HELLO)
            for pid in workers:
                os.kill(pid, number)
            assert receive_all(session) == b""
            # Until the last of its threads is dead it may still accept.
            assert wait_until(lambda: not set(workers) & set(server.children()))
            # Whoever comes now waits in the listening socket, which the parent has kept open.
            assert ask_once(server) == 200
        assert wait_until(lambda: len(server.children()) == len(workers))
        assert not set(workers) & set(server.children())
    server.stop()


@pytest.mark.parametrize("model", SUPERVISED)
def test_an_idle_worker_takes_a_signal_whatever_its_memory_held_before(start: Start,
                                                                       model: str) -> None:
    # A library that reads a signal mask which it never set finds every second bit of it here.
    server = start(model, env={**os.environ, "MALLOC_PERTURB_": "85"})
    with server.connect() as session:
        assert ask(session) == (200, HELLO)
        for pid in server.children():
            os.kill(pid, signal.SIGABRT)
        assert receive_all(session) == b""
    server.stop()


@pytest.mark.parametrize("model", SUPERVISED)
def test_a_crash_leaves_no_connection_counted_as_open(start: Start, model: str) -> None:
    # With a limit of 2, whoever was counted twice or for ever would leave no room for two more.
    server = start(model, "--max-connections", "2")
    for _ in range(2):
        with server.connect() as first, server.connect() as second:
            assert [ask(first), ask(second)] == [(200, HELLO)] * 2
            workers = server.children()
            for pid in workers:
                os.kill(pid, signal.SIGKILL)
            assert wait_until(lambda: not set(workers) & set(server.children())
                              and len(server.children()) == len(workers))
    with server.connect() as first, server.connect() as second:
        assert ask(first) == (200, HELLO)
        assert ask(second) == (200, HELLO)
        assert ask_once(server) == 503


@pytest.mark.parametrize("model", SUPERVISED)
def test_the_counters_balance_after_a_crash_and_after_the_end(start: Start, tmp_path: Path,
                                                              model: str) -> None:
    path = tmp_path / "counters"
    server = start(model, "--counters", str(path))
    with server.connect() as crashed:
        assert ask(crashed) == (200, HELLO)
        workers = server.children()
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: not set(workers) & set(server.children()))
    assert ask_once(server) == 200
    server.stop()
    counters = Counters.read(path)
    assert (counters.connections, counters.closed) == (2, 2)
