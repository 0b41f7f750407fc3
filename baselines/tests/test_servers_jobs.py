"""Requests for which a server has to wait itself: /disk/ and /proxy/."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import pytest
from conftest import Start, Subject
from origin import ANSWERS, ScriptedOrigin
from servers import (GET, HELLO, MODELS, Counters, ask, connections,
                     receive_all, receive_answer, wait_until)
from test_servers_answers import answers, request, statuses

OK = b"HTTP/1.1 200 OK\r\n"
GOOD = {  # what becomes of what the origin says
    "/sized": OK + b"X-Origin: yes\r\nContent-Length: 5\r\n\r\nhello",
    "/chunked": OK + b"Content-Length: 5\r\n\r\nhello",
    "/to-the-end": OK + b"Content-Length: 5\r\n\r\nhello",
    "/old": OK + b"Content-Length: 5\r\n\r\nhello",
    "/said-goodbye": OK + b"Content-Length: 5\r\n\r\nhello",
    "/stale": OK + b"Content-Length: 5\r\n\r\nhello",
    "/hop-by-hop": OK + b"X-Public: b\r\nContent-Length: 0\r\n\r\n",
    "/teapot": ANSWERS[b"/teapot"],
    "/not-modified": ANSWERS[b"/not-modified"],
    "/interim": OK + b"Content-Length: 1\r\n\r\na",
    "/large": ANSWERS[b"/large"],
}
BAD = ["/too-large", "/half", "/nothing", "/nonsense", "/both-lengths"]


def test_reads_are_made_between_other_requests(subject: Subject, reads_disks: None) -> None:
    sent = GET + request("/disk/3") + request("/bytes/5") + request("/disk/0") + request("/disk/257")
    got = answers(subject.server, sent)
    assert statuses(got) == [200, 200, 200, 200, 404]
    assert b"\r\n\r\n3 blocks read\nHTTP/1.1 200 OK\r\n" in got
    for cut in (1, 50):
        assert answers(subject.server, sent, cut) == got


def test_many_clients_read_at_once(subject: Subject, reads_disks: None) -> None:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(subject.server.connect()) for _ in range(5)]
        for client in clients:
            client.sendall(request("/disk/20") * 4)
        for client in clients:
            got = b""
            while got.count(b"20 blocks read\n") < 4:
                part = client.recv(4096)
                assert part
                got += part


def test_a_truncated_disk_file_is_500_and_no_end(start: Start, disk_file: Path | None,
                                                 reads_disks: None, tmp_path: Path) -> None:
    assert disk_file is not None
    own = tmp_path / "blocks"
    own.write_bytes(disk_file.read_bytes())
    server = start("st-process", "--disk-file", str(own))
    with server.connect() as connection:
        assert ask(connection, request("/disk/4"))[0] == 200
        own.write_bytes(b"")
        assert ask(connection, request("/disk/4"))[0] == 500
        assert ask(connection) == (200, HELLO)


def test_what_the_origin_says_is_passed_on(subject: Subject) -> None:
    with subject.server.connect() as connection:
        for path, expected in GOOD.items():
            connection.sendall(request("/proxy" + path))
            got = b""
            while len(got) < len(expected):
                part = connection.recv(1 << 20)
                assert part, path
                got += part
            assert got == expected, path
        assert ask(connection) == (200, HELLO)


def test_head_is_passed_on(subject: Subject) -> None:
    sent = request("/proxy/sized", "HEAD") + request("/proxy/chunked", "HEAD") + GET
    got = answers(subject.server, sent)
    assert got.startswith(OK + b"X-Origin: yes\r\nContent-Length: 5\r\n\r\n" + OK + b"\r\n" + OK)


def test_pipelined_fetches_are_answered_in_order(subject: Subject) -> None:
    paths = ["/sized", "/teapot", "/stale", "/chunked", "/stale", "/nothing", "/interim"]
    sent = b"".join(request("/proxy" + path) + request("/bytes/2") for path in paths)
    got = answers(subject.server, sent)
    assert statuses(got) == [200, 200, 418, 200, 200, 200, 200, 200, 200, 200, 502, 200, 200, 200]
    assert answers(subject.server, sent, 11) == got


def test_an_origin_that_misbehaves_is_502(subject: Subject) -> None:
    with subject.server.connect() as connection:
        for path in BAD:
            assert ask(connection, request("/proxy" + path))[0] == 502, path
            assert ask(connection, request("/proxy/sized")) == (200, b"hello"), path


def test_a_connection_to_the_origin_is_used_again(subject: Subject, origin: ScriptedOrigin) -> None:
    with subject.server.connect() as connection:
        ask(connection, request("/proxy/sized"))
        before = origin.connections
        for _ in range(50):
            assert ask(connection, request("/proxy/sized")) == (200, b"hello")
        # Of 50; in a server of several kernel threads each of them may meet its first fetch.
        assert origin.connections - before <= 3


def test_conditions_and_queries_reach_the_origin(subject: Subject, origin: ScriptedOrigin) -> None:
    with subject.server.connect() as connection:
        connection.sendall(request("/proxy/a?b=c", fields='If-None-Match: "z"\r\nCookie: mine\r\n'))
        assert receive_answer(connection)[0] == 404
    assert (b"GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nVia: 1.1 statethreads\r\n"
            b'If-None-Match: "z"' % origin.port) in origin.heads


def test_many_clients_fetch_at_once(subject: Subject) -> None:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(subject.server.connect()) for _ in range(5)]
        for client in clients:
            client.sendall(request("/proxy/sized") * 9 + request("/proxy/said-goodbye"))
        for client in clients:
            client.shutdown(socket.SHUT_WR)
            assert statuses(receive_all(client)) == [200] * 10


def test_a_client_that_leaves_does_not_disturb(subject: Subject) -> None:
    with subject.server.connect() as other:
        for _ in range(10):
            with subject.server.connect() as rude:
                rude.sendall(request("/proxy/large"))
        assert ask(other, request("/proxy/sized")) == (200, b"hello")


def test_clients_that_leave_a_silent_origin_leave_nothing_behind(impatient: Subject) -> None:
    server = impatient.server

    def held() -> int:  # not descriptors: of several kernel threads one may still be starting
        return connections(server.tree())

    with server.connect() as connection:
        ask(connection, request("/proxy/sized"))
        before = held()
    for _ in range(10):
        with server.connect() as client:
            client.sendall(request("/proxy/silence"))
    # Fewer than with a client there: none of the ten, and connections to the origin that can be used again.
    assert wait_until(lambda: held() < before), held()


def test_a_silent_origin_is_504_and_holds_up_no_other_client(impatient: Subject) -> None:
    with impatient.server.connect() as waiting, impatient.server.connect() as other:
        waiting.sendall(request("/proxy/silence") + GET)
        assert ask(other) == (200, HELLO)
        waiting.shutdown(socket.SHUT_WR)
        assert statuses(receive_all(waiting)) == [504, 200]


@pytest.mark.parametrize("model", MODELS)
def test_without_an_origin_it_is_502_and_nothing_is_left(start: Start, tmp_path: Path,
                                                         model: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    server = start(model, "--origin", f"127.0.0.1:{port}", "--counters", str(tmp_path / "counters"))
    with server.connect() as connection:
        for _ in range(20):
            assert ask(connection, request("/proxy/sized"))[0] == 502
        assert ask(connection) == (200, HELLO)
    assert wait_until(lambda: Counters.read(tmp_path / "counters").closed == 1)
    assert server.stop()["requests"] == 21


@pytest.mark.parametrize("model", MODELS)
def test_a_fetch_in_flight_is_finished_when_the_server_stops(start: Start, model: str,
                                                             origin: ScriptedOrigin) -> None:
    server = start(model, "--origin", f"127.0.0.1:{origin.port}")
    with server.connect() as connection:
        asked = len(origin.heads)
        connection.sendall(request("/proxy/large"))
        assert wait_until(lambda: len(origin.heads) > asked)
        server.terminate()
        assert len(receive_all(connection)) == len(GOOD["/large"])
    assert server.finish()["requests"] == 1
