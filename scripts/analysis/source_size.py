"""How large and how branching a program text is, and which part of it is one server's own.

The founding claim is that State Threads code is as simple as that of a thread or process for each
connection. What is counted is what a reader must hold in mind: lines of code (neither blank nor
comment) and decisions (McCabe's cyclomatic number without the 1 for each function). What all servers
include is the same work for all and not counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

# Comments, strings and character constants: what may hold the words of decisions without being one.
_NOT_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"\((?:.*?)\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL
)
# As clang-format sets them, a conjunction stands between blanks and T&& does not.
_DECISION = re.compile(r"\b(?:if|for|while|case|catch)\b|(?<=\s)&&(?=\s)|\|\||\?")
_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class Size:
    """Of one file, or the sum of several."""

    files: int
    lines: int
    decisions: int


def size_of(text: str) -> Size:
    """The size of one C++ file."""

    def blank(match: re.Match[str]) -> str:
        found = match.group()
        if found.startswith("/"):
            return "\n" * found.count("\n")
        return '""' + "\n" * found.count("\n")

    code = _NOT_CODE.sub(blank, text)
    lines = sum(1 for line in code.splitlines() if line.strip())
    code = re.sub(r"^\s*#.*$", "", code, flags=re.MULTILINE)  # #if is a build's decision
    return Size(1, lines, len(_DECISION.findall(code)))


def total(sizes: Iterable[Size]) -> Size:
    """The sum."""
    every = list(sizes)
    return Size(*(sum(getattr(s, n) for s in every) for n in ("files", "lines", "decisions")))


def reached(root: Path, first: str) -> set[str]:
    """`first` and everything of the tree `root` that it includes, each header with its .cc file."""
    found: set[str] = set()
    waiting = [first]
    while waiting:
        name = waiting.pop()
        if name in found or not (root / name).is_file():
            continue
        found.add(name)
        waiting += _INCLUDE.findall((root / name).read_text(encoding="utf-8"))
        if name.endswith(".h"):
            waiting.append(name[:-2] + ".cc")
    return found


def own_parts(root: Path, firsts: Mapping[str, str], below: str) -> dict[str, set[str]]:
    """For each of `firsts` (name -> file) the files under `below` that not all of them reach."""
    all_reached = {
        name: {f for f in reached(root, first) if f.startswith(below)} for name, first in firsts.items()
    }
    common = set.intersection(*all_reached.values())
    return {name: files - common for name, files in all_reached.items()}


def own_sizes(root: Path, firsts: Mapping[str, str], below: str) -> dict[str, Size]:
    """The size of each server's own part. Raises FileNotFoundError for a server that is not there."""
    for first in firsts.values():
        if not (root / first).is_file():
            raise FileNotFoundError(first)
    return {
        name: total(size_of((root / f).read_text(encoding="utf-8")) for f in sorted(files))
        for name, files in own_parts(root, firsts, below).items()
    }
