"""What stload refuses before the load, with the limit, its value and what to do."""

import resource
import subprocess
from pathlib import Path

from program import command, refused
from servers import PATIENCE_S


def test_too_many_descriptors_are_refused_before_the_load() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    said = refused("http://127.0.0.1:1/", clients=hard)
    assert f"{hard:,} connections in one process" in said and "ulimit -Hn" in said and "--processes 2" in said


def test_too_many_ports_are_refused_before_the_load() -> None:
    said = refused("http://127.0.0.1:1/", clients=70_000, processes=64)
    assert "local ports for each address" in said and "--addresses 127.0.0.1-127.0.0." in said


def test_a_report_that_cannot_be_written_is_found_out_before_the_load(tmp_path: Path) -> None:
    words = command("http://127.0.0.1:1/", tmp_path / "missing" / "report.json")
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 1
    assert "No such file or directory" in done.stderr
