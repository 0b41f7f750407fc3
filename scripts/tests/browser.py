"""A headless Chromium, spoken to in its DevTools protocol over a WebSocket of our own.

Debian has no driver for it in Python; what a test needs of RFC 6455 is text frames.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import socket
import struct
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # seconds; a loaded machine starts a browser slowly


class WebSocket:
    """The client's half, text only, one message at a time."""

    def __init__(self, url: str) -> None:
        host, _, path = url.removeprefix("ws://").partition("/")
        name, _, port = host.partition(":")
        self.connection = socket.create_connection((name, int(port)), timeout=PATIENCE)
        key = base64.b64encode(os.urandom(16)).decode()
        self.connection.sendall(
            f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.stream = self.connection.makefile("rb")
        assert b" 101 " in self.stream.readline()
        while self.stream.readline() != b"\r\n":
            pass

    def send(self, text: str) -> None:
        data, mask = text.encode(), os.urandom(4)
        size = struct.pack("!BH", 0x80 | 126, len(data)) if len(data) < 1 << 16 else (
            struct.pack("!BQ", 0x80 | 127, len(data))
        )
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        self.connection.sendall(b"\x81" + size + mask + masked)

    def receive(self) -> str:
        message = b""
        while True:
            first, second = self.stream.read(2)
            length = second & 127
            if length == 126:
                (length,) = struct.unpack("!H", self.stream.read(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self.stream.read(8))
            message += self.stream.read(length)
            if first & 0x80:
                return message.decode()

    def close(self) -> None:
        self.stream.close()
        self.connection.close()


class Page:
    """One page. `evaluate` runs JavaScript in it and returns the value, promises awaited."""

    def __init__(self, endpoint: str) -> None:
        self.web_socket = WebSocket(endpoint)
        self.number = 0
        self.errors: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.number += 1
        self.web_socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = self._next()
            if message.get("id") == self.number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.web_socket.receive())
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(message["params"]["exceptionDetails"])[:500])
        if message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            self.errors.append(message["params"]["entry"]["text"])
        return message

    def open(self, path: Path, width: int = 1200, scripts: bool = True) -> None:
        """Loads a file and returns when its load event has been fired."""
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
            mobile=width < 500,
        )
        self.call("Page.navigate", url=path.as_uri())
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, script: str) -> Any:
        found = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def picture(self, path: Path) -> None:
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))


def chromium() -> str | None:
    """The browser's path, None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Page]:
    """A page in a browser of its own, which ends with the block; `folder` takes its profile."""
    program = chromium()
    assert program is not None
    process = subprocess.Popen(
        [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )
    try:
        page = Page(_endpoint(process))
        try:
            yield page
        finally:
            with contextlib.suppress(OSError):
                page.call("Browser.close")
            page.web_socket.close()
        process.wait(PATIENCE)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        assert process.stderr is not None
        process.stderr.close()


def _endpoint(process: subprocess.Popen[bytes]) -> str:
    """The first page's address, once the browser has said on stderr where it listens."""
    assert process.stderr is not None
    stream, text, end = process.stderr, b"", time.monotonic() + PATIENCE
    while b"DevTools listening on" not in text or not text.endswith(b"\n"):
        ready, _, _ = select.select([stream], [], [], max(0.0, end - time.monotonic()))
        data = os.read(stream.fileno(), 65536) if ready else b""
        assert data, f"the browser did not start: {text.decode(errors='replace')[-800:]}"
        text += data
    host = text.split(b"DevTools listening on ws://")[1].split(b"/")[0].decode()
    with urllib.request.urlopen(f"http://{host}/json", timeout=PATIENCE) as answer:
        pages = json.loads(answer.read())
    return str(next(p["webSocketDebuggerUrl"] for p in pages if p["type"] == "page"))
