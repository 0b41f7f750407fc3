"""What stload says of servers that do wrong: each failure has its kind, and none is forgotten."""

import socket
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from program import answer_all, refused, run
from servers import Connection, Server


def close_unanswered(connection: Connection) -> None:
    connection.request()


def close_in_the_middle(connection: Connection) -> None:
    connection.request()
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")


def talk_junk(connection: Connection) -> None:
    connection.request()
    connection.send("220 mail.example.org ESMTP\r\n")


def answer_twice(connection: Connection) -> None:
    connection.request()
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\n")


def reset(connection: Connection) -> None:
    connection.request()
    connection.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("behaviour, kind, words", [
    (close_unanswered, "closed", "closed unanswered"),
    (close_in_the_middle, "closed", "closed in the middle of an answer"),
    (talk_junk, "malformed", "not an HTTP answer"),
    (answer_twice, "malformed", "more bytes than it has"),
    (reset, "read", "Connection reset by peer"),
])
def test_each_failure_has_its_kind_and_its_words(behaviour: Any, kind: str, words: str, tmp_path: Path) -> None:
    with Server(behaviour) as server:
        report = run(server.url, tmp_path, status=1, think_time=0.02)
    errors = report["window"]["errors"]
    assert errors[kind] == sum(errors.values()) == report["window"]["requests"] > 0
    assert words in report["text"]


def test_a_request_that_is_never_answered_leaves_a_trace(tmp_path: Path) -> None:
    def behave(connection: Connection) -> None:
        while connection.request():
            if connection.number > 0:
                connection.answer()

    with Server(behave) as server:
        report = run(server.url, tmp_path, timeout=0.2, clients=2, duration=0.1)
    assert report["window"]["errors"]["timeout"] == 1
    assert report["clients"]["never_served"] == 1
    assert "no whole answer within --timeout" in report["text"]


@pytest.mark.parametrize("piece, pause_s", [("x", 0.01), ("x" * 65536, 0)])
def test_an_endless_answer_does_not_outlive_the_timeout(piece: str, pause_s: float, tmp_path: Path) -> None:
    def behave(connection: Connection) -> None:
        connection.request()
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
        while True:
            time.sleep(pause_s)
            connection.send(piece)

    with Server(behave) as server:
        report = run(server.url, tmp_path, status=1, timeout=0.2, clients=1, duration=0.1)
    assert report["window"]["errors"]["timeout"] == 1


def test_nobody_listening_is_said_and_not_hammered(tmp_path: Path) -> None:
    report = run("http://127.0.0.1:1/", tmp_path, status=1)
    assert 4 <= report["window"]["errors"]["connect"] <= 40
    assert "Connection refused: is the server listening there?" in report["text"]


def test_bad_statuses_are_answers_with_a_warning(tmp_path: Path) -> None:
    def behave(connection: Connection) -> None:
        while connection.request():
            connection.answer(status="503 Service Unavailable")

    with Server(behave) as server:
        report = run(server.url, tmp_path)
    assert list(report["window"]["statuses"]) == ["503"]
    assert "bad_status" in [warning["code"] for warning in report["warnings"]]


def test_a_body_that_changes_is_found(tmp_path: Path) -> None:
    def behave(connection: Connection) -> None:
        while connection.request():
            connection.answer("hello" if connection.number < 2 else "hellO")

    with Server(behave) as server:
        report = run(server.url, tmp_path, status=1, check=True, clients=2)
    errors = report["window"]["errors"]
    assert errors["wrong_body"] == sum(errors.values()) > 0
    assert report["window"]["answers"] > 0
    assert "GET /: not the expected answer" in report["text"]


def test_a_body_can_be_known_before(tmp_path: Path) -> None:
    (tmp_path / "right").write_text("hello")
    (tmp_path / "wrong").write_text("hellu")
    with Server(answer_all) as server:
        run(server.url, tmp_path, expect=tmp_path / "right")
        run(server.url, tmp_path, status=1, expect=tmp_path / "wrong")


def test_a_check_of_what_cannot_be_fetched_does_not_begin() -> None:
    def behave(connection: Connection) -> None:
        while connection.request():
            connection.answer(status="404 Not Found")

    with Server(behave) as server:
        said = refused(server.url + "/x", check=True)
    assert said.startswith("stload: --check: GET /x before the load: status 404")
