"""A server behind /proxy/ that does what the path says, right or wrong."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

OK = b"HTTP/1.1 200 OK\r\n"
SILENCE_S = 30.0  # longer than any test waits

# What is said to each path; then the connection stays open, or is closed where CLOSES says so.
ANSWERS: dict[bytes, bytes] = {
    b"/sized": OK + b"X-Origin: yes\r\nContent-Length: 5\r\n\r\nhello",
    b"/chunked": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: u\r\n\r\n",
    b"/to-the-end": OK + b"\r\nhello",
    b"/old": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"/said-goodbye": OK + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello",
    # Says that it stays, and does not: the next request on it will find nobody.
    b"/stale": OK + b"Content-Length: 5\r\n\r\nhello",
    b"/hop-by-hop": OK + b"Connection: X-Secret\r\nX-Secret: a\r\nKeep-Alive: timeout=5\r\n"
                         b"X-Public: b\r\nContent-Length: 0\r\n\r\n",
    b"/teapot": b"HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n",
    b"/not-modified": b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",
    b"/interim": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",
    b"/large": OK + b"Content-Length: 16777216\r\n\r\n" + b"b" * 16777216,
    b"/too-large": OK + b"Content-Length: 16777217\r\n\r\n",
    b"/half": OK + b"Content-Length: 5\r\n\r\nhe",
    b"/nothing": b"",
    b"/nonsense": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    b"/both-lengths": OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}
CLOSES = {b"/to-the-end", b"/old", b"/said-goodbye", b"/stale", b"/half", b"/nothing", b"/nonsense",
          b"/both-lengths", b"/too-large"}


class ScriptedOrigin:
    """Listens on a free port of 127.0.0.1 and serves each connection in a thread of its own."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.heads: list[bytes] = []  # what was asked, of all requests
        self._open: set[socket.socket] = set()

    def __enter__(self) -> ScriptedOrigin:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # ends accept(), which closing would not
        self._listener.close()
        for connection in list(self._open):
            connection.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.add(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            data = b""
            while True:
                while b"\r\n\r\n" not in data:
                    part = connection.recv(65536)
                    if not part:
                        return
                    data += part
                head, data = data.split(b"\r\n\r\n", 1)
                self.heads.append(head)
                method, path, _ = head.split(b"\r\n")[0].split(b" ")
                if path == b"/silence":
                    connection.settimeout(SILENCE_S)
                    connection.recv(1)  # until the asker has had enough
                    return
                answer = ANSWERS.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                if method == b"HEAD":
                    answer = answer[:answer.index(b"\r\n\r\n") + 4]
                connection.sendall(answer)
                if path in CLOSES:
                    return
        self._open.discard(connection)
