"""What a connection that says nothing costs: bench/idle_memory.py shows the figures of every server."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from conftest import Start
from servers import BIN, GET, Server, ask, children_of

FEW = 50  # by then the server has what it makes once
MORE = 500


def memory_kib(pid: int) -> int:
    """Of a process and its children: what several share counts once."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    own = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return own + sum(map(memory_kib, children_of(pid)))


@pytest.mark.skipif(b"__asan_init" in (BIN / "httpd_st").read_bytes(),
                    reason="AddressSanitizer has memory of its own")
@pytest.mark.parametrize("model", ["st-process", "st-hybrid", "st-process-poll", "st-process-select",
                                   "st-process-io_uring"])
def test_a_silent_connection_costs_a_state_thread_one_page_and_little_else(start: Start, model: str) -> None:
    server = start(model)
    with contextlib.ExitStack() as stack:
        before = kib_with(FEW, server, stack)
        grown = kib_with(MORE, server, stack) - before
    assert grown <= 6 * MORE
    server.stop()


def kib_with(count: int, server: Server, stack: contextlib.ExitStack) -> int:
    """With so many clients more, each of which has been answered once."""
    for _ in range(count):
        assert ask(stack.enter_context(server.connect()), GET)[0] == 200
    return memory_kib(server.pid)
