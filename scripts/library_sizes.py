#!/usr/bin/python3
"""Measure the size table of the founding paper's section on portable runtimes, with today's libraries.

    scripts/library_sizes.py build/release/st/libst.so >paper/library_sizes.json

For ours, for SGI's State Threads and for NSPR, both as Debian ships them: lines of source (neither
blank nor comment), bytes of the shared library that are loaded (text and data; debugging information
is not), and the libraries that it needs. The sources of the two come from Debian's archive.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from analysis.source_size import size_of, total

ROOT = Path(__file__).resolve().parent.parent
ARCHIVE = "http://deb.debian.org/debian/pool/main"
SUFFIXES = (".c", ".cc", ".h", ".s", ".S")


def lines_of(files: Iterable[Path]) -> int:
    """Lines of code in the source files among `files`."""
    chosen = sorted(f for f in files if f.suffix in SUFFIXES)
    return total(size_of(f.read_text(encoding="utf-8", errors="replace")) for f in chosen).lines


def loaded_bytes(library: Path) -> int:
    """Text, data and zeroed data: what a process has of it in its address space."""
    told = subprocess.run(["size", library], check=True, capture_output=True, text=True).stdout
    return int(told.splitlines()[1].split()[3])


def needed(library: Path) -> list[str]:
    """The shared libraries that this one asks for, libc apart, which everybody has."""
    told = subprocess.run(["objdump", "-p", library], check=True, capture_output=True, text=True).stdout
    names = [line.split()[1] for line in told.splitlines() if line.split()[:1] == ["NEEDED"]]
    return [name for name in names if not name.startswith("libc.so")]


def installed(name: str) -> Path:
    """Where the dynamic linker finds a library. Raises FileNotFoundError."""
    told = subprocess.run(["/sbin/ldconfig", "-p"], check=True, capture_output=True, text=True).stdout
    for line in told.splitlines():
        if line.split()[:1] == [name]:
            return Path(line.split()[-1]).resolve()
    raise FileNotFoundError(f"{name} is not installed; 'scripts/setup peers' does that")


def unpacked(place: str, folder: Path) -> Path:
    """A source package of Debian's archive, in a folder."""
    archive = folder / place.rpartition("/")[2]
    subprocess.run(["curl", "-fsS", "-o", archive, f"{ARCHIVE}/{place}"], check=True)
    made = folder / archive.stem
    made.mkdir()
    subprocess.run(["tar", "-xf", archive, "-C", made], check=True)
    return made


def row(name: str, library: Path, sources: Iterable[Path]) -> dict[str, Any]:
    """One line of the table."""
    return {
        "library": name, "file": library.name, "lines": lines_of(sources),
        "loaded_bytes": loaded_bytes(library), "needs": needed(library),
    }


def measured(ours: Path) -> list[dict[str, Any]]:
    """The table. `ours` is our shared library, built without sanitizers."""
    with tempfile.TemporaryDirectory() as name:
        sgi = unpacked("s/st/st_1.9.orig.tar.gz", Path(name))
        nspr = unpacked("n/nspr/nspr_4.35.orig.tar.gz", Path(name))
        own = [*(ROOT / "st" / "src").rglob("*"), ROOT / "st" / "include" / "st.h"]
        return [
            row("State Threads (ours)", ours, own),
            # What lies deeper are examples and extensions, which the library does not hold.
            row("State Threads 1.9 (SGI)", installed("libst.so.1"), sgi.glob("*/*")),
            # For all its platforms; its tests and its other libraries lie elsewhere.
            row("NSPR 4.35", installed("libnspr4.so"), [
                f for part in ("src", "include") for f in nspr.rglob(f"nspr/pr/{part}/**/*")
            ]),
        ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("library", type=Path, help="our libst.so")
    options = parser.parse_args(arguments)
    try:
        table = {"schema": "archbench.library_sizes/1", "libraries": measured(options.library)}
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"fatal: {error}", file=sys.stderr)
        return 1
    print(json.dumps(table, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
