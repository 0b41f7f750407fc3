"""The command line: the same for all, and clear when it is wrong."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from conftest import Start
from servers import BIN, BINARIES, MODELS


def run(binary: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(BIN / binary), *options], capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize("binary", BINARIES)
def test_help_describes_exactly_the_models_that_are_tested(binary: str) -> None:
    result = run(binary, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    section = result.stdout.split("Models")[1].split("Examples")[0]
    models = re.findall(r"^  (\w+) +\S", section, re.MULTILINE)
    assert models == [command[2] for command in MODELS.values() if command[0] == binary]


def test_help_of_all_servers_has_the_same_options() -> None:
    def options(binary: str) -> set[str]:
        return set(re.findall(r"--[a-z-]+", run(binary, "--help").stdout.split("Models")[0]))

    common = options("httpd_mt")
    assert {"--listen", "--model", "--cpus", "--workers", "--backlog", "--docroot", "--idle-timeout",
            "--max-connections", "--counters", "--help", "--version"} <= common
    for binary in BINARIES:
        assert options(binary) - {"--accept", "--event"} == common


@pytest.mark.parametrize("binary", BINARIES)
def test_version_is_one_line(binary: str) -> None:
    result = run(binary, "--version")
    assert result.returncode == 0
    assert re.fullmatch(rf"{binary} \d+\.\d+\.\d+\n", result.stdout)


@pytest.mark.parametrize("options, named", [
    (["--nonsense"], "--nonsense"),
    (["stray"], "stray"),
    (["--cpus"], "--cpus"),
    (["--cpus", "0"], "--cpus '0': expected a whole number from 1"),
    (["--cpus", "two"], "--cpus 'two'"),
    (["--workers", "-1"], "--workers '-1'"),
    (["--backlog", "1.5"], "--backlog '1.5'"),
    (["--max-connections", "99999999999999999999"], "--max-connections '99999999999999999999'"),
    (["--idle-timeout", "0"], "--idle-timeout '0': expected seconds from 0.001"),
    (["--idle-timeout", "nan"], "--idle-timeout 'nan'"),
    (["--listen", "127.0.0.1"], "--listen '127.0.0.1': expected ADDRESS:PORT"),
    (["--listen", "127.0.0.1:70000"], "--listen '127.0.0.1:70000'"),
    (["--origin", "127.0.0.1:0"], "--origin '127.0.0.1:0': expected ADDRESS:PORT with a port from 1"),
    (["--model", "nonsense"], "--model 'nonsense': expected one of"),
])
@pytest.mark.parametrize("binary", BINARIES)
def test_a_mistake_is_named_in_one_line_and_exits_with_2(binary: str, options: list[str],
                                                         named: str) -> None:
    result = run(binary, *options)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert named in result.stderr


@pytest.mark.parametrize("options, named", [
    (["--docroot", "/nonexistent/folder"], "/nonexistent/folder"),
    (["--counters", "/nonexistent/file"], "--counters '/nonexistent/file': cannot create"),
    (["--counters", "/dev/null"], "--counters '/dev/null': cannot create"),
    (["--disk-file", "/nonexistent/file"], "--disk-file '/nonexistent/file': No such file"),
    (["--disk-file", "/etc"], "--disk-file '/etc'"),
    (["--disk-file", "/etc/passwd"], "it does not hold the blocks that are expected"),
    (["--origin", "no.such.host.invalid:80"], "--origin no.such.host.invalid:80: no such address"),
    (["--listen", "192.0.2.1:0"], "--listen 192.0.2.1:0: cannot bind"),
    (["--listen", "no.such.host.invalid:0"], "no such address"),
])
@pytest.mark.parametrize("model", MODELS)
def test_what_cannot_be_had_is_named_in_one_line_and_exits_with_1(model: str, options: list[str],
                                                                  named: str) -> None:
    result = run(*MODELS[model], *options)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert named in result.stderr
    assert os.path.exists("/dev/null")


@pytest.mark.parametrize("model", [*MODELS, "edsm-epoll-2"])
def test_a_port_in_use_is_refused_to_a_second_server(start: Start, model: str) -> None:
    # Also where both use SO_REUSEPORT: sharing a port unknowingly would spoil a measurement.
    first = start(model)
    command = MODELS.get(model, [*MODELS["edsm-epoll"], "--cpus", "2"])
    result = run(*command, "--listen", f"127.0.0.1:{first.port}")
    assert result.returncode == 1
    assert f"127.0.0.1:{first.port}: cannot bind: Address already in use" in result.stderr


@pytest.mark.parametrize("model", MODELS)
def test_a_port_can_be_used_again_at_once(start: Start, model: str) -> None:
    first = start(model)
    with first.connect() as connection:
        connection.sendall(b"GET /plaintext HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert connection.recv(100)  # the server closes first and keeps the pair in TIME_WAIT
        first.stop()
    second = start(model, "--listen", f"127.0.0.1:{first.port}")
    assert second.port == first.port


def test_ready_line_names_the_address_and_the_parent(start: Start) -> None:
    server = start("edsm-epoll")
    assert server.ready == {"event": "ready", "url": f"http://127.0.0.1:{server.port}",
                            "pid": server.pid}


def test_an_old_counters_file_is_replaced(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "counters"
    path.write_bytes(b"x" * 5_000_000)
    start("mt-thread", "--counters", str(path))
    assert path.read_bytes()[:8] == b"STCOUNT1"
