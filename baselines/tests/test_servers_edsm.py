"""What is true of single event-driven models, beyond what all servers are held to."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import signal
import struct
import subprocess
from pathlib import Path
from typing import Iterator

import pytest
from conftest import Start
from servers import BIN, HELLO, Server, ask, ask_once, children_of, wait_until

FD_SETSIZE = 1024


def get(target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: test\r\n\r\n".encode()


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


@pytest.mark.usefixtures("many_descriptors")
def test_a_burst_of_more_clients_than_there_are_receive_buffers_is_answered(start: Start) -> None:
    server = start("edsm-io_uring")
    (worker,) = server.children()
    os.kill(worker, signal.SIGSTOP)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(1800)]  # of 1024 buffers
        for client in clients:
            client.sendall(get("/plaintext"))
        os.kill(worker, signal.SIGCONT)
        for client in clients:
            assert ask(client, b"") == (200, HELLO)
        for client in clients:
            assert ask(client) == (200, HELLO)
    server.stop()


def forbid_io_uring() -> None:
    """A kernel without io_uring, for this process and its children: io_uring_setup() is ENOSYS."""
    libc = ctypes.CDLL(None, use_errno=True)
    allow, enosys, io_uring_setup = 0x7fff0000, 0x00050000 | errno.ENOSYS, 425
    # Load the system call's number; unless it is io_uring_setup, skip one instruction.
    code = [(0x20, 0, 0, 0), (0x15, 0, 1, io_uring_setup), (0x06, 0, 0, enosys), (0x06, 0, 0, allow)]
    packed = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
    program = struct.pack("HxxxxxxP", len(code), ctypes.addressof(packed))
    no_new_privileges, set_seccomp, filter_mode = 38, 22, 2
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) or libc.prctl(set_seccomp, filter_mode, program):
        os._exit(3)


def test_a_kernel_without_io_uring_is_named_in_one_sentence() -> None:
    result = subprocess.run(
        [BIN / "httpd_edsm", "--model", "io_uring", "--listen", "127.0.0.1:0"], capture_output=True,
        text=True, timeout=20, preexec_fn=forbid_io_uring)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert "io_uring: " in result.stderr and "choose another --model" in result.stderr


def helpers_of(server: Server, count: int) -> list[int]:
    (worker,) = server.children()
    assert wait_until(lambda: len(children_of(worker)) == count)
    return children_of(worker)


@pytest.mark.usefixtures("reads_disks")
def test_amped_serves_while_all_helpers_are_held_up(start: Start, disk_file: Path | None) -> None:
    server = start("edsm-amped", "--disk-file", str(disk_file), "--workers", "2")
    helpers = helpers_of(server, 2)
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(server.connect()) for _ in range(5)]
        for helper in helpers:
            os.kill(helper, signal.SIGSTOP)
        for reader in readers:
            reader.sendall(get("/disk/1"))
        assert ask_once(server) == 200
        for helper in helpers:
            os.kill(helper, signal.SIGCONT)
        for reader in readers:
            assert ask(reader, b"") == (200, b"1 blocks read\n")
    server.stop()
    assert not any(Path(f"/proc/{helper}").exists() for helper in helpers)


@pytest.mark.usefixtures("reads_disks")
def test_amped_replaces_a_helper_that_dies_and_only_its_request_fails(start: Start,
                                                                      disk_file: Path | None) -> None:
    server = start("edsm-amped", "--disk-file", str(disk_file), "--workers", "1")
    (helper,) = helpers_of(server, 1)
    with server.connect() as first, server.connect() as second:
        assert ask(first, get("/disk/1"))[0] == 200
        os.kill(helper, signal.SIGSTOP)
        first.sendall(get("/disk/1"))
        assert ask(second) == (200, HELLO)  # so the loop has seen the first request
        second.sendall(get("/disk/2"))
        os.kill(helper, signal.SIGKILL)
        assert ask(first, b"")[0] == 500
        assert ask(second, b"") == (200, b"2 blocks read\n")
        assert ask(first, get("/disk/1"))[0] == 200
    assert f"disk helper {helper} died of signal 9 (Killed); starting another" in server.log()
    server.stop()
