"""What happens when no local port is left for a connection to the origin: 502, one line, and service later."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path
from typing import Iterator

import pytest
from conftest import COMMANDS, Start
from servers import HELLO, PATIENCE_S, Server, ask

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can make a network of its own")

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1

# In a network where nobody else is, every port is free: so the server can be its own origin.
PORT = 8000
LOCAL_PORTS = (40000, 40001)


def enter_own_network() -> None:
    """For the server, before it begins: a network with a loopback device and two local ports."""
    if LIBC.unshare(CLONE_NEWNET) != 0:
        os._exit(3)
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP).ljust(40, b"\0"))
    Path("/proc/sys/net/ipv4/ip_local_port_range").write_text(" ".join(map(str, LOCAL_PORTS)))


@contextlib.contextmanager
def inside(server: Server) -> Iterator[None]:
    """Sockets that are made here belong to the network of the server, and stay there."""
    with open("/proc/thread-self/ns/net") as ours, open(f"/proc/{server.pid}/ns/net") as theirs:
        assert LIBC.setns(theirs.fileno(), CLONE_NEWNET) == 0
        try:
            yield
        finally:
            assert LIBC.setns(ours.fileno(), CLONE_NEWNET) == 0


def connect_from(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", PORT), PATIENCE_S, ("127.0.0.1", port))
    # Closed, it shall leave its port at once.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return client


@pytest.mark.parametrize("model", COMMANDS)
def test_without_a_free_port_to_the_origin_it_is_502_and_later_served(start: Start, model: str) -> None:
    origin = f"127.0.0.1:{PORT}"
    server = start(model, "--listen", origin, "--origin", origin, preexec_fn=enter_own_network)
    get = b"GET /proxy/plaintext HTTP/1.1\r\nHost: test\r\n\r\n"
    with inside(server), contextlib.ExitStack() as stack:
        client = stack.enter_context(connect_from(20000))
        holders = [stack.enter_context(connect_from(port)) for port in LOCAL_PORTS]
        assert ask(client, get)[0] == 502
        assert ask(client) == (200, HELLO)
        for holder in holders:
            holder.close()
        assert ask(client, get) == (200, HELLO)
    assert server.log().count("net.ipv4.ip_local_port_range") == 1
    assert "EADDRNOTAVAIL" in server.log()
    server.stop()
