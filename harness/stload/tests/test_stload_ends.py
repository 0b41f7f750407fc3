"""How stload ends: by signals, by the death of one of its processes; and what it shows meanwhile."""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from conftest import Start
from program import Json, command, expect_sound, wait_for_children
from servers import PATIENCE_S, Connection, KnownServer, Server


@pytest.mark.parametrize("options", [{}, {"rate": 500}, {"think_time": 100}, {"idle": 5, "rate": 0.001}])
def test_an_interrupt_ends_it_early_with_a_report(options: Json, start: Start, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    with KnownServer(delay_us=1000) as server:
        words = command(server.url, file, **options, duration=1000, processes=2)
        process = start(words)
        children = wait_for_children(process.pid, 2)
        time.sleep(0.5)  # some load; any amount is right
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=PATIENCE_S)
    assert errors == ""
    report = json.loads(file.read_text())
    expect_sound(report)
    assert report["window"]["duration_s"] < 100
    assert "ended_early" in [warning["code"] for warning in report["warnings"]]
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def test_a_second_interrupt_waits_for_no_answer(start: Start, tmp_path: Path) -> None:
    asked = threading.Event()

    def behave(connection: Connection) -> None:
        connection.request()
        asked.set()
        connection.request()  # until it closes

    file = tmp_path / "report.json"
    with Server(behave) as server:
        process = start(command(server.url, file, clients=1, timeout=1000, duration=1000))
        assert asked.wait(PATIENCE_S)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
    report = json.loads(file.read_text())
    expect_sound(report)
    assert process.returncode == 1  # not one answer
    assert report["window"]["errors"]["unfinished"] == report["window"]["requests"] == 1


def test_idle_connections_stay_until_the_last_answer_has_come(start: Start, tmp_path: Path) -> None:
    """Closed before it, they would be work for the server while it is measured."""
    clients, idle = 1, 3
    asked = threading.Barrier(clients + idle + 1)
    ended, closed = threading.Event(), threading.Event()
    closed_first = []

    def behave(connection: Connection) -> None:
        connection.request()
        asked.wait(PATIENCE_S)
        if connection.number < clients:  # connections are made in order, the clients' first
            ended.wait(PATIENCE_S)
            closed_first.append(closed.wait(0.3))
            connection.answer()
        else:
            connection.answer()
            connection.request()  # until it closes
            closed.set()

    file = tmp_path / "report.json"
    with Server(behave) as server:
        process = start(command(server.url, file, clients=clients, idle=idle, duration=1000))
        asked.wait(PATIENCE_S)
        process.send_signal(signal.SIGINT)
        ended.set()
        process.communicate(timeout=PATIENCE_S)
    assert closed_first == [False]
    assert json.loads(file.read_text())["idle"]["open_at_end"] == idle


def test_a_terminal_shows_how_far_it_is(tmp_path: Path) -> None:
    ours, terminal = os.openpty()
    with KnownServer(delay_us=1000) as server:
        words = command(server.url, tmp_path / "report.json", duration=1.5)
        subprocess.run(words, stdout=subprocess.DEVNULL, stderr=terminal, check=True, timeout=PATIENCE_S)
    os.close(terminal)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "1 s of 2: " in shown and "answers/s, 0 failed" in shown
    assert shown.endswith("\r\x1b[K")


def test_when_a_process_dies_the_run_fails_and_none_is_left(start: Start, tmp_path: Path) -> None:
    with KnownServer(delay_us=1000) as server:
        words = command(server.url, tmp_path / "report.json", duration=1000, processes=2)
        process = start(words)
        children = wait_for_children(process.pid, 2)
        os.kill(children[0], signal.SIGKILL)
        _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "one of its processes was ended by signal 9" in errors
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def test_kill_9_of_the_parent_leaves_no_process(start: Start, tmp_path: Path) -> None:
    with KnownServer(delay_us=1000) as server:
        process = start(command(server.url, tmp_path / "report.json", duration=1000, processes=2))
        children = wait_for_children(process.pid, 2)
        process.kill()
        process.communicate(timeout=PATIENCE_S)  # until nobody holds the other ends of its pipes
    deadline = time.monotonic() + PATIENCE_S
    while any(is_running(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(is_running(pid) for pid in children)


def is_running(pid: int) -> bool:
    """Not for what has ended and nobody has taken notice of."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
