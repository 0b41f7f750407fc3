"""The same requests get the same bytes from every server, however they are cut."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
from typing import Iterator

import pytest
from conftest import COMMANDS, Start, Subject, shared
from servers import GET, HELLO, MODELS, POOLS, Server, ask, mask_dates, receive_all, receive_answer

REFERENCE = next(iter(MODELS))


def request(target: str, method: str = "GET", fields: str = "", version: str = "1.1") -> bytes:
    return f"{method} {target} HTTP/{version}\r\nHost: test\r\n{fields}\r\n".encode()


def fields(text: str, body: str = "") -> bytes:
    return f"GET /plaintext HTTP/1.1\r\n{text}\r\n{body}".encode()


HOST = "Host: test\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"

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
    "cpu": (request("/cpu/50"), [200]),
    "cpu_too_much": (request("/cpu/1000001"), [404]),
    "alloc": (request("/alloc/500"), [200]),
    "file": (request("/file/hello.txt"), [200]),
    "file_head": (request("/file/hello.txt", "HEAD"), [200]),
    "file_large": (request("/file/large.bin"), [200]),
    "file_missing": (request("/file/none"), [404]),
    "file_folder": (request("/file/"), [404]),
    "file_dot_dot": (request("/file/../secret.txt"), [404]),
    "file_dot_dot_escaped": (request("/file/%2e%2e/secret.txt"), [404]),
    "file_slash_escaped": (request("/file/..%2fsecret.txt"), [404]),
    "file_absolute": (request("/file//etc/passwd"), [404]),
    "file_nul": (request("/file/hello.txt%00"), [404]),
    "file_symlink_out": (request("/file/link.txt"), [404]),
    "file_modified_since": (
        request("/file/hello.txt", fields="If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT\r\n"),
        [304]),
    "file_not_modified_then": (
        request("/file/hello.txt", fields="If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
        [200]),
    "file_any_etag": (request("/file/hello.txt", fields="If-None-Match: *\r\n"), [304]),
    "file_other_etag": (request("/file/hello.txt", fields='If-None-Match: "x"\r\n'), [200]),
    "body": (request("/plaintext", fields="Content-Length: 5\r\n") + b"hello" + GET, [200, 200]),
    "body_1_mib": (request("/plaintext", fields="Content-Length: 1048576\r\n") + b"b" * 1048576
                   + GET, [200, 200]),
    "chunked": (request("/plaintext", fields=CHUNKED) + b"5\r\nhello\r\n0\r\n\r\n" + GET, [200, 200]),
    "expect": (request("/plaintext", fields="Content-Length: 2\r\nExpect: 100-continue\r\n") + b"ab",
               [100, 200]),
    "absolute_form": (request("http://test/plaintext"), [200]),
    "nothing": (b"", []),
    "empty_lines": (b"\r\n\r\n" + GET, [200]),
    "half_a_head": (GET[:20], [400]),
    "half_a_body": (request("/plaintext", fields="Content-Length: 5\r\n") + b"he", [400]),
    # Refused, with a request behind that must not be answered: somebody may have smuggled it in.
    "malformed": (b"GET\r\n\r\n" + GET, [400]),
    "tls": (b"\x16\x03\x01\x02\x00\x01" + GET, [400]),
    "method": (request("/plaintext", "DELETE") + GET, [405]),
    "version": (request("/plaintext", version="2.7") + GET, [505]),
    "no_host": (fields("") + GET, [400]),
    "two_hosts": (fields(HOST * 2) + GET, [400]),
    "bare_lf": (b"GET /plaintext HTTP/1.1\nHost: test\n\n" + GET, [400]),
    "folded": (fields(HOST + "A: b\r\n c\r\n") + GET, [400]),
    "space_before_colon": (fields(HOST + "Content-Length : 3\r\n", "abc") + GET, [400]),
    "two_equal_lengths": (fields(HOST + "Content-Length: 3\r\n" * 2, "abc") + GET, [400]),
    "two_lengths": (fields(HOST + "Content-Length: 3\r\nContent-Length: 4\r\n", "abc") + GET, [400]),
    "list_of_lengths": (fields(HOST + "Content-Length: 3, 3\r\n", "abc") + GET, [400]),
    "signed_length": (fields(HOST + "Content-Length: +3\r\n", "abc") + GET, [400]),
    "length_and_chunked": (fields(HOST + "Content-Length: 3\r\n" + CHUNKED, "0\r\n\r\n") + GET, [400]),
    "chunked_twice": (fields(HOST + CHUNKED * 2, "0\r\n\r\n") + GET, [400]),
    "chunked_in_1_0": (request("/plaintext", fields=CHUNKED, version="1.0") + b"0\r\n\r\n" + GET,
                       [400]),
    "chunk_size_sign": (fields(HOST + CHUNKED, "+5\r\nhello\r\n0\r\n\r\n") + GET, [400]),
    "chunk_overrun": (fields(HOST + CHUNKED, "5\r\nhello!\r\n0\r\n\r\n") + GET, [400]),
    "transfer_coding": (request("/plaintext", fields="Transfer-Encoding: gzip\r\n") + GET, [501]),
    "asterisk_form": (request("*") + GET, [400]),
    "other_scheme": (request("ftp://test/plaintext") + GET, [400]),
    "target_too_long": (request("/" + "a" * 9000) + GET, [414]),
    "head_too_large": (request("/plaintext", fields=f"X: {'a' * 17000}\r\n") + GET, [431]),
    "too_many_fields": (request("/plaintext", fields="X: y\r\n" * 100) + GET, [431]),
    "body_too_large": (request("/plaintext", fields="Content-Length: 99999999\r\n"), [413]),
}
# Those worth sending byte by byte.
CUT = ["plaintext", "pipelined_mixed", "chunked", "body", "file", "half_a_head", "length_and_chunked",
       "folded", "connection_close", "alloc", "empty_lines"]


def answers(server: Server, sent: bytes, cut: int = 1 << 20) -> bytes:
    """Sends in pieces of `cut` bytes, ends the sending side, and reads to the end."""
    with server.connect() as connection:
        with contextlib.suppress(OSError):  # the server may refuse it, and close, before its end
            for at in range(0, len(sent), cut):
                connection.sendall(sent[at:at + cut])
            connection.shutdown(socket.SHUT_WR)
        return mask_dates(receive_all(connection))


def statuses(answer: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


@pytest.fixture(scope="session")
def wanted(options: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, bytes]]:
    """What the first of the models answers."""
    with contextlib.contextmanager(shared)(REFERENCE, options,
                                           tmp_path_factory.mktemp("reference")) as reference:
        yield {name: answers(reference.server, sent) for name, (sent, _) in REQUESTS.items()}


def test_the_reference_answers_as_it_should(wanted: dict[str, bytes]) -> None:
    assert {name: statuses(answer) for name, answer in wanted.items()} == {
        name: expected for name, (_, expected) in REQUESTS.items()}


def test_every_server_answers_the_same_bytes(subject: Subject, wanted: dict[str, bytes]) -> None:
    for name, (sent, _) in REQUESTS.items():
        assert answers(subject.server, sent) == wanted[name], name


def test_how_a_request_is_cut_changes_nothing(subject: Subject, wanted: dict[str, bytes]) -> None:
    for name in CUT:
        for cut in (1, 7):
            assert answers(subject.server, REQUESTS[name][0], cut) == wanted[name], (name, cut)


# Different enough that an answer in the wrong place is seen.
MIXED = [GET, request("/bytes/1"), request("/plaintext", "HEAD"), request("/none"), request("/bytes/3000")]


def test_pipelines_of_1_to_64_requests_are_answered_in_order(subject: Subject) -> None:
    single = [answers(subject.server, one) for one in MIXED]
    with subject.server.connect() as connection:
        for depth in range(1, 65):
            sent = b"".join(MIXED[i % len(MIXED)] for i in range(depth))
            expected = b"".join(single[i % len(MIXED)] for i in range(depth))
            # Cut once, at another place of a request each time; the deepest after every byte.
            cuts = range(len(sent) + 1) if depth == 64 else [0, len(sent) * depth // 65, len(sent)]
            for begin, end in zip(cuts, cuts[1:]):
                connection.sendall(sent[begin:end])
            assert mask_dates(receive_exactly(connection, expected)) == expected, depth


def receive_exactly(connection: socket.socket, expected: bytes) -> bytes:
    """As many bytes as `expected` is long, where dates are masked by one character."""
    size = len(expected) + 28 * expected.count(b"\r\nDate: *")
    got = b""
    while len(got) < size:
        part = connection.recv(1 << 16)
        assert part, f"the end after {len(got)} of {size} bytes"
        got += part
    return got


@pytest.fixture(scope="session")
def largest(options: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[bytes]:
    """The largest body there is, as the first of the models sends it; each smaller one is how it begins."""
    with contextlib.contextmanager(shared)(REFERENCE, options,
                                           tmp_path_factory.mktemp("largest")) as reference:
        yield ask_through(1 << 22, reference.server, 16777216)


def ask_through(window: int, server: Server, size: int) -> bytes:
    """A body of `size` bytes, taken by a client who has room for so many bytes at once."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(request(f"/bytes/{size}", fields="Connection: close\r\n"))
        return receive_all(connection).split(b"\r\n\r\n", 1)[1]


