"""What is true of single event-driven models, beyond what all servers are held to."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator

import pytest
from conftest import Start
from origin import LARGE, Origin, running_origin
from servers import (BIN, HELLO, MODELS, Server, ask, ask_once, children_of, open_descriptors,
                     wait_until)

FD_SETSIZE = 1024
MODELS_OF_EDSM = [model for model in MODELS if model.startswith("edsm-")]


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


@pytest.fixture
def origin() -> Iterator[Origin]:
    with running_origin() as running:
        yield running


@pytest.fixture(scope="module")
def disk_file() -> Iterator[Path]:
    # Beside the build and not in /tmp, which may be memory: there is no O_DIRECT.
    with tempfile.TemporaryDirectory(dir=BIN.parent) as folder:
        path = Path(folder) / "disk"
        subprocess.run([BIN / "make_disk_file", "--mib", "4", path], check=True, capture_output=True)
        yield path


def get(target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: test\r\n\r\n".encode()


@pytest.mark.parametrize("model", MODELS_OF_EDSM)
def test_what_the_origin_says_is_passed_on(start: Start, origin: Origin, model: str) -> None:
    server = start(model, "--origin", f"127.0.0.1:{origin.port}")
    with server.connect() as client:
        for _ in range(2):
            assert ask(client, get("/proxy/plain")) == (200, b"hello")
            assert ask(client, get("/proxy/large")) == (200, LARGE)
            assert ask(client, get("/proxy/chunked")) == (200, b"in two pieces")
        assert origin.connections == 1  # all on one connection
        assert ask(client, get("/proxy/to-the-end")) == (200, b"until I close")
        assert ask(client, get("/proxy/nonsense"))[0] == 502
        assert ask(client, get("/proxy/cut"))[0] == 502
        assert ask(client, get("/proxy/plain")) == (200, b"hello")
        client.sendall(get("/proxy/plain") * 5)  # pipelined
        client.shutdown(1)
        received = b""
        while part := client.recv(65536):
            received += part
        assert received.count(b"hello") == 5
    server.stop()


@pytest.mark.parametrize("model", MODELS_OF_EDSM)
def test_an_origin_that_has_left_a_pooled_connection_is_asked_on_a_new_one(
        start: Start, origin: Origin, model: str) -> None:
    server = start(model, "--origin", f"127.0.0.1:{origin.port}")
    with server.connect() as client:
        for asked in range(1, 6):
            assert ask(client, get("/proxy/then-gone")) == (200, b"ok")
            assert origin.connections == asked
    server.stop()


@pytest.mark.parametrize("model", MODELS_OF_EDSM)
def test_a_silent_origin_is_504_and_keeps_nobody_else_waiting(start: Start, origin: Origin,
                                                              model: str) -> None:
    server = start(model, "--origin", f"127.0.0.1:{origin.port}", "--idle-timeout", "0.5")
    with server.connect() as waiting, server.connect() as other:
        waiting.sendall(get("/proxy/silent"))
        assert ask(other) == (200, HELLO)
        assert ask(other, get("/proxy/plain")) == (200, b"hello")
        assert ask(waiting, b"")[0] == 504
        assert ask(waiting, get("/proxy/plain")) == (200, b"hello")
    server.stop()


@pytest.mark.parametrize("model", MODELS_OF_EDSM)
def test_no_origin_is_502(start: Start, origin: Origin, model: str) -> None:
    origin.close()
    server = start(model, "--origin", f"127.0.0.1:{origin.port}")
    with server.connect() as client:
        assert ask(client, get("/proxy/plain"))[0] == 502
        assert ask(client) == (200, HELLO)
    server.stop()


@pytest.mark.parametrize("model", MODELS_OF_EDSM)
def test_clients_that_leave_while_the_origin_is_asked_leave_nothing_behind(
        start: Start, origin: Origin, model: str) -> None:
    server = start(model, "--origin", f"127.0.0.1:{origin.port}", "--idle-timeout", "0.5")
    assert ask_once(server) == 200
    (worker,) = server.children()
    before = len(open_descriptors(worker))
    for _ in range(10):
        with server.connect() as client:
            client.sendall(get("/proxy/silent"))
    assert wait_until(lambda: origin.connections == 10)
    assert wait_until(lambda: len(open_descriptors(worker)) <= before)
    assert ask_once(server) == 200
    server.stop()


@pytest.mark.parametrize("model", MODELS_OF_EDSM)
def test_reads_from_the_disk_of_many_clients_at_once(start: Start, disk_file: Path,
                                                     model: str) -> None:
    server = start(model, "--disk-file", str(disk_file))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(30)]
        for client in clients:
            client.sendall(get("/disk/3") * 2 + get("/disk/0") + get("/plaintext"))
        for client in clients:
            received = b""
            while not received.endswith(HELLO):
                received += client.recv(65536)
            assert received.count(b"3 blocks read\n") == 2
            assert received.count(b"0 blocks read\n") == 1
    server.stop()


def helpers_of(server: Server, count: int) -> list[int]:
    (worker,) = server.children()
    assert wait_until(lambda: len(children_of(worker)) == count)
    return children_of(worker)


def test_amped_serves_while_all_helpers_are_held_up(start: Start, disk_file: Path) -> None:
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


def test_amped_replaces_a_helper_that_dies_and_only_its_request_fails(start: Start,
                                                                      disk_file: Path) -> None:
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
