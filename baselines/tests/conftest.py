"""Fixtures of the tests that run against every server."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from pathlib import Path
from typing import Callable, Iterator, NamedTuple

import pytest

import servers
from origin import ScriptedOrigin

Start = Callable[..., servers.Server]
COMMANDS = {**servers.MODELS, **servers.VARIANTS}


def skip_what_cannot_be(model: str) -> None:
    if "io_uring" in model and (reason := servers.why_no_io_uring()):
        pytest.skip(reason)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """start(model, *options) runs a server that is ended, with all its processes, after the test."""
    with contextlib.ExitStack() as stack:
        count = 0

        def start_one(model: str, *options: str, **popen: object) -> servers.Server:
            nonlocal count
            count += 1
            skip_what_cannot_be(model)
            running = servers.running([*COMMANDS[model], *options], tmp_path / f"stderr{count}",
                                      **popen)
            return stack.enter_context(running)

        yield start_one


@pytest.fixture(scope="session")
def docroot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docroot") / "www"
    folder.mkdir()
    (folder / "hello.txt").write_text("a file\n")
    (folder / "large.bin").write_bytes(bytes(range(256)) * 8192)  # 2 MiB: beyond the cache's files
    (folder.parent / "secret.txt").write_text("outside\n")
    (folder / "link.txt").symlink_to("../secret.txt")
    return folder


@pytest.fixture(scope="session")
def disk_file() -> Iterator[Path | None]:
    """A file for --disk-file; None where the build is in memory, which no server accepts."""
    # Not in /tmp, which is more often in memory.
    with tempfile.TemporaryDirectory(dir=servers.BIN.parent) as folder:
        path = Path(folder) / "blocks"
        made = subprocess.run([servers.BIN / "make_disk_file", path, "--mib", "1"],
                              capture_output=True, text=True)
        assert made.returncode == 0 or "file system" in made.stderr, made.stderr
        yield path if made.returncode == 0 else None


@pytest.fixture
def reads_disks(disk_file: Path | None) -> None:
    """For tests that need one."""
    if disk_file is None:
        pytest.skip("the build is in memory, where no read reaches a disk")


@pytest.fixture(scope="session")
def origin() -> Iterator[ScriptedOrigin]:
    with ScriptedOrigin() as scripted:
        yield scripted


class Subject(NamedTuple):
    """A server that many tests share, and the model it is of."""

    model: str
    server: servers.Server


@pytest.fixture(scope="session")
def options(docroot: Path, disk_file: Path | None, origin: ScriptedOrigin) -> list[str]:
    """What every shared server is given, so that it has all endpoints."""
    disk = ["--disk-file", str(disk_file)] if disk_file else []
    return ["--docroot", str(docroot), "--origin", f"127.0.0.1:{origin.port}", *disk]


def shared(model: str, options: list[str], folder: Path) -> Iterator[Subject]:
    skip_what_cannot_be(model)
    with servers.running([*COMMANDS[model], *options], folder / "stderr") as server:
        yield Subject(model, server)
        assert server.process.poll() is None, f"{model} has ended: {server.log()}"


@pytest.fixture(scope="module", params=COMMANDS)
def subject(request: pytest.FixtureRequest, options: list[str],
            tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    """Every model and variant in turn, one server for all tests of a file."""
    yield from shared(request.param, options, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module", params=COMMANDS)
def impatient(request: pytest.FixtureRequest, options: list[str],
              tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    """The same, waiting only 0.3 s for anybody."""
    folder = tmp_path_factory.mktemp(request.param)
    yield from shared(request.param, [*options, "--idle-timeout", "0.3"], folder)
