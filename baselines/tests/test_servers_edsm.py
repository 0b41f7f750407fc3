"""What is true of single event-driven models, beyond what all servers are held to."""

from __future__ import annotations

import contextlib
import resource
from typing import Iterator

import pytest
from conftest import Start
from servers import HELLO, ask, ask_once, wait_until

FD_SETSIZE = 1024


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Lets the test itself have more than FD_SETSIZE connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * FD_SETSIZE:
        pytest.skip(f"needs {2 * FD_SETSIZE} descriptors, RLIMIT_NOFILE allows {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * FD_SETSIZE), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_descriptors")
def test_select_turns_away_whom_it_cannot_watch_and_serves_the_others(start: Start) -> None:
    server = start("edsm-select")
    with contextlib.ExitStack() as stack:
        watched = []
        while ask((client := stack.enter_context(server.connect()))) == (200, HELLO):
            watched.append(client)
            assert len(watched) < FD_SETSIZE
        assert len(watched) > FD_SETSIZE - 32  # all but the few that the server has for itself
        assert ask_once(server) == 503
        assert [ask(client) for client in watched[::100]] == [(200, HELLO)] * len(watched[::100])
        watched[0].close()
        assert wait_until(lambda: ask_once(server) == 200)
    assert "select() knows no descriptor from 1024 (FD_SETSIZE) on" in server.log()
    server.stop()
