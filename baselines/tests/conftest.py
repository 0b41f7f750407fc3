"""Fixtures of the tests that run against every server."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Callable, Iterator

import pytest

import servers

Start = Callable[..., servers.Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """start(model, *options) runs a server that is ended, with all its processes, after the test."""
    with contextlib.ExitStack() as stack:
        count = 0

        def start_one(model: str, *options: str, **popen: object) -> servers.Server:
            nonlocal count
            count += 1
            command = {**servers.MODELS, **servers.VARIANTS}[model]
            running = servers.running([*command, *options], tmp_path / f"stderr{count}", **popen)
            return stack.enter_context(running)

        yield start_one


@pytest.fixture
def docroot(tmp_path: Path) -> Path:
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "hello.txt").write_text("a file\n")
    (folder / "large.bin").write_bytes(bytes(range(256)) * 8192)  # 2 MiB: beyond the cache's files
    (tmp_path / "secret.txt").write_text("outside\n")
    (folder / "link.txt").symlink_to("../secret.txt")
    return folder
