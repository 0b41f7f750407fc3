"""What happens when a limit is reached: 503, one line on stderr, and service as soon as it can be."""

from __future__ import annotations

import contextlib
import os
import resource
from pathlib import Path

import pytest
from conftest import Start
from servers import (BIN, HELLO, MODELS, POOLS, VARIANTS, Counters, ask, ask_once, open_descriptors,
                     wait_until)


@pytest.mark.parametrize("model", [*MODELS, *VARIANTS])
def test_beyond_max_connections_is_503_until_one_leaves(start: Start, tmp_path: Path,
                                                        model: str) -> None:
    path = tmp_path / "counters"
    server = start(model, "--max-connections", "2", "--counters", str(path))
    with server.connect() as first, server.connect() as second:
        assert ask(first) == (200, HELLO)
        assert ask(second) == (200, HELLO)
        assert [ask_once(server) for _ in range(5)] == [503] * 5
        assert Counters.read(path).refused == 5
        first.close()
        assert wait_until(lambda: ask_once(server) == 200)
        assert ask(second) == (200, HELLO)
    episodes = server.log().count("--max-connections 2 are being served")
    # A line for each process or kernel thread that had to refuse, not for each client.
    assert 1 <= episodes <= sum(len(os.listdir(f"/proc/{pid}/task")) for pid in server.tree())
    assert server.stop()["requests"] >= 4


@pytest.mark.parametrize("model", [*MODELS, *VARIANTS])
def test_without_free_descriptors_clients_get_503_and_later_service(start: Start, tmp_path: Path,
                                                                    model: str) -> None:
    path = tmp_path / "counters"
    server = start(model, "--counters", str(path))
    assert [ask_once(server) for _ in range(20)] == [200] * 20
    # In mp-fork the parent accepts, and its children come and go.
    processes = [server.pid] if model == "mp-fork" else server.tree()
    assert wait_until(lambda: Counters.read(path).closed == 20)
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in processes}
    for pid in processes:
        full = max(open_descriptors(pid)) + 1
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (full, limits[pid][1]))
    statuses = []
    with contextlib.ExitStack() as stack:
        for _ in range(150):  # twice for each process of the largest pool
            client = stack.enter_context(server.connect())
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                statuses.append(ask(client)[0])
            if model in POOLS:
                client.close()  # or all of its few processes were soon busy
            # Elsewhere clients stay, until the holes below the highest descriptor are filled, too.
    assert 503 in statuses
    assert Counters.read(path).refused > 0
    assert "RLIMIT_NOFILE" in server.log()
    for pid in processes:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits[pid])
    assert wait_until(lambda: [ask_once(server) for _ in range(8)] == [200] * 8)
    server.stop()


@pytest.mark.skipif(os.getuid() != 0, reason="takes a user of its own to have a full process table")
@pytest.mark.parametrize("model", ["mp-fork", "mt-thread"])
def test_a_full_process_table_is_503_until_somebody_leaves(start: Start, model: str) -> None:
    nobody = 65534
    if not all(os.stat(folder).st_mode & 0o001 for folder in (BIN, *BIN.parents)):
        pytest.skip("another user cannot run the servers where they have been built")
    # The server's own processes, and two tasks for clients: nobody else is nobody here.
    limit = {"mp-fork": 3, "mt-thread": 4}[model]
    server = start(model, user=nobody, extra_groups=[], preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_NPROC, (limit, limit)))
    with server.connect() as first, server.connect() as second:
        assert ask(first) == (200, HELLO)
        assert ask(second) == (200, HELLO)
        assert ask_once(server) == 503
        assert f"RLIMIT_NPROC {limit}" in server.log()
        first.close()
        assert wait_until(lambda: ask_once(server) == 200)
    server.stop()


@pytest.mark.parametrize("model", MODELS)
def test_the_soft_limit_of_descriptors_is_raised(start: Start, model: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    server = start(model, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard)))
    assert resource.prlimit(server.pid, resource.RLIMIT_NOFILE)[0] == hard
    assert soft > 64
