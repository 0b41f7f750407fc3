"""Limits that only some runtimes have: those that wait with select() know 1,024 descriptors."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from conftest import Start
from servers import HELLO, PEERS, VARIANTS, Counters, ask, ask_once, wait_until

SELECTING = [name for name in ("pth", "libst-select") if name in {**PEERS, **VARIANTS}]

# FD_SETSIZE; the server's own descriptors take a few.
MOST = 1024


@pytest.mark.skipif(not SELECTING, reason="no peer that waits with select() is built")
@pytest.mark.parametrize("model", SELECTING)
def test_clients_beyond_select_get_503_and_the_others_are_served(start: Start, tmp_path: Path,
                                                                 model: str) -> None:
    path = tmp_path / "counters"
    server = start(model, "--counters", str(path))
    with contextlib.ExitStack() as stack:
        statuses: list[int] = []
        clients = []
        for _ in range(MOST + 16):
            clients.append(stack.enter_context(server.connect()))
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                statuses.append(ask(clients[-1])[0])
        served = statuses.count(200)
        assert MOST - 32 < served < MOST
        assert statuses[:served] == [200] * served
        assert set(statuses[served:]) == {503}
        assert Counters.read(path).refused == len(statuses) - served
        assert "RLIMIT_NOFILE 1024" in server.log()
        for client in clients[:served]:
            assert ask(client) == (200, HELLO)
    assert wait_until(lambda: ask_once(server) == 200)
    server.stop()
