"""How long a server waits: for a request, for the rest of one, for a client to take its answer."""

from __future__ import annotations

import contextlib

import pytest
from conftest import COMMANDS, Start, Subject
from servers import GET, HELLO, ask, receive_all
from test_servers_answers import request, statuses


def test_a_slow_head_gets_408_and_an_idle_connection_a_quiet_end(impatient: Subject) -> None:
    server = impatient.server
    with server.connect() as slow, server.connect() as silent, server.connect() as used:
        assert ask(used) == (200, HELLO)
        slow.sendall(GET[:20])
        assert statuses(receive_all(slow)) == [408]
        assert receive_all(silent) == b""
        assert receive_all(used) == b""


def test_a_slow_body_gets_408(impatient: Subject) -> None:
    with impatient.server.connect() as slow:
        slow.sendall(request("/plaintext", fields="Content-Length: 5\r\n") + b"he")
        assert statuses(receive_all(slow)) == [408]


def test_a_byte_now_and_then_earns_no_time(impatient: Subject) -> None:
    with impatient.server.connect() as dribbling:
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


@pytest.mark.parametrize("model", COMMANDS)
def test_a_client_that_stops_reading_is_given_up(start: Start, model: str) -> None:
    server = start(model, "--idle-timeout", "0.3")
    with server.connect() as stalled:
        stalled.sendall(request("/bytes/16777216"))
        assert stalled.recv(1000)
        assert server.stop()["connections"] == 1  # by the timeout, long before the 5 s of an end