def test_bodies_to_16_mebibytes_pass_through_a_tiny_window(subject: Subject, largest: bytes) -> None:
    assert len(largest) == 16777216
    for size in (0, 1, 4096, 65537, 1000000, len(largest)):
        # Not compared in the assertion: pytest would describe where 16 MiB differ.
        same = ask_through(4096, subject.server, size) == largest[:size]
        assert same, size


def test_an_etag_that_was_given_is_not_modified(subject: Subject) -> None:
    with subject.server.connect() as connection:
        connection.sendall(request("/file/hello.txt", "HEAD"))
        head = connection.recv(4096)
        found = re.search(rb"\r\nETag: (\S+)\r\n", head)
        assert found, head
        etag = found.group(1).decode()
        connection.sendall(request("/file/hello.txt", fields=f"If-None-Match: \"x\", {etag}\r\n"))
        assert connection.recv(4096).startswith(b"HTTP/1.1 304 ")
        assert ask(connection) == (200, HELLO)


def test_a_client_that_reads_late_gets_everything(subject: Subject) -> None:
    with subject.server.connect() as slow, subject.server.connect() as quick:
        # More than both sockets hold, so the server has to wait in the middle of an answer ...
        slow.sendall(request("/bytes/16777216") * 2)
        # ... and still serves the others.
        assert ask(quick) == (200, HELLO)
        slow.shutdown(socket.SHUT_WR)
        got = receive_all(slow)
    assert statuses(got) == [200, 200]
    assert len(got) > 2 * 16777216


