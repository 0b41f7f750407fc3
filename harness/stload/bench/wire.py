"""The exchanges of a server on loopback as the kernel saw them pass: a truth that neither server nor client has told.

A packet socket on `lo` gets every segment that carries data, with the time at which it came in, just before TCP gives
it to the receiver. Nothing is read from it before the end, so watching takes no CPU from those who are watched.
"""

from __future__ import annotations

import ctypes
import itertools
import socket
import struct
import sys
import time
from collections.abc import Iterable
from typing import NamedTuple

ETH_P_ALL = 3
SOL_PACKET, PACKET_STATISTICS, PACKET_IGNORE_OUTGOING = 263, 6, 23
SO_ATTACH_FILTER, SO_RCVBUFFORCE, SO_TIMESTAMPNS = 26, 33, 35
TIMESPEC = struct.Struct("qq")
ROOM_BYTES = 1 << 29  # a segment takes about 1 KiB of kernel memory; the longest run has 80,000


class Segment(NamedTuple):
    """One that carries data."""

    time: int  # nanoseconds, CLOCK_MONOTONIC
    client: int  # its port
    is_request: bool


class Exchange(NamedTuple):
    """When a request and its answer passed, in nanoseconds, CLOCK_MONOTONIC."""

    request: int
    answer: int


def exchanges(segments: Iterable[Segment]) -> list[Exchange]:
    """In the order of the requests. Each request and each answer must be one segment, by turns on its connection."""
    ordered = sorted(segments, key=lambda segment: (segment.client, segment.time))
    found = []
    for client, conversation in itertools.groupby(ordered, key=lambda segment: segment.client):
        said = list(conversation)
        if len(said) % 2 or any(segment.is_request != (i % 2 == 0) for i, segment in enumerate(said)):
            raise ValueError(f"on the connection from port {client} requests and answers do not take turns")
        found += [Exchange(request.time, answer.time) for request, answer in zip(said[::2], said[1::2])]
    return sorted(found)


def parse(packet: bytes, port: int, at: int) -> Segment:
    """`packet` begins with its IPv4 header, which has no options; `port` is the server's."""
    source, destination = struct.unpack_from("!HH", packet, 20)
    return Segment(at, source if destination == port else destination, destination == port)


def pass_data_of(port: int) -> bytes:
    """A classic BPF program: TCP segments from or to that port with PSH, which every last segment of a write has."""
    return b"".join(itertools.starmap(struct.Struct("HBBI").pack, (
        (0x30, 0, 0, 0), (0x15, 0, 8, 0x45),  # IPv4 without options
        (0x30, 0, 0, 9), (0x15, 0, 6, socket.IPPROTO_TCP),
        (0x28, 0, 0, 20), (0x15, 2, 0, port),  # from the port
        (0x28, 0, 0, 22), (0x15, 0, 2, port),  # or to it
        (0x30, 0, 0, 33), (0x45, 1, 0, 0x08),  # PSH
        (0x06, 0, 0, 0), (0x06, 0, 0, 64),  # drop; take the two headers
    )))


def realtime_ahead() -> int:
    """Of CLOCK_MONOTONIC, in nanoseconds: the kernel stamps packets with CLOCK_REALTIME."""
    looks = []
    for _ in range(100):
        before, real, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        looks.append((after - before, real - (before + after) // 2))
    return min(looks)[1]  # of the look that took the least time


class Wire:
    """Watches one port of loopback from when it is made."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.ahead = realtime_ahead()
        program = pass_data_of(port)
        memory = ctypes.create_string_buffer(program, len(program))
        try:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM_BYTES)
        except PermissionError:
            sys.exit("fatal: watching loopback with the kernel's time stamps needs CAP_NET_RAW and CAP_NET_ADMIN; run it as root")
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                               struct.pack("HL", len(program) // 8, ctypes.addressof(memory)))
        # A packet on loopback goes out and comes in; one look at it is enough. Who asks for all protocols is given it before
        # TCP; who asks for IPv4, after TCP, and it is stamped when it is given.
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.socket.bind(("lo", ETH_P_ALL))

    def stop(self) -> list[Segment]:
        """All that passed; ends it."""
        stopped = time.time_ns()
        segments = []
        with self.socket:
            while True:
                try:
                    packet, [(_, _, stamp)], _, _ = self.socket.recvmsg(64, socket.CMSG_SPACE(TIMESPEC.size), socket.MSG_DONTWAIT)
                except BlockingIOError:
                    break
                second, nanosecond = TIMESPEC.unpack(stamp)
                at = 10**9 * second + nanosecond
                if at > stopped:  # what has none when it is read is given that time
                    sys.exit("fatal: the kernel did not stamp a packet when it passed")
                segments.append(parse(packet, self.port, at - self.ahead))
            _, dropped = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        if dropped:
            sys.exit(f"fatal: {dropped} packets did not fit in the {ROOM_BYTES} bytes for them")
        if abs(realtime_ahead() - self.ahead) > 1000:
            sys.exit("fatal: the time of day was set meanwhile, so when packets passed is not known")
        return segments
