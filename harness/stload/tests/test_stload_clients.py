"""stload's clients of other kinds: idle, slow, of one request, of many paths, of several addresses."""

import json
from collections import Counter
from pathlib import Path

from program import answer_all, run
from servers import Connection, Server


def test_idle_connections_are_held_beside_the_clients(tmp_path: Path) -> None:
    with Server(answer_all) as server:
        report = run(server.url, tmp_path, idle=20)
        assert server.accepted == 24
    assert report["idle"] == {"asked": 20, "opened": 20, "open_at_end": 20, "closed_by_server": 0}


def test_idle_connections_that_the_server_closes_are_opened_again(tmp_path: Path) -> None:
    def behave(connection: Connection) -> None:
        while connection.request():
            connection.answer()
            if connection.number % 2:
                return

    with Server(behave) as server:
        report = run(server.url, tmp_path, idle=4, clients=1)
    assert report["idle"]["closed_by_server"] >= 2
    assert report["idle"]["opened"] == report["idle"]["open_at_end"] + report["idle"]["closed_by_server"]


def test_a_slow_reader_is_as_slow_as_it_was_told(tmp_path: Path) -> None:
    def behave(connection: Connection) -> None:
        while connection.request():
            connection.answer("x" * 10_000)

    with Server(behave) as server:
        report = run(server.url, tmp_path, clients=1, slow_read=20_000)
    assert report["latency_us"]["min"] > 400_000  # 10,000 bytes, less the last 2,000, after which is no pause


def test_a_slow_writer_is_as_slow_as_it_was_told(tmp_path: Path) -> None:
    with Server(answer_all) as server:
        report = run(server.url + "/" + "x" * 250, tmp_path, clients=1, slow_write=1000)
    assert report["latency_us"]["min"] > 180_000


def test_slow_clients_beside_fast_ones_are_counted_apart(tmp_path: Path) -> None:
    with Server(answer_all) as server:
        report = run(server.url, tmp_path, clients=2, slow_clients=3, slow_read=200, duration=0.8)
    assert report["clients"]["count"] == 2
    assert report["slow"]["answers"] >= 3
    assert report["run"]["answers"] == report["window"]["answers"] + report["slow"]["answers"]


def test_every_request_has_its_connection(tmp_path: Path) -> None:
    def behave(connection: Connection) -> None:
        connection.request()
        connection.answer(fields="Connection: close\r\n")

    with Server(behave) as server:
        report = run(server.url, tmp_path, connection_per_request=True)
        assert server.accepted == report["run"]["connections"] == report["run"]["answers"]
    assert sum(report["window"]["errors"].values()) == 0


def test_a_server_that_closes_after_each_answer_and_says_so_is_no_error(tmp_path: Path) -> None:
    def behave(connection: Connection) -> None:
        connection.request()
        connection.send("HTTP/1.0 200 OK\r\n\r\nuntil the end")

    with Server(behave) as server:
        report = run(server.url, tmp_path, check=True)
    assert report["window"]["answers"] > 0
    assert sum(report["run"]["errors"].values()) == 0


def test_a_mix_is_asked_for_by_weight(tmp_path: Path) -> None:
    asked: Counter[str] = Counter()

    def behave(connection: Connection) -> None:
        while path := connection.request():
            asked[path.split("/")[1]] += 1
            connection.answer(path)

    mix = tmp_path / "mix.json"
    mix.write_text(json.dumps({"paths": [{"path": "/often/{n}", "weight": 9, "vary": {"n": {"count": 5}}},
                                         {"path": "/seldom"}]}))
    with Server(behave) as server:
        report = run(server.url, tmp_path, mix=mix, check=True, rate=2000, clients=20, duration=0.5)
    assert report["window"]["answers"] == report["window"]["requests"]
    assert 0.8 < asked["often"] / asked.total() < 0.97


def test_several_addresses_are_taken_in_turn(tmp_path: Path) -> None:
    peers: set[str] = set()

    def behave(connection: Connection) -> None:
        peers.add(connection.peer.getsockname()[0])
        answer_all(connection)

    with Server(behave, host="0.0.0.0") as server:
        report = run(server.url, tmp_path, addresses="127.0.0.1-127.0.0.4", clients=8)
        port = server.listener.getsockname()[1]
    assert peers == {f"127.0.0.{i}" for i in range(1, 5)}
    assert report["load"]["addresses"] == [f"127.0.0.{i}:{port}" for i in range(1, 5)]