def test_a_client_that_sends_without_reading_is_no_trouble(subject: Subject) -> None:
    with subject.server.connect() as flood, subject.server.connect() as other:
        flood.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            for _ in range(400):  # until the server reads no more
                flood.sendall(request("/bytes/20000") * 500)
        assert ask(other) == (200, HELLO)


def test_a_reset_in_the_middle_of_an_answer_hurts_nobody_else(subject: Subject) -> None:
    with subject.server.connect() as other:
        for _ in range(5):
            with subject.server.connect() as rude:
                rude.sendall(request("/bytes/16777216"))
                assert rude.recv(1000)
                rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            assert ask(other) == (200, HELLO)


def test_a_refusal_reaches_a_client_that_is_still_sending(subject: Subject) -> None:
    body = b"b" * (8 << 20)  # more than sockets hold: without a goodbye the rest meets a reset
    for _ in range(3):
        with subject.server.connect() as connection:
            connection.sendall(request("/plaintext", fields=f"Content-Length: {len(body)}\r\n"))
            connection.sendall(body)
            assert receive_answer(connection)[0] == 413
            assert connection.recv(1) == b""


@pytest.mark.parametrize("model", COMMANDS)
def test_three_hundred_clients_at_once(start: Start, model: str) -> None:
    extra = ["--workers", "300"] if model in POOLS else []
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
