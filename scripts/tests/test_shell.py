"""The shell scripts: what they check, and how they refuse."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import SCRIPTS, run


def test_setup_check_lists_every_package_with_its_reason() -> None:
    checked = run("setup", "--check", "all")
    assert checked.returncode in (0, 1)
    for line in checked.stdout.splitlines():
        state, package, why = line.split(maxsplit=2)
        assert state in ("there", "MISSING") and package and why
    assert checked.returncode == int("MISSING" in checked.stdout)
    assert "wrk" in checked.stdout and "libst-dev" in checked.stdout


@pytest.fixture
def fake_debian(tmp_path: Path) -> dict[str, str]:
    """A machine on which only wrk is missing, and whose apt-get writes down what it is asked."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "cat", "env"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    log = tmp_path / "apt.log"
    (programs / "dpkg-query").write_text(
        '#!/bin/bash\nfor last; do :; done\n[[ $last == wrk ]] && exit 1\nprintf installed\n'
    )
    (programs / "apt-get").write_text(
        f'#!/bin/bash\necho "$DEBIAN_FRONTEND $*" >>{log}\n'
    )
    (programs / "sudo").write_text('#!/bin/bash\nexec "$@"\n')
    for program in ("dpkg-query", "apt-get", "sudo"):
        (programs / program).chmod(0o755)
    return {"PATH": str(programs), "LOG": str(log)}


def run_setup(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SCRIPTS / "setup"), *arguments],
        env=environment, capture_output=True, text=True, timeout=30, check=False,
    )


def test_setup_installs_only_what_is_missing_and_says_so(fake_debian: dict[str, str]) -> None:
    ended = run_setup(fake_debian)
    assert ended.returncode == 0, ended.stderr
    assert "missing: wrk" in ended.stdout
    asked = Path(fake_debian["LOG"]).read_text().splitlines()
    assert asked == [
        "noninteractive update -qq",
        "noninteractive install -y -qq --no-install-recommends wrk",
    ]


def test_setup_check_installs_nothing(fake_debian: dict[str, str]) -> None:
    ended = run_setup(fake_debian, "--check")
    assert ended.returncode == 1 and "MISSING  wrk" in ended.stdout
    assert not Path(fake_debian["LOG"]).exists()


def test_setup_leaves_the_network_alone_when_nothing_is_missing(
    fake_debian: dict[str, str],
) -> None:
    ended = run_setup(fake_debian, "peers")
    assert ended.returncode == 0 and "nothing is missing" in ended.stdout
    assert not Path(fake_debian["LOG"]).exists()


def test_setup_elsewhere_names_the_packages_and_stops(fake_debian: dict[str, str]) -> None:
    Path(fake_debian["PATH"], "apt-get").unlink()
    ended = run_setup(fake_debian)
    assert ended.returncode == 1
    assert "needed   wrk" in ended.stdout and "fatal: this machine has no apt-get" in ended.stderr


@pytest.mark.parametrize("script", ["setup", "test", "sweep", "lint"])
def test_misuse_ends_with_two_and_help_with_zero(script: str) -> None:
    refused = run(script, "--no-such-option")
    assert refused.returncode == 2 and refused.stderr.startswith("fatal: ")
    told = run(script, "--help")
    assert told.returncode == 0 and f"scripts/{script}" in told.stdout


def test_sweep_refuses_two_plans_and_a_plan_that_is_not_there() -> None:
    assert run("sweep", "--full", "--plan", "x.json").returncode == 2
    assert run("sweep", "--plan", "/no/such/plan.json").returncode == 2
    assert run("sweep", "--budget").returncode == 2


def test_all_scripts_can_be_run_and_name_their_interpreter() -> None:
    for path in sorted(SCRIPTS.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "__main__" in text:
            assert text.startswith("#!/usr/bin/python3\n") and os.access(path, os.X_OK), path
