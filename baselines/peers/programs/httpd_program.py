#!/usr/bin/python3
"""Runs nginx, Apache or lighttpd so that it looks like one of our servers."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Iterator, Optional

from apache import ApacheEvent, ApachePrefork, ApacheWorker
from command_line import Mistake, parser_for, settings_from
from lighttpd import Lighttpd
from nginx import Nginx, NginxStatic
from pattern import pattern
from program import HELLO, SIZES, STATUS_PATH, Program, Settings, Totals

PROGRAMS: dict[str, Program] = {
    "nginx": Nginx(),
    "nginx-static": NginxStatic(),
    "apache-prefork": ApachePrefork(),
    "apache-worker": ApacheWorker(),
    "apache-event": ApacheEvent(),
    "lighttpd": Lighttpd(),
}

READY_PATIENCE_S = 8.0  # the harness waits for ten
STOP_PATIENCE_S = 5.5   # the programs are told to give up after five; the harness waits for six

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


class Failure(Exception):
    """The server cannot run: exit code 1."""


def prctl(option: int, argument: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0)


def find(program: Program) -> str:
    path = shutil.which(program.executable, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if path is None:
        raise Failure(f"there is no {program.executable}; install the package {program.package}, "
                      "for example with 'scripts/setup servers'")
    return path


def confine_to_cpus(wanted: int) -> None:
    allowed = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, allowed[:wanted])


def raise_descriptor_limit() -> int:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def free_port(host: str, port: int) -> int:
    """The port itself, or a free one for 0. No program says which it picked, so it is picked for it."""
    what = f"--listen {host}:{port}: "
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM,
                                                         flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise Failure(f"{what}no such address: {error.strerror}; give an address of this machine") from error
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise Failure(f"{what}cannot bind: {error.strerror}; choose another address or port") from error
        return int(probe.getsockname()[1])


def write_pages(folder: Path) -> dict[str, bytes]:
    """The files to serve, by path; they can be read by whoever the program serves as."""
    longest = pattern(max(SIZES))
    pages = {"/plaintext": HELLO} | {f"/bytes/{size}": longest[:size] for size in SIZES}
    (folder / "pages" / "bytes").mkdir(parents=True)
    for path, body in pages.items():
        (folder / "pages" / path[1:]).write_bytes(body)
    folder.chmod(0o755)
    return pages


def get(settings: Settings, path: str) -> Optional[bytes]:
    """The body of one page, asked for on a connection of its own; None while nobody listens."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    try:
        connection = socket.create_connection((host, settings.port), timeout=2)
    except OSError:
        return None
    with connection, contextlib.suppress(OSError):
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return answer.partition(b"\r\n\r\n")[2]
    return b""


class Server:
    """The running program: a master, and whatever it starts."""

    def __init__(self, command: list[str]) -> None:
        def prepare() -> None:
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

        # A session of its own: a Ctrl-C is for us, and all its processes can be ended together.
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr,
                                        start_new_session=True, preexec_fn=prepare)

    def wait_until_it_answers(self, settings: Settings) -> None:
        end = time.monotonic() + READY_PATIENCE_S
        while (body := get(settings, "/plaintext")) is None:
            if self.process.poll() is not None:
                raise Failure(f"the program ended with status {self.process.returncode} before it was ready")
            if time.monotonic() > end:
                raise Failure(f"the program did not listen within {READY_PATIENCE_S:g} s")
            time.sleep(0.01)
        if body != HELLO:
            raise Failure(f"the program answers /plaintext with {body[:100]!r} instead of {HELLO!r}")

    def wait_for_stop_signal(self) -> None:
        while signal.sigwait({*STOP_SIGNALS, signal.SIGCHLD}) not in STOP_SIGNALS:
            if self.process.poll() is not None:
                raise Failure(f"the program ended by itself with status {self.process.returncode}")

    def end(self, how: signal.Signals) -> None:
        """In order if it can be; afterwards none of its processes is left, and all have been reaped."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_PATIENCE_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        # As their subreaper we inherit those whose parent has gone before them.
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)


@contextlib.contextmanager
def serving(command: list[str], how_to_stop: signal.Signals) -> Iterator[Server]:
    server = Server(command)
    try:
        yield server
    finally:
        server.end(how_to_stop)


def exit_line(totals: Totals) -> dict[str, object]:
    """What is not known is absent: no program says how many bytes it has sent."""
    known = {name: value for name, value in totals._asdict().items() if value is not None}
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"event": "exit", **known, "user_s": used.ru_utime, "system_s": used.ru_stime}


def run(options: argparse.Namespace) -> None:
    program = PROGRAMS[options.model]
    executable = find(program)
    if options.version:
        subprocess.run([executable, "-v"], check=True, stderr=subprocess.STDOUT)
        return
    if options.docroot is not None and not options.docroot.is_dir():
        raise Failure(f"--docroot '{options.docroot}': there is no such folder; give one that exists")
    if options.counters is not None:
        print(f"httpd_program: --counters {options.counters}: no file is made, {program.executable} counts for "
              "itself", file=sys.stderr)
    descriptors = raise_descriptor_limit()
    if options.cpus is not None:
        confine_to_cpus(options.cpus)
    port = free_port(*options.listen)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.pthread_sigmask(signal.SIG_BLOCK, {*STOP_SIGNALS, signal.SIGCHLD})
    with tempfile.TemporaryDirectory(prefix=f"httpd_{options.model}-", ignore_cleanup_errors=True) as name:
        settings = settings_from(options, port, Path(name), descriptors)
        pages = write_pages(settings.folder)
        (settings.folder / "configuration").write_text(program.configuration(settings, pages))
        with serving([executable, *program.command(settings)], program.stop_signal) as server:
            server.wait_until_it_answers(settings)
            print(json.dumps({"event": "ready", "url": f"http://{settings.address}", "pid": os.getpid()}),
                  flush=True)
            server.wait_for_stop_signal()
            totals = program.totals((get(settings, STATUS_PATH) or b"").decode(), own=1)
    print(json.dumps(exit_line(totals)), flush=True)


def main() -> int:
    try:
        run(parser_for(PROGRAMS).parse_args())
        return 0
    except (Mistake, Failure) as error:
        print(f"httpd_program: {error}", file=sys.stderr)
        return 2 if isinstance(error, Mistake) else 1


if __name__ == "__main__":
    sys.exit(main())
