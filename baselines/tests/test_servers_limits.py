"""What happens when a limit is reached: 503, one line on stderr, and service as soon as it can be."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from pathlib import Path

import pytest
from conftest import COMMANDS, Start
from servers import (BIN, HELLO, MODELS, PATIENCE_S, POOLS, SINGLE, VARIANTS, Counters, alive, ask,
                     ask_once, open_descriptors, wait_until)

# Has no other process on this machine, so that a limit of processes means the same in every run.
LONELY_USER = 100_000 + os.getpid()

# A sanitizer maps terabytes before main(), and starts a task of its own to look for leaks.
SANITIZED = b"__asan_init" in (BIN / "httpd_mt").read_bytes()


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
    # A line for each process that had to refuse, not for each client or thread.
    assert 1 <= episodes <= len(server.tree())
    assert server.stop()["requests"] >= 4


@pytest.mark.parametrize("model", [*MODELS, *VARIANTS])
def test_without_free_descriptors_clients_get_503_and_later_service(start: Start, tmp_path: Path,
                                                                    model: str) -> None:
    path = tmp_path / "counters"
    # Each thread in accept() has taken a number that /proc does not show yet: one thread, one number.
    extra = ["--workers", "1"] if model == "mt-pool" else []
    server = start(model, "--counters", str(path), *extra)
    assert [ask_once(server) for _ in range(20)] == [200] * 20
    # As many clients at once as a pool has processes: each has then served, and opened what it opens once
    # (UBSan takes a pipe for each type that it meets for the first time).
    pool = len(server.children()) if model in POOLS else 1
    with contextlib.ExitStack() as stack:
        assert [ask(stack.enter_context(server.connect()))[0] for _ in range(pool)] == [200] * pool
    # In mp-fork the parent accepts, and its children come and go.
    processes = [server.pid] if model == "mp-fork" else server.tree()
    assert wait_until(lambda: Counters.read(path).closed == 20 + pool)
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
    if not all(os.stat(folder).st_mode & 0o001 for folder in (BIN, *BIN.parents)):
        pytest.skip("another user cannot run the servers where they have been built")
    # The server's own processes, and two tasks for clients.
    limit = {"mp-fork": 3, "mt-thread": 4}[model]
    server = start(model, user=LONELY_USER, extra_groups=[], preexec_fn=lambda: resource.setrlimit(
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


def run_limited(model: str, *options: str, user: int | None = None,
                **limits: int) -> subprocess.CompletedProcess[str]:
    """Runs a server that cannot start under the given RLIMIT_..., to its end."""
    def limit() -> None:
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, name), (value, value))
    command = COMMANDS[model]
    return subprocess.run([str(BIN / command[0]), *command[1:], *options, "--listen", "127.0.0.1:0"],
                          capture_output=True, text=True, timeout=PATIENCE_S, preexec_fn=limit,
                          user=user, extra_groups=None if user is None else [])


def is_one_sentence(result: subprocess.CompletedProcess[str], *words: str) -> bool:
    return ((result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
            and all(word in result.stderr for word in words))


@pytest.mark.skipif(os.getuid() != 0, reason="takes a user of its own to have a full process table")
@pytest.mark.skipif(SANITIZED, reason="a sanitizer needs more of everything")
@pytest.mark.parametrize("model", ["mp-prefork", "mp-prefork-lock", "mt-pool", "mt-staged"])
def test_a_pool_for_which_there_are_too_few_tasks_does_not_start(model: str) -> None:
    if not all(os.stat(folder).st_mode & 0o001 for folder in (BIN, *BIN.parents)):
        pytest.skip("another user cannot run the servers where they have been built")
    result = run_limited(model, "--workers", "50", user=LONELY_USER, RLIMIT_NPROC=20)
    assert is_one_sentence(result, "of 5", "ulimit -u", "EAGAIN"), result


def test_more_sockets_than_descriptors_is_one_sentence() -> None:
    result = run_limited("mp-prefork-reuseport", "--workers", "100", RLIMIT_NOFILE=50)
    assert is_one_sentence(result, "cannot make a socket", "EMFILE", "ulimit -n"), result


@pytest.mark.skipif(SANITIZED, reason="a sanitizer needs more of everything")
@pytest.mark.parametrize("model", ["mp-prefork", "mt-thread", "mt-pool", "mt-staged"])
def test_too_little_memory_to_start_is_one_sentence(model: str) -> None:
    # Enough for the program and its libraries, not for what /bytes/ is served from.
    result = run_limited(model, RLIMIT_AS=20 << 20)
    assert is_one_sentence(result, "memory", "ulimit -v"), result


@pytest.mark.skipif(SANITIZED, reason="a sanitizer needs more of everything")
@pytest.mark.parametrize("model, limit", [
    ("mt-thread", resource.RLIMIT_AS),  # the next thread's stack
    *[("nspr", resource.RLIMIT_AS)][:"nspr" in COMMANDS],
    ("mt-staged", resource.RLIMIT_DATA),  # the next block of the heap
    ("mp-fork", resource.RLIMIT_DATA),  # of the next child
    ("edsm-epoll", resource.RLIMIT_DATA),
    ("edsm-poll", resource.RLIMIT_DATA),
    ("edsm-io_uring", resource.RLIMIT_DATA),
    ("st-process", resource.RLIMIT_DATA),
    *((model, resource.RLIMIT_DATA)
      for model in ("edsm-select", "edsm-amped", "st-hybrid", "st-process-poll", "st-process-select",
                    "st-process-io_uring", "libst", "pth", "fiber-thread", "fiber-stealing", "libevent") if model in COMMANDS),
])
def test_without_free_memory_clients_are_cut_off_and_later_served(start: Start, model: str,
                                                                  limit: int) -> None:
    server = start(model)
    assert ask_once(server) == 200  # whatever is set up once has been set up
    worker = server.pid if model in ("mp-fork", *SINGLE) else server.children()[0]
    size = mapped_bytes(worker) if limit == resource.RLIMIT_AS else 1 << 12
    resource.prlimit(worker, limit, (size, resource.RLIM_INFINITY))
    with contextlib.ExitStack() as stack:
        for _ in range(200):  # each keeps 16 KiB of the server's memory
            client = stack.enter_context(server.connect())
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                client.sendall(b"GET /plaintext HTTP/1.1\r\nX: " + b"x" * 15000)
        assert wait_until(lambda: "RLIMIT_AS" in server.log())
        for _ in range(300):  # who is idle needs memory, too
            stack.enter_context(server.connect())
    resource.prlimit(worker, limit, (resource.RLIM_INFINITY,) * 2)
    assert wait_until(lambda: [ask_once(server) for _ in range(8)] == [200] * 8)
    assert alive(worker)  # it has not been replaced
    server.stop()


def mapped_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
