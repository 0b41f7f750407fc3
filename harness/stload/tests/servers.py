"""Servers for the tests of stload: one with known delays, and one that behaves as a test says."""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

BIN = Path(os.environ.get("ARCHBENCH_BIN", Path(__file__).resolve().parents[3] / "build/release/bin"))
PATIENCE_S = 60  # only what hangs waits that long


class KnownServer:
    """known_server with its truth: [microseconds after the first request, delay in microseconds] of each."""

    def __init__(self, delay_us: int = 0, slow_every: int = 0, slow_us: int = 0, stall_at_ms: int = 0,
                 stall_ms: int = 0, spin: bool = False) -> None:
        numbers = (delay_us, slow_every, slow_us, stall_at_ms, stall_ms, int(spin))
        self.process = subprocess.Popen([BIN / "known_server", *map(str, numbers)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.url: str = json.loads(self.process.stdout.readline())["url"]
        self.truth: list[tuple[int, int]] = []

    def __enter__(self) -> "KnownServer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> list[tuple[int, int]]:
        """Ends it, and returns the truth."""
        if self.process.poll() is None:
            out, _ = self.process.communicate(timeout=PATIENCE_S)
            self.truth = [(at, delay) for at, delay in json.loads(out)]
        return self.truth


class Connection:
    """What a behaviour sees of one client."""

    def __init__(self, number: int, peer: socket.socket) -> None:
        self.number = number  # from 0, in the order of accepting
        self.peer = peer

    def request(self) -> str | None:
        """The path of the next request; None when the client has closed."""
        head = b""
        while b"\r\n\r\n" not in head:
            part = self.peer.recv(65536)
            if not part:
                return None
            head += part
        return head.split()[1].decode()

    def send(self, text: str | bytes) -> None:
        self.peer.sendall(text.encode() if isinstance(text, str) else text)

    def answer(self, body: str = "hello", status: str = "200 OK", fields: str = "") -> None:
        self.send(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{fields}\r\n{body}")


class Server:
    """Runs `behaviour(connection)` in a kernel thread for each connection, which is closed after it."""

    def __init__(self, behaviour: Callable[[Connection], Any], host: str = "127.0.0.1") -> None:
        self.behaviour = behaviour
        self.listener = socket.create_server((host, 0), backlog=1024)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.accepted = 0
        self.threads = [threading.Thread(target=self._accept)]
        self.peers: list[socket.socket] = []

    def __enter__(self) -> "Server":
        self.threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.threads[0].join(PATIENCE_S)
        for peer in self.peers:
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended already
        for thread in self.threads:
            thread.join(PATIENCE_S)
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.peers.append(peer)
            self.threads.append(threading.Thread(target=self._serve, args=(Connection(self.accepted, peer),)))
            self.accepted += 1
            self.threads[-1].start()

    def _serve(self, connection: Connection) -> None:
        with connection.peer:
            try:
                self.behaviour(connection)
            except OSError:
                pass  # the client has gone
