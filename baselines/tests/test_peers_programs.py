"""nginx, Apache and lighttpd as our servers' equals: those that are installed, through httpd_program."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator

import pytest
from servers import BIN, HELLO, MODELS, Server, alive, ask, ask_once, receive_all, running, wait_until

EXECUTABLES = {"nginx": "nginx", "nginx-static": "nginx", "apache-prefork": "apache2", "apache-worker": "apache2",
               "apache-event": "apache2", "lighttpd": "lighttpd"}
INSTALLED = [model for model, name in EXECUTABLES.items()
             if shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")]

pytestmark = pytest.mark.skipif(not (BIN / "httpd_program").exists(), reason="the servers are not built")


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Where httpd_program puts its folders; open to whoever a program serves as, and empty in the end."""
    with tempfile.TemporaryDirectory(prefix="test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        assert list(folder.iterdir()) == []


def command(model: str, *options: str) -> list[str]:
    return ["httpd_program", "--model", model, "--workers", "8", *options]


def all_processes(server: Server) -> list[int]:
    """Masters, workers and their children."""
    found, new = [server.pid], [server.pid]
    while new:
        tasks = [Path(f"/proc/{pid}/task/{pid}/children") for pid in new]
        new = [int(child) for task in tasks for child in task.read_text().split()]
        found += new
    return found


def page(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode()


@pytest.mark.parametrize("model", INSTALLED)
def test_a_program_serves_the_same_bodies_as_our_servers(tmp_path: Path, temporary: Path, model: str) -> None:
    ours = next(iter(MODELS.values()))
    environment = {**os.environ, "TMPDIR": str(temporary)}
    docroot = temporary / "www"
    docroot.mkdir()
    (docroot / "hello.txt").write_text("a file\n")
    with running(ours, tmp_path / "ours") as reference, \
            running(command(model, "--docroot", str(docroot)), tmp_path / "stderr", env=environment) as server:
        with reference.connect() as expected, server.connect() as connection:
            for path in ["/plaintext", "/bytes/1", "/bytes/1024", "/bytes/2048", "/bytes/65536", "/bytes/1048576"]:
                assert ask(connection, page(path)) == ask(expected, page(path)), path
            assert ask(connection, page("/file/hello.txt")) == (200, b"a file\n")
            assert ask(connection, page("/bytes/77"))[0] == 404
        server.stop()
    shutil.rmtree(docroot)


@pytest.mark.parametrize("model", INSTALLED)
def test_the_end_finishes_what_is_in_flight_and_leaves_nobody(tmp_path: Path, temporary: Path,
                                                             model: str) -> None:
    with running(command(model), tmp_path / "stderr", env={**os.environ, "TMPDIR": str(temporary)}) as server:
        processes = all_processes(server)
        assert len(processes) > 1
        with server.connect() as connection:
            connection.sendall(b"GET /bytes/1048576 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            begin = connection.recv(1000)
            server.terminate()
            assert len(begin + receive_all(connection)) > 1048576
        server.finish()
        assert not any(alive(pid) for pid in processes)


@pytest.mark.parametrize("model", INSTALLED)
def test_the_exit_line_has_the_cpu_time_of_the_workers(tmp_path: Path, model: str) -> None:
    with running(command(model), tmp_path / "stderr") as server:
        before = sum(cpu_ticks(pid) for pid in all_processes(server)[1:])
        with server.connect() as connection:
            while sum(cpu_ticks(pid) for pid in all_processes(server)[1:]) < before + 10:
                for _ in range(500):
                    assert ask(connection)[1] == HELLO
        used = sum(cpu_ticks(pid) for pid in all_processes(server)[1:]) / os.sysconf("SC_CLK_TCK")
        exit_line = server.stop()
    assert exit_line["user_s"] + exit_line["system_s"] >= 0.9 * used
    if model.startswith("nginx"):
        assert exit_line["connections"] == 1
        assert exit_line["requests"] % 500 == 0


def cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize("model", INSTALLED)
def test_nobody_survives_when_the_launcher_is_killed_hard(tmp_path: Path, temporary: Path, model: str) -> None:
    with running(command(model), tmp_path / "stderr", env={**os.environ, "TMPDIR": str(temporary)}) as server:
        processes = all_processes(server)
        server.process.kill()
        assert wait_until(lambda: not any(alive(pid) for pid in processes))
    for folder in temporary.iterdir():  # which nobody could remove
        shutil.rmtree(folder)


@pytest.mark.parametrize("model", INSTALLED[:1])
def test_a_program_that_dies_is_reported(tmp_path: Path, model: str) -> None:
    with running(command(model), tmp_path / "stderr") as server:
        master = server.children()[0]
        os.kill(master, signal.SIGKILL)
        assert server.process.wait(20) == 1
        assert "the program ended by itself with status -9" in server.log()


@pytest.mark.parametrize("model", INSTALLED[:1])
def test_two_workers_serve_with_two_cpus(tmp_path: Path, model: str) -> None:
    with running(command(model, "--cpus", "2"), tmp_path / "stderr") as server:
        assert len(all_processes(server)) == 4  # launcher, master, two workers
        assert [ask_once(server) for _ in range(20)] == [200] * 20
        server.stop()


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(BIN / "httpd_program"), *options], capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize("options, code, named", [
    (["--nonsense"], 2, "--nonsense"),
    (["--cpus", "0"], 2, "--cpus '0': expected a whole number from 1"),
    (["--idle-timeout", "nan"], 2, "--idle-timeout 'nan'"),
    (["--listen", "127.0.0.1:70000"], 2, "--listen '127.0.0.1:70000': expected ADDRESS:PORT"),
    (["--model", "nonsense"], 2, "--model 'nonsense': expected one of: nginx"),
    (["--listen", "192.0.2.1:0"], 1, "--listen 192.0.2.1:0: cannot bind"),
    (["--docroot", "/nonexistent"], 1, "--docroot '/nonexistent'"),
])
@pytest.mark.skipif("nginx" not in INSTALLED, reason="nginx is the default")
def test_a_mistake_is_named_in_one_line(options: list[str], code: int, named: str) -> None:
    result = run(*options)
    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr.count("\n") == 1
    assert named in result.stderr


def test_help_names_all_models_and_the_options_that_all_servers_have() -> None:
    text = run("--help").stdout
    assert re.findall(r"^  ([\w-]+) +\S", text.split("Models")[1], re.MULTILINE) == list(EXECUTABLES)
    ours = subprocess.run([str(BIN / next(iter(MODELS.values()))[0]), "--help"], capture_output=True, text=True)
    # What a program cannot do for us, it refuses as unknown; how to accept is one architecture's choice.
    others = {"--origin", "--disk-file", "--accept"}
    assert set(re.findall(r"^  +(--[a-z-]+)", ours.stdout, re.MULTILINE)) - others <= set(
        re.findall(r"--[a-z-]+", text))
