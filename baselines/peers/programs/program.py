"""What every program supplies: a command line and a configuration that serve what our servers serve."""

from __future__ import annotations

import abc
import signal
from pathlib import Path
from typing import NamedTuple, Optional

HELLO = b"Hello, World!"

# /bytes/N is there for these N. What a real server serves has to exist beforehand.
SIZES = [1, 10, 16, 64, 100, 128, 256, 512, 1000, 1024, 2048, 4096, 8192, 10_000, 10_240, 16_384, 32_768,
         65_536, 100_000, 102_400, 131_072, 262_144, 300_000, 524_288, 1_000_000, 1_048_576]

# Where a program says how much it has done, if it does.
STATUS_PATH = "/httpd_program/status"


class Settings(NamedTuple):
    """What the command line asks for, in the program's terms."""

    host: str
    port: int
    processes: int          # one for each CPU
    workers: Optional[int]  # threads or processes of a pool, where there is one
    backlog: int
    docroot: Optional[Path]
    idle_timeout_s: float
    max_connections: int    # at most what the descriptors allow
    folder: Path            # for everything the program writes; pages/ is there already
    as_root: bool

    @property
    def pages(self) -> Path:
        """Files to serve: /plaintext is the file plaintext, /bytes/N is bytes/N."""
        return self.folder / "pages"

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Totals(NamedTuple):
    """What the program itself says it has done; None is unknown."""

    connections: Optional[int] = None
    requests: Optional[int] = None


class Program(abc.ABC):
    """One way to run one program."""

    sentence: str    # for --help
    executable: str
    package: str     # Debian's
    # Ends it in order: accepts no more and finishes what is in flight.
    stop_signal: signal.Signals

    @abc.abstractmethod
    def command(self, settings: Settings) -> list[str]:
        """The command that serves in the foreground with the configuration that has been written."""

    @abc.abstractmethod
    def configuration(self, settings: Settings, small_pages: dict[str, bytes]) -> str:
        """The text of the configuration file; `small_pages` by path, for a program with memory of its own."""

    def totals(self, status: str, own: int) -> Totals:
        """What the page at STATUS_PATH says, less `own` requests that we made, each on a connection, before
        the one for this page. An empty page says nothing."""
        return Totals()


def milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def whole_seconds(seconds: float) -> int:
    """For programs that know no fractions: rounded up, because 0 would mean no limit or none at all."""
    return max(1, -int(-seconds // 1))
