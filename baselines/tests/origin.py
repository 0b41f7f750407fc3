"""An origin for the tests of /proxy/: answers in every way that a server may, and counts."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Iterator

LARGE = bytes(range(256)) * 2000  # 512,000 bytes: many reads


class Origin:
    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        self.open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                self.open.append(connection)
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as requests:
            while target := requests.readline().split()[1:2]:
                while requests.readline().strip():
                    pass
                if not self._answer(connection, target[0].decode()):
                    return

    def _answer(self, connection: socket.socket, target: str) -> bool:
        """False: and that was the end of the connection."""
        head = b"HTTP/1.1 200 OK\r\nX-Of: origin\r\n"
        match target:
            case "/large":
                connection.sendall(head + b"Content-Length: %d\r\n\r\n" % len(LARGE) + LARGE)
            case "/chunked":
                connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
                connection.sendall(b"6\r\nin two\r\n")
                connection.sendall(b"7\r\n pieces\r\n0\r\n\r\n")
            case "/to-the-end":
                connection.sendall(head + b"Connection: close\r\n\r\nuntil I close")
                return False
            case "/then-gone":  # promises to stay, and leaves
                connection.sendall(head + b"Content-Length: 2\r\n\r\nok")
                return False
            case "/silent":
                connection.recv(1)  # until the other side has given up
                return False
            case "/nonsense":
                connection.sendall(b"what?\r\n\r\n")
            case "/cut":
                connection.sendall(head + b"Content-Length: 100\r\n\r\nonly this")
                return False
            case _:
                connection.sendall(head + b"Content-Length: 5\r\n\r\nhello")
        return True

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def running_origin() -> Iterator[Origin]:
    origin = Origin()
    try:
        yield origin
    finally:
        origin.close()
