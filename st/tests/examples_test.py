#!/usr/bin/python3
"""Runs every example as its reader would, on ports that the kernel chooses.

    examples_test.py DIRECTORY-OF-PROGRAMS DIRECTORY-OF-SOURCES
"""

import re
import signal
import socket
import subprocess
import sys
import threading
import unittest
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 60  # must not pass

programs, sources = (Path(argument) for argument in sys.argv[1:3])


def run(name: str, *arguments: str) -> list[str]:
    """What an example that ends by itself prints."""
    done = subprocess.run([programs / f"st_example_{name}", *arguments], capture_output=True, text=True,
                          timeout=PATIENCE_S, check=True)
    return done.stdout.splitlines()


@contextmanager
def server(name: str, *arguments: str):
    """A running example, and the port that it says it listens on."""
    process = subprocess.Popen([programs / f"st_example_{name}", *arguments], stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(PATIENCE_S, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline()
        found = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)
        assert found, f"{name} said {line!r} instead of where it listens"
        yield process, int(found[1])
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        watchdog.cancel()
        process.stdout.close()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE_S)


def read_all(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


class Examples(unittest.TestCase):
    def test_hello_takes_turns(self):
        self.assertEqual(run("hello_c"), [f"{name} {i}" for i in (1, 2, 3) for name in ("one", "two", "three")])

    def test_timeouts(self):
        self.assertEqual(run("timeouts_c"), ["first read: ready", "second read: timed out", "third read: interrupted",
                                             "slow peer: timed out"])

    def test_offload_runs_beside_others(self):
        lines = len((sources / "offload.c").read_text().splitlines())
        self.assertEqual(run("offload_c", str(sources / "offload.c")),
                         [f"{sources / 'offload.c'}: {lines} lines", "others ran meanwhile: yes"])

    def test_lookup_of_numbers(self):
        self.assertEqual(sorted(run("lookup_c", "127.0.0.1", "::1")), ["127.0.0.1: 127.0.0.1", "::1: ::1"])

    def test_pipeline_keeps_the_order(self):
        self.assertEqual(run("pipeline_cc"), [f"{i} squared is {i * i}" for i in range(1, 6)])

    def test_stop_ends_everybody(self):
        printed = run("stop_cc")
        self.assertEqual(printed[-1], "all ended")
        self.assertIn("reader: the stream was closed", printed)
        self.assertIn("sleeper: Interrupted system call, told to stop: yes", printed)
        self.assertIn("poller: at least one round: yes", printed)

    def test_both_echo_servers_serve_many_at_once(self):
        for name, arguments in (("echo_c", ["0"]), ("echo_cc", ["127.0.0.1:0"])):
            with self.subTest(name), server(name, *arguments) as (_, port):
                clients = [connect(port) for _ in range(20)]
                for number, client in enumerate(clients):
                    client.sendall(f"client {number}\n".encode())
                for number, client in reversed(list(enumerate(clients))):
                    client.shutdown(socket.SHUT_WR)
                    self.assertEqual(read_all(client), f"client {number}\n".encode())
                    client.close()

    def test_proxy_carries_much_in_both_directions(self):
        with server("echo_c", "0") as (_, target), server("proxy_c", "0", "127.0.0.1", str(target)) as (_, port):
            sent = bytes(range(256)) * 8192
            client = connect(port)
            writer = threading.Thread(target=lambda: (client.sendall(sent), client.shutdown(socket.SHUT_WR)))
            writer.start()
            self.assertEqual(read_all(client), sent)
            writer.join()
            client.close()

    def test_prefork_serves_from_workers_and_ends_with_them(self):
        with server("prefork_c", "0", "2") as (process, port):
            answers = []
            for _ in range(20):
                with connect(port) as client:
                    answers.append(int(re.fullmatch(rb"served by process (\d+)\n", read_all(client))[1]))
            self.assertNotIn(process.pid, answers)
            process.terminate()
            self.assertEqual(process.wait(PATIENCE_S), 0)
            with self.assertRaises(ConnectionRefusedError):
                connect(port)

    def test_prefork_ends_when_told_before_its_workers_run(self):
        for _ in range(50):
            with server("prefork_c", "0", "8") as (process, _):
                process.terminate()
                self.assertEqual(process.wait(PATIENCE_S), 0)

    def test_signals_become_events(self):
        process = subprocess.Popen([programs / "st_example_signal_c"], stdout=subprocess.PIPE, text=True)
        watchdog = threading.Timer(PATIENCE_S, process.kill)
        watchdog.start()
        try:
            self.assertEqual(process.stdout.readline(), f"process {process.pid} waits for signals\n")
            for _ in range(3):
                process.send_signal(signal.SIGHUP)
                self.assertEqual(process.stdout.readline(), "told to read the configuration again\n")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.stdout.read(), "told to end\n")
            self.assertEqual(process.wait(PATIENCE_S), 0)
        finally:
            process.kill()
            process.wait()
            watchdog.cancel()
            process.stdout.close()

    def test_every_example_begins_with_the_command_that_runs_it(self):
        for source in [*sources.glob("*.c"), *sources.glob("*.cc")]:
            first = source.read_text().splitlines()[0]
            compiler = "cc" if source.suffix == ".c" else "c++ -std=c++20"
            self.assertIn(f" {compiler} {source.name} -lst -o {source.stem} && ./{source.stem}", first)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
