"""Where a latency begins and ends, to the microsecond, also while stload is not given a CPU."""

import json
import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import Start
from program import Json, command, expect_sound, run, wait_for_children
from servers import PATIENCE_S, Connection, KnownServer, Server

# Of requests that are due 0 and 0.5 s after the begin, the second one is measured. The kernel, which takes a while until it
# stamps, has the first half second for that.
SECOND_OF_TWO = {"clients": 1, "rate": 2, "arrivals": "constant", "warmup": 0.3, "duration": 0.5}
DUE_NS = 500_000_000
CLOCKS_APART_US = 1  # at most: how exactly the kernel's clock of stamps is converted
STOPPED_S = 0.2


class Sent(NamedTuple):
    """Between these times the end of an answer was sent; nanoseconds, CLOCK_MONOTONIC."""

    after: int
    before: int


def send_and_see(connection: Connection, text: str) -> Sent:
    after = time.monotonic_ns()
    connection.send(text)
    return Sent(after, time.monotonic_ns())


def since_due_us(report: Json, at: int) -> float:
    return float(at - report["run"]["begin_monotonic_ns"] - DUE_NS) / 1e3


def expect_latency_until(sent: Sent, report: Json) -> None:
    latency = report["latency_us"]
    assert latency["count"] == 1
    assert since_due_us(report, sent.after) - CLOCKS_APART_US <= latency["max"]
    assert latency["max"] <= since_due_us(report, sent.before) + CLOCKS_APART_US


@pytest.mark.parametrize("until", ["arrived", "read"])
def test_the_time_in_which_it_is_stopped_is_latency_only_until_it_has_read(until: str, start: Start, tmp_path: Path) -> None:
    children: list[int] = []
    sent: list[Sent] = []
    continued: list[int] = []

    def behave(connection: Connection) -> None:
        connection.request()
        connection.answer()
        connection.request()
        os.kill(children[0], signal.SIGSTOP)
        while Path(f"/proc/{children[0]}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            time.sleep(0.001)
        sent.append(send_and_see(connection, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
        time.sleep(STOPPED_S)
        continued.append(time.monotonic_ns())
        os.kill(children[0], signal.SIGCONT)
        connection.request()  # until it closes

    file = tmp_path / "report.json"
    with Server(behave) as server:
        process = start(command(server.url, file, **SECOND_OF_TWO, latency_until=until))
        children += wait_for_children(process.pid, 1)
        process.communicate(timeout=PATIENCE_S)
    report = json.loads(file.read_text())
    expect_sound(report)
    assert report["load"]["latency_until"] == until
    if until == "read":
        assert report["latency_us"]["max"] >= since_due_us(report, continued[0])
        assert "read_lag_us" not in report
    else:
        expect_latency_until(sent[0], report)
        assert report["read_lag_us"]["max"] >= (continued[0] - sent[0].before) / 1e3 - CLOCKS_APART_US


def test_an_answer_in_parts_has_arrived_with_its_last_one(tmp_path: Path) -> None:
    sent: list[Sent] = []

    def behave(connection: Connection) -> None:
        while connection.request():
            for part in ("HTTP/1.1 200 OK\r\n", "Content-Length: 5\r\n\r\n", "hell", "o"):
                sent.append(send_and_see(connection, part))

    with Server(behave) as server:
        report = run(server.url, tmp_path, **SECOND_OF_TWO)
    expect_latency_until(sent[-1], report)
    assert report["read_lag_us"]["count"] == 1
    assert "read lag" in report["text"]


def test_an_answer_that_ends_with_its_connection_counts_until_it_was_read(tmp_path: Path) -> None:
    sent: list[Sent] = []

    def behave(connection: Connection) -> None:
        connection.request()
        connection.send("HTTP/1.1 200 OK\r\n\r\nhello")
        sent.append(Sent(time.monotonic_ns(), 0))  # it closes after that

    with Server(behave) as server:
        report = run(server.url, tmp_path, **SECOND_OF_TWO)
    assert report["latency_us"]["max"] >= since_due_us(report, sent[-1].after)
    assert report["read_lag_us"]["count"] == 0
    assert [warning["code"] for warning in report["warnings"]] == ["unstamped"]


@pytest.mark.parametrize("options", [{"connection_per_request": True}, {"check": True}, {"slow_read": 1000}, {"processes": 2}])
def test_arrivals_are_known_whatever_else_is_asked_for(options: Json, tmp_path: Path) -> None:
    with KnownServer(delay_us=1000) as server:
        report = run(server.url, tmp_path, rate=100, arrivals="constant", warmup=0.3, **options)
        truth = [delay for _, delay in server.stop()]
    assert report["read_lag_us"]["count"] == report["latency_us"]["count"] == report["window"]["answers"] > 0
    assert report["latency_us"]["min"] >= min(truth)


def test_a_closed_loop_asks_again_when_it_has_read(tmp_path: Path) -> None:
    """So what its latencies lack of the time in which it was measured is read lag."""
    with KnownServer(delay_us=1000) as server:
        report = run(server.url, tmp_path, clients=1, warmup=0.3, duration=0.5, latency_until="arrived")
    spent = report["latency_us"]["mean"] + report["read_lag_us"]["mean"]
    # One client always asked: but for requests in which the window begins and ends, that is all of it.
    last = report["latency_us"]["max"] + report["read_lag_us"]["max"]
    assert 500_000 - last <= spent * report["window"]["answers"] <= 500_000 + last
