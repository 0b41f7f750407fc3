"""How servers begin, end, crash and recover."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest
from conftest import Start
from servers import (GET, HELLO, MODELS, SINGLE, SUPERVISED, VARIANTS, Counters, Server, alive, ask, ask_once,
                     open_descriptors, receive_all, receive_answer, wait_until)

LARGE = b"GET /bytes/16777216 HTTP/1.1\r\nHost: test\r\n\r\n"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_finishes_the_answer_in_flight(start: Start, model: str, number: int) -> None:
    server = start(model)
    with server.connect() as connection:
        connection.sendall(LARGE)
        begin = connection.recv(1000)
        server.process.send_signal(number)
        rest = receive_all(connection)
    assert len(begin + rest) > 16777216
    assert server.finish()["requests"] == 1


@pytest.mark.parametrize("model", [*MODELS, *VARIANTS])
def test_a_stop_closes_idle_connections_at_once(start: Start, model: str) -> None:
    server = start(model)
    with server.connect() as idle, server.connect() as used:
        assert ask(used) == (200, HELLO)
        assert ask(idle) == (200, HELLO)
        server.terminate()
        assert receive_all(idle) == b""
        assert receive_all(used) == b""
        assert server.finish()["requests"] == 2


def test_a_client_that_does_not_read_holds_nobody_up(start: Start) -> None:
    servers = [start(model) for model in MODELS]  # together, because this takes the full 5 s
    clients = [server.connect() for server in servers]
    try:
        for client in clients:
            client.sendall(LARGE)
            assert client.recv(1000)
        for server in servers:
            server.terminate()
        for server in servers:
            assert server.finish()["connections"] == 1
    finally:
        for client in clients:
            client.close()


@pytest.mark.parametrize("model", [*MODELS, *VARIANTS])
def test_nobody_survives_a_parent_killed_hard(start: Start, model: str) -> None:
    server = start(model)
    with server.connect() as connection:
        assert ask(connection) == (200, HELLO)  # so that mp-fork has a child
        tree = server.tree()
        assert len(tree) > 1 or model in SINGLE
        server.process.kill()
        assert wait_until(lambda: not any(alive(pid) for pid in tree))


def worker_restarted(server: Server, killed: int) -> bool:
    return killed not in server.children() and "died of signal 9" in server.log()


@pytest.mark.parametrize("model", SUPERVISED)
def test_a_crashed_worker_is_replaced(start: Start, model: str) -> None:
    server = start(model)
    workers = server.children()
    for victim in workers:
        os.kill(victim, signal.SIGKILL)
    assert wait_until(lambda: not set(workers) & set(server.children())
                      and len(server.children()) == len(workers))
    assert [ask_once(server) for _ in range(8)] == [200] * 8
    assert server.log().count("died of signal 9 (Killed)") == len(workers)
    server.stop()


def test_the_crash_of_one_forked_process_is_nobody_elses(start: Start) -> None:
    server = start("mp-fork")
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(server.connect())
        assert ask(one) == (200, HELLO)
        (child_of_one,) = server.children()
        other = stack.enter_context(server.connect())
        assert ask(other) == (200, HELLO)
        os.kill(child_of_one, signal.SIGKILL)
        assert receive_all(one) == b""
        assert ask(other) == (200, HELLO)
        assert ask_once(server) == 200
    assert server.stop()["connections"] == 3


@pytest.mark.parametrize("model", ["mp-fork", *SUPERVISED])
def test_connections_of_a_crashed_worker_count_as_closed(start: Start, tmp_path: Path,
                                                         model: str) -> None:
    path = tmp_path / "counters"
    server = start(model, "--counters", str(path))
    with server.connect() as connection:
        ask(connection)
        for pid in server.children():
            os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: Counters.read(path).closed == 1)


@pytest.mark.parametrize("model", [*MODELS, *VARIANTS])
def test_no_descriptor_is_left_by_200_connections(start: Start, model: str) -> None:
    server = start(model)

    def descriptors() -> list[list[int]]:
        pids = [server.pid] if model == "mp-fork" else server.tree()
        return [open_descriptors(pid) for pid in pids]

    for _ in range(40):  # whatever is opened once and kept has been opened
        assert ask_once(server) == 200
    before = [len(fds) for fds in descriptors()]
    for i in range(200):
        with server.connect() as connection:
            if i % 4 != 0:
                assert ask(connection) == (200, HELLO)
            if i % 4 == 1:
                connection.sendall(GET[:10])  # leaves in the middle of a request
    # Fewer is possible: the last of the first 40 may not have been closed when they were counted.
    assert wait_until(lambda: all(len(fds) <= limit for fds, limit in zip(descriptors(), before))), \
        descriptors()


@pytest.mark.parametrize("model", [*MODELS, *VARIANTS])
def test_the_counters_agree_with_what_the_client_saw(start: Start, tmp_path: Path,
                                                     model: str) -> None:
    path = tmp_path / "counters"
    server = start(model, "--counters", str(path))
    received = 0
    for _ in range(10):
        with server.connect() as connection:
            connection.sendall(GET * 5 + b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
            connection.shutdown(1)
            received += len(receive_all(connection))
    server.connect().close()  # asks nothing
    assert wait_until(lambda: Counters.read(path).closed == 11)
    counters = Counters.read(path)
    assert counters == Counters(requests=60, connections=11, served=10, closed=11, bytes=received,
                                errors=10, refused=0)
    exit_line = server.stop()
    assert {name: exit_line[name] for name in ("connections", "requests", "bytes")} == {
        "connections": 11, "requests": 60, "bytes": received}


@pytest.mark.parametrize("model", MODELS)
def test_the_exit_line_has_the_cpu_time_of_all_processes(start: Start, model: str) -> None:
    server = start(model)
    with server.connect() as connection:
        for _ in range(3000):
            connection.sendall(GET)
            receive_answer(connection)
    exit_line = server.stop()
    assert exit_line["user_s"] + exit_line["system_s"] > 0.001
    assert set(exit_line) == {"connections", "requests", "bytes", "user_s", "system_s"}


@pytest.mark.parametrize("model", ["edsm-epoll-2", "st-process-2"])
def test_two_processes_share_the_connections_by_port(start: Start, tmp_path: Path,
                                                     model: str) -> None:
    path = tmp_path / "counters"
    server = start(model, "--counters", str(path))
    expected = [0, 0]
    with contextlib.ExitStack() as stack:
        for _ in range(64):
            connection = stack.enter_context(server.connect())
            assert ask(connection) == (200, HELLO)
            expected[connection.getsockname()[1] // 2 % 2] += 1
        data = path.read_bytes()
    # The field `connections` of the first two slots, one for each process.
    shares = [int.from_bytes(data[64 * slot + 8:64 * slot + 16], "little") for slot in (1, 2)]
    assert shares == expected
    assert min(shares) >= 16  # Linux clients get every second port, so it is even, too
