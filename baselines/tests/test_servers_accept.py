"""--accept: the processes of a pool share the port in the way that was asked for."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import Start
from servers import HELLO, Server, ask, ask_once, wait_until

WORKERS = 6

# What the kernel calls the two calls in which an idle process may wait.
X86 = platform.machine() == "x86_64"
ACCEPT, FUTEX = ("288", "202") if X86 else ("242", "98")


class Waits(NamedTuple):
    """How the idle processes of a pool wait."""

    accepting: dict[int, str]  # pid -> the listening socket, as /proc names it
    locked: list[int]


def waits(server: Server) -> Waits:
    accepting, locked = {}, []
    for pid in server.children():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            call = Path(f"/proc/{pid}/syscall").read_text().split()
            if call[0] == ACCEPT:
                accepting[pid] = os.readlink(f"/proc/{pid}/fd/{int(call[1], 16)}")
            elif call[0] == FUTEX:
                locked.append(pid)
    return Waits(accepting, locked)


def all_wait(server: Server, busy: int = 0) -> Waits:
    """When all processes but the busy ones have come to rest."""
    assert wait_until(lambda: sum(map(len, waits(server))) == WORKERS - busy), waits(server)
    return waits(server)


def pool(start: Start, strategy: str, *options: str) -> Server:
    return start("mp-prefork", "--workers", str(WORKERS), "--accept", strategy, *options)


def test_herd_is_the_default(start: Start) -> None:
    assert len(all_wait(start("mp-prefork")).accepting) == WORKERS


def test_herd_all_accept_on_one_socket(start: Start) -> None:
    found = all_wait(pool(start, "herd"))
    assert len(found.accepting) == WORKERS
    assert len(set(found.accepting.values())) == 1


def test_reuseport_each_accepts_on_its_own_socket(start: Start) -> None:
    found = all_wait(pool(start, "reuseport"))
    assert len(set(found.accepting.values())) == WORKERS


def test_lock_one_accepts_and_the_others_wait_for_their_turn(start: Start) -> None:
    server = pool(start, "lock")
    found = all_wait(server)
    assert (len(found.accepting), len(found.locked)) == (1, WORKERS - 1)
    with server.connect() as client:
        assert ask(client) == (200, HELLO)
        # Who serves has passed the lock on before it began.
        found = all_wait(server, busy=1)
        assert (len(found.accepting), len(found.locked)) == (1, WORKERS - 2)


def test_lock_is_not_lost_with_a_process_that_dies_holding_it(start: Start) -> None:
    server = pool(start, "lock")
    with server.connect() as client:
        assert ask(client) == (200, HELLO)
        for _ in range(3):
            (holder,) = all_wait(server, busy=1).accepting
            os.kill(holder, signal.SIGKILL)
            assert wait_until(lambda: holder not in server.children())  # while it dies it might still accept
            assert ask_once(server) == 200  # by one that had been waiting for the lock
        assert ask(client) == (200, HELLO)
    assert server.log().count("died of signal 9") == 3
    server.stop()


def test_lock_a_process_told_to_stop_while_it_waits_for_its_turn_ends(start: Start) -> None:
    server = pool(start, "lock")
    waiting = all_wait(server).locked
    for pid in waiting:
        os.kill(pid, signal.SIGTERM)
    # Each client moves the lock on by one, to a process that leaves instead of accepting.
    assert wait_until(lambda: ask_once(server) == 200 and not set(waiting) & set(server.children()))
    server.stop()


@pytest.mark.parametrize("strategy", ["herd", "lock", "reuseport"])
def test_a_pool_of_one_serves_one_after_another(start: Start, strategy: str) -> None:
    server = start("mp-prefork", "--workers", "1", "--accept", strategy)
    with server.connect() as first, server.connect() as second:
        assert ask(first) == (200, HELLO)
        first.close()
        assert ask(second) == (200, HELLO)
    assert server.stop()["connections"] == 2


def test_a_busy_process_holds_up_its_own_queue_alone(start: Start) -> None:
    # The price of a queue for each process: with herd or lock any free process would serve them.
    server = start("mp-prefork", "--accept", "reuseport", "--workers", "2")
    with server.connect() as first, server.connect() as second, server.connect() as behind_first:
        assert ask(first) == (200, HELLO)
        assert ask(second) == (200, HELLO)
        second.close()
        assert ask_once_at(server, queue=1) == 200
        behind_first.settimeout(0.05)
        with pytest.raises(TimeoutError):
            ask(behind_first)
        first.close()
        behind_first.settimeout(20)
        assert behind_first.recv(4096).endswith(HELLO)


def ask_once_at(server: Server, queue: int) -> int:
    with server.connect_to_queue(queue) as connection:
        return ask(connection)[0]
