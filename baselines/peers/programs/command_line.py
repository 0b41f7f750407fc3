"""The command line of our servers, for other people's programs."""

from __future__ import annotations

import argparse
import math
import os
import re
from pathlib import Path
from typing import Callable, Mapping, NoReturn, Optional

from program import Program, Settings

DESCRIPTION = """\
HTTP server by others, run like one of ours: its configuration is written to a temporary folder, it
serves in the foreground, and its CPU time is counted over all its processes. It serves /plaintext,
/bytes/N for the usual N and, with --docroot, /file/PATH."""

EPILOG = """
Stdout carries one JSON line when the server listens and one when it has ended;
SIGTERM ends it. An option given twice counts as it was given last."""


class Mistake(Exception):
    """Something is wrong with the command line: exit code 2."""


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Mistake(f"{message}; '{self.prog} --help' lists what there is")


def _number(option: str, low: int, high: int, example: str) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,18}", text) or not low <= int(text) <= high:
            raise Mistake(f"{option} '{text}': expected a whole number from {low} to {high}, "
                          f"for example {option} {example}")
        return int(text)

    return parse


def _listen(text: str) -> tuple[str, int]:
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]+)):(\d{1,5})", text)
    if not found or int(found[3]) > 65535:
        raise Mistake(f"--listen '{text}': expected ADDRESS:PORT with a port from 0 to 65535, for example "
                      "--listen 127.0.0.1:8080")
    return found[1] or found[2], int(found[3])


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.001 <= seconds <= 86400:
        raise Mistake(f"--idle-timeout '{text}': expected seconds from 0.001 to 86400, for example "
                      "--idle-timeout 2.5")
    return seconds


def parser_for(programs: Mapping[str, Program]) -> Parser:
    models = "\n".join(f"  {name:<15}{program.sentence}" for name, program in programs.items())
    parser = Parser(prog="httpd_program", description=DESCRIPTION, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter,
                    epilog=f"Models (the first is the default):\n{models}\n{EPILOG}")

    def add(name: str, meaning: str, parse: Callable[[str], object], default: object, metavar: str) -> None:
        parser.add_argument(name, help=meaning, type=parse, default=default, metavar=metavar)

    def model(text: str) -> str:
        if text not in programs:
            raise Mistake(f"--model '{text}': expected one of: {', '.join(programs)}")
        return text

    add("--listen", "where to listen; port 0 picks a free one [127.0.0.1:8080]", _listen, ("127.0.0.1", 8080),
        "ADDR:PORT")
    add("--model", "which program, and how: see below", model, next(iter(programs)), "NAME")
    add("--cpus", "serve with the first N of the CPUs that this process may use, and with N processes or loops "
        "where the program has one for each [one, any CPU]", _number("--cpus", 1, 1024, "2"), None, "N")
    add("--workers", "size of a pool, in models that have one [the model's own]",
        _number("--workers", 1, 65536, "64"), None, "N")
    add("--backlog", "connections that may wait to be accepted [4096]", _number("--backlog", 1, 1 << 20, "4096"),
        4096, "N")
    add("--docroot", "the folder behind /file/ [none]", Path, None, "DIR")
    add("--idle-timeout", "how long a client may keep a connection waiting; Apache and lighttpd count in whole "
        "seconds [60]", _seconds, 60.0, "SEC")
    add("--max-connections", "how many connections at once; what happens to more is the program's business "
        "[65536 or what the descriptors allow]", _number("--max-connections", 1, 1 << 30, "10000"), None, "N")
    add("--counters", "not supported: a program does not count as ours do; no file is made", str, None, "FILE")
    parser.add_argument("--version", action="store_true", help="what the model's program says it is")
    return parser


def settings_from(options: argparse.Namespace, port: int, folder: Path, descriptors: int) -> Settings:
    docroot: Optional[Path] = options.docroot
    return Settings(
        host=options.listen[0],
        port=port,
        processes=options.cpus or 1,
        workers=options.workers,
        backlog=options.backlog,
        docroot=docroot.resolve() if docroot is not None else None,
        idle_timeout_s=options.idle_timeout,
        # A program holds a descriptor for each connection, and one more for a file while it sends it.
        max_connections=min(options.max_connections or 65536, (descriptors - 128) // 2),
        folder=folder,
        as_root=os.getuid() == 0)
