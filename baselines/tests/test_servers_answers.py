"""The same requests get the same bytes from every server, however they are cut."""

from __future__ import annotations

import contextlib
import re
import socket
from pathlib import Path

import pytest
from conftest import Start
from servers import GET, HELLO, MODELS, VARIANTS, Server, ask, mask_dates, receive_all

REFERENCE = next(iter(MODELS))
OTHERS = [name for name in [*MODELS, *VARIANTS] if name != REFERENCE]


def request(target: str, method: str = "GET", fields: str = "", version: str = "1.1") -> bytes:
    return f"{method} {target} HTTP/{version}\r\nHost: test\r\n{fields}\r\n".encode()


# What is sent, and the statuses of the answers. The client then ends its side and reads to the end.
REQUESTS: dict[str, tuple[bytes, list[int]]] = {
    "plaintext": (GET, [200]),
    "head": (request("/plaintext", "HEAD"), [200]),
    "http_1_0": (request("/plaintext", version="1.0"), [200]),
    "http_1_0_keep_alive": (
        request("/plaintext", fields="Connection: keep-alive\r\n", version="1.0") * 2, [200, 200]),
    "connection_close": (request("/plaintext", fields="Connection: close\r\n") + GET, [200]),
    "pipelined": (GET * 50, [200] * 50),
    "pipelined_large": (request("/bytes/300000") * 5 + GET, [200] * 6),
    "pipelined_mixed": (request("/none") + GET + request("/plaintext", "HEAD") + request("/bytes/9"),
                        [404, 200, 200, 200]),
    "bytes": (request("/bytes/100000"), [200]),
    "file": (request("/file/hello.txt"), [200]),
    "file_head": (request("/file/hello.txt", "HEAD"), [200]),
    "file_large": (request("/file/large.bin"), [200]),
    "file_missing": (request("/file/none"), [404]),
    "file_dot_dot": (request("/file/../secret.txt"), [404]),
    "file_symlink_out": (request("/file/link.txt"), [404]),
    "body": (request("/plaintext", fields="Content-Length: 5\r\n") + b"hello" + GET, [200, 200]),
    "chunked": (request("/plaintext", fields="Transfer-Encoding: chunked\r\n")
                + b"5\r\nhello\r\n0\r\n\r\n" + GET, [200, 200]),
    "malformed": (b"GET\r\n\r\n", [400]),
    "method": (request("/plaintext", "DELETE"), [405]),
    "body_too_large": (request("/plaintext", fields="Content-Length: 99999999\r\n"), [413]),
    "target_too_long": (request("/" + "a" * 9000), [414]),
    "head_too_large": (request("/plaintext", fields=f"X: {'a' * 17000}\r\n"), [431]),
    "transfer_coding": (request("/plaintext", fields="Transfer-Encoding: gzip\r\n"), [501]),
    "version": (request("/plaintext", version="2.7"), [505]),
    "nothing": (b"", []),
    "half_a_head": (GET[:20], [400]),
}


def answers(server: Server, sent: bytes, cut: int) -> bytes:
    """Sends in pieces of `cut` bytes, ends the sending side, and reads to the end."""
    with server.connect() as connection:
        with contextlib.suppress(OSError):  # the server may refuse it, and close, before its end
            for at in range(0, len(sent), cut):
                connection.sendall(sent[at:at + cut])
            connection.shutdown(socket.SHUT_WR)
        return mask_dates(receive_all(connection))


def statuses(answer: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


@pytest.mark.parametrize("other", OTHERS)
def test_every_server_answers_the_same_bytes(start: Start, docroot: Path, other: str) -> None:
    reference = start(REFERENCE, "--docroot", str(docroot))
    server = start(other, "--docroot", str(docroot))
    for name, (sent, expected) in REQUESTS.items():
        wanted = answers(reference, sent, 1 << 20)
        assert statuses(wanted) == expected, name
        assert answers(server, sent, 1 << 20) == wanted, name


@pytest.mark.parametrize("model", MODELS)
def test_how_a_request_is_cut_changes_nothing(start: Start, docroot: Path, model: str) -> None:
    server = start(model, "--docroot", str(docroot))
    for name in ["plaintext", "pipelined_mixed", "chunked", "body", "file", "half_a_head"]:
        sent = REQUESTS[name][0]
        whole = answers(server, sent, 1 << 20)
        for cut in (1, 7):
            assert answers(server, sent, cut) == whole, (name, cut)


@pytest.mark.parametrize("model", MODELS)
def test_a_client_that_reads_late_gets_everything(start: Start, model: str) -> None:
    server = start(model)
    with server.connect() as slow, server.connect() as quick:
        # More than both sockets hold, so the server has to wait in the middle of an answer ...
        slow.sendall(request("/bytes/16777216") * 2)
        # ... and still serves the others.
        assert ask(quick) == (200, HELLO)
        slow.shutdown(socket.SHUT_WR)
        got = receive_all(slow)
    assert statuses(got) == [200, 200]
    assert len(got) > 2 * 16777216


@pytest.mark.parametrize("model", MODELS)
def test_a_client_that_sends_without_reading_is_no_trouble(start: Start, model: str) -> None:
    server = start(model)
    with server.connect() as flood, server.connect() as other:
        flood.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            for _ in range(400):  # until the server reads no more
                flood.sendall(request("/bytes/20000") * 500)
        assert ask(other) == (200, HELLO)


@pytest.mark.parametrize("model", [*MODELS, *VARIANTS])
def test_a_slow_head_gets_408_and_an_idle_connection_a_quiet_end(start: Start, model: str) -> None:
    server = start(model, "--idle-timeout", "0.3")
    with server.connect() as slow, server.connect() as silent, server.connect() as used:
        assert ask(used) == (200, HELLO)
        slow.sendall(GET[:20])
        assert statuses(receive_all(slow)) == [408]
        assert receive_all(silent) == b""
        assert receive_all(used) == b""


@pytest.mark.parametrize("model", MODELS)
def test_a_byte_now_and_then_earns_no_time(start: Start, model: str) -> None:
    server = start(model, "--idle-timeout", "0.3")
    with server.connect() as dribbling:
        dribbling.sendall(b"GET /")
        dribbling.settimeout(0.05)
        got = b""
        for _ in range(400):  # 20 s: for ever, if each byte counted
            with contextlib.suppress(TimeoutError):
                got = dribbling.recv(4096)
                break
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                dribbling.send(b"a")
        assert statuses(got) == [408]


@pytest.mark.parametrize("model", MODELS)
def test_a_client_that_stops_reading_is_given_up(start: Start, model: str) -> None:
    server = start(model, "--idle-timeout", "0.3")
    with server.connect() as stalled:
        stalled.sendall(request("/bytes/16777216"))
        assert stalled.recv(1000)
        assert server.stop()["connections"] == 1  # by the timeout, long before the 5 s of an end


@pytest.mark.parametrize("model", [*MODELS, *VARIANTS])
def test_three_hundred_clients_at_once(start: Start, model: str) -> None:
    extra = ["--workers", "300"] if model == "mp-prefork" else []
    server = start(model, *extra)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(300)]
        for _ in range(2):
            for client in clients:
                client.sendall(GET)
            for client in clients:
                assert client.recv(4096).endswith(HELLO)
    exit_line = server.stop()
    assert (exit_line["connections"], exit_line["requests"]) == (300, 600)
