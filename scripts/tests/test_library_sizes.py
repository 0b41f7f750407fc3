"""What the table of library sizes counts, told by libraries made here, whose sizes are known."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import library_sizes
import pytest

ZEROED_BYTES = 1_000_000


def shared_library(folder: Path, name: str, source: str, *options: str) -> Path:
    """A library of one C file that links only what `options` say."""
    (folder / f"{name}.c").write_text(source)
    made = folder / f"lib{name}.so"
    # Without start files, which would ask for libc by themselves.
    command = ["cc", "-shared", "-fPIC", "-nostdlib", f"-Wl,-soname,lib{name}.so", "-o", str(made)]
    subprocess.run([*command, str(folder / f"{name}.c"), *options], check=True)
    return made


def test_lines_are_those_of_source_files_without_comments_and_blanks(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("/* two\nlines */\nint a;\n\nint b;  // counts\n")
    (tmp_path / "b.h").write_text("#pragma once\n")
    (tmp_path / "README.md").write_text("no code\n")
    assert library_sizes.lines_of(tmp_path.iterdir()) == 3


def test_zeroed_data_is_loaded_and_debugging_information_is_not(tmp_path: Path) -> None:
    bare = shared_library(tmp_path, "bare", "int f(void) { return 1; }")
    debugged = shared_library(tmp_path, "debugged", "int f(void) { return 1; }", "-g3")
    roomy = shared_library(tmp_path, "roomy", f"char room[{ZEROED_BYTES}]; int f(void) {{ return 1; }}")
    assert debugged.stat().st_size > bare.stat().st_size
    assert abs(library_sizes.loaded_bytes(debugged) - library_sizes.loaded_bytes(bare)) < 100  # its name
    more = library_sizes.loaded_bytes(roomy) - library_sizes.loaded_bytes(bare)
    assert ZEROED_BYTES <= more < ZEROED_BYTES + 1000  # the name of `room` and its relocation


def test_libc_is_no_library_that_somebody_has_to_have(tmp_path: Path) -> None:
    other = shared_library(tmp_path, "other", "int g(void) { return 1; }")
    source = "#include <stdlib.h>\nint g(void); int f(void) { return g() + rand(); }"
    assert library_sizes.needed(shared_library(tmp_path, "lone", source, "-lc")) == []
    assert library_sizes.needed(shared_library(tmp_path, "needy", source, str(other), "-lc")) == ["libother.so"]


def test_library_that_is_not_installed_is_named_with_what_to_do() -> None:
    with pytest.raises(FileNotFoundError, match="libnobody.so.7 is not installed; 'scripts/setup peers'"):
        library_sizes.installed("libnobody.so.7")


def test_table_has_the_three_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With an archive of sources in a folder instead of Debian's, and one library for all."""
    archive = tmp_path / "archive"
    for package, files in {
        "s/st/st_1.9.orig": {"st-1.9/sched.c": "int a;\n", "st-1.9/examples/server.c": "int not_of_it;\n"},
        "n/nspr/nspr_4.35.orig": {"nspr-4.35/nspr/pr/src/prinit.c": "int a;\nint b;\n",
                                  "nspr-4.35/nspr/pr/tests/test.c": "int not_of_it;\n"},
    }.items():
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        packed = archive / f"{package}.tar.gz"
        packed.parent.mkdir(parents=True)
        top = next(iter(files)).partition("/")[0]
        subprocess.run(["tar", "-C", tmp_path, "-czf", packed, top], check=True)
    library = shared_library(tmp_path, "any", "int f(void) { return 1; }")
    monkeypatch.setattr(library_sizes, "ARCHIVE", archive.as_uri())
    monkeypatch.setattr(library_sizes, "installed", lambda name: library)
    assert library_sizes.main([str(library)]) == 0
    rows = json.loads(capsys.readouterr().out)["libraries"]
    assert [row["lines"] for row in rows[1:]] == [1, 2]
    assert {row["loaded_bytes"] for row in rows} == {library_sizes.loaded_bytes(library)}


def test_failure_is_said_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(library_sizes, "ARCHIVE", (tmp_path / "nobody").as_uri())
    assert library_sizes.main([str(tmp_path / "libst.so")]) == 1
    assert capsys.readouterr().err.startswith("fatal: ")
