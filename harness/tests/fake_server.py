#!/usr/bin/python3
"""A server that keeps the servers' contract and nothing else, for the harness's tests.

Installed under the names httpd_mp, httpd_mt, httpd_edsm and httpd_st. `--model` picks what it does:

    plain        serves /bytes/N and /plaintext
    late         answers every request 20 ms after it came
    unfair       never answers the client that came fifth
    narrow       has room for one that waits, and looks away for half a second when the third comes
    fickle       other bytes from the 50th answer on
    short        one byte too few
    broken       ends before it is ready
    mute         never gets ready
    mortal       ends without a word at the 50th request
    stubborn     ignores SIGTERM
    forking      like plain, in a child process
"""

import argparse
import asyncio
import json
import mmap
import os
import signal
import struct
import sys
import time

MAGIC = 0x31544E554F435453
SLOTS = 4
LATE_S = 0.020
AWAY_S = 0.5  # long enough that all clients have come meanwhile, less than they wait to try again


class Counters:
    """The file of baselines/common/counters.h with one slot used; only this process writes."""

    NAMES = ("requests", "connections", "served", "closed", "bytes", "errors", "refused")

    def __init__(self, path):
        with open(path, "w+b") as file:
            file.truncate(64 * (1 + SLOTS))
            memory = mmap.mmap(file.fileno(), 64 * (1 + SLOTS))
        struct.pack_into("<QIII", memory, 0, MAGIC, 64, SLOTS, 1)
        # A word is written at once. struct.pack_into first fills it with zeros, and somebody is reading.
        self.words = memoryview(memory).cast("Q")
        self.values = dict.fromkeys(self.NAMES, 0)

    def add(self, name, amount=1):
        self.values[name] += amount
        self.words[8 + self.NAMES.index(name)] = self.values[name]


class Client(asyncio.Protocol):
    def __init__(self, model, counters):
        self.model, self.counters = model, counters
        self.input, self.answers = b"", 0

    def connection_made(self, transport):
        self.transport = transport
        self.counters.add("connections")
        self.number = self.counters.values["connections"]
        if self.model == "narrow" and self.number == 3:
            time.sleep(AWAY_S)

    def connection_lost(self, error):
        self.counters.add("closed")

    def data_received(self, data):
        self.input += data
        while b"\r\n\r\n" in self.input:
            head, self.input = self.input.split(b"\r\n\r\n", 1)
            if self.model == "late":
                asyncio.get_running_loop().call_later(LATE_S, self.answer, head)
            else:
                self.answer(head)

    def answer(self, head):
        if self.transport.is_closing() or (self.model == "unfair" and self.number == 5):
            return
        number = self.counters.values["requests"]
        path = head.split(b" ")[1].decode()
        size = int(path[len("/bytes/"):]) if path.startswith("/bytes/") else 13
        letter = b"x"
        if self.model == "fickle" and number >= 50:
            letter = b"y"
        if self.model == "mortal" and number >= 50:
            os._exit(3)
        body = letter * (size - (1 if self.model == "short" else 0))
        close = b"connection: close" in head.lower()
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(body)
        answer += (b"Connection: close\r\n" if close else b"") + b"\r\n" + body
        self.counters.add("requests")
        self.counters.add("bytes", len(answer))
        self.answers += 1
        if self.answers == 1:
            self.counters.add("served")
        self.transport.write(answer)
        if close:
            self.transport.close()


async def serve(options):
    counters = Counters(options.counters)
    loop = asyncio.get_running_loop()
    host, port = options.listen.rsplit(":", 1)
    server = await loop.create_server(
        lambda: Client(options.model, counters), host, int(port),
        backlog=1 if options.model == "narrow" else options.backlog,
    )
    port = server.sockets[0].getsockname()[1]
    ready = {"event": "ready", "url": f"http://{host}:{port}", "pid": os.getpid()}
    stop = asyncio.Event()
    if options.model == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        loop.add_signal_handler(signal.SIGTERM, stop.set)
    print(json.dumps(ready), flush=True)
    await stop.wait()
    server.close()


def fork_server():
    """The parent only waits and hands SIGTERM on; it never outlives its child."""
    child = os.fork()
    if child == 0:
        return
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    while True:
        pid, status = os.waitpid(child, 0)
        if pid == child:
            sys.exit(os.waitstatus_to_exitcode(status))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--cpus", type=int, required=True)
    parser.add_argument("--backlog", type=int, required=True)
    parser.add_argument("--counters", required=True)
    options = parser.parse_args()
    if options.model == "broken":
        sys.exit("fatal: this one is meant to be broken")
    if options.model == "mute":
        time.sleep(3600)
    if options.model == "forking":
        fork_server()
    asyncio.run(serve(options))
    print(json.dumps({"event": "exit"}), flush=True)


if __name__ == "__main__":
    main()
