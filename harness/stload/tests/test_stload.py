"""stload as a program: against servers that behave in known ways. Run by CTest, which sets ARCHBENCH_BIN."""

import json
import os
import resource
import signal
import socket
import struct
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from servers import BIN, PATIENCE_S, Connection, KnownServer, Server

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "results/schema/stload.schema.json").read_text())
STLOAD = BIN / "stload"

Json = dict[str, Any]
Start = Callable[[list[str]], subprocess.Popen[str]]


def command(url: str, report: Path, **options: Any) -> list[str]:
    """stload with short times; rate=5 becomes --rate 5, check=True becomes --check."""
    words = [str(STLOAD), "--json", str(report)]
    for name, value in ({"clients": 4, "warmup": 0, "duration": 0.3} | options).items():
        words.append("--" + name.replace("_", "-"))
        if value is not True:
            words.append(str(value))
    return [*words, url]


def run(url: str, tmp_path: Path, status: int = 0, **options: Any) -> Json:
    """Runs it, and returns a report that is valid and in which every request is accounted for."""
    file = tmp_path / "report.json"
    done = subprocess.run(command(url, file, **options), capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stderr == ""
    report: Json = json.loads(file.read_text())
    report["text"] = done.stdout
    expect_sound({key: value for key, value in report.items() if key != "text"})
    return report


def expect_sound(report: Json) -> None:
    jsonschema.validate(report, SCHEMA)
    window = report["window"]
    assert window["requests"] == window["answers"] + sum(window["errors"].values())
    assert report["latency_us"]["count"] == window["answers"]
    for name in ("latency_us", "connect_us"):
        values = [value for value, _ in report[name]["histogram"]]
        assert values == sorted(values)
        assert sum(count for _, count in report[name]["histogram"]) == report[name]["count"]
    clients = report["clients"]
    assert sum(count for _, count in clients["answers"]) == clients["count"]
    assert sum(answers * count for answers, count in clients["answers"]) == window["answers"]
    assert sum(window["statuses"].values()) == window["answers"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts programs that have ended when the test has, however it went."""
    started: list[subprocess.Popen[str]] = []

    def begin(words: list[str]) -> subprocess.Popen[str]:
        started.append(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def refused(url: str, **options: Any) -> str:
    """What it says when it does not even begin."""
    words = command(url, Path(os.devnull), **options)
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def answer_all(connection: Connection) -> None:
    while connection.request():
        connection.answer()


# ---- Kinds of load ----


def test_a_closed_loop_counts_what_the_server_counts(tmp_path: Path) -> None:
    with KnownServer(delay_us=1000) as server:
        report = run(server.url, tmp_path, clients=8)
        truth = server.stop()
    assert report["run"]["answers"] == len(truth) == report["window"]["requests"]
    assert report["run"]["bytes_read"] == len(truth) * len("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    assert report["run"]["connections"] == 8
    assert report["clients"]["served"] == 8
    assert report["load"]["kind"] == "closed" and report["load"]["hides_stalls"]
    assert "hides stalls" in report["text"]


def test_an_open_loop_asks_as_often_as_it_is_told(tmp_path: Path) -> None:
    with KnownServer() as server:
        report = run(server.url, tmp_path, rate=1000, arrivals="constant", duration=0.5, warmup=0.1)
        assert len(server.stop()) == report["run"]["answers"] == 600
    assert report["window"]["requests"] == 500
    assert report["send_lag_us"]["count"] == 500
    assert report["wakeup_lag_us"]["count"] + report["window"]["queued"] == 500
    assert not report["load"]["hides_stalls"]


def test_an_open_loop_far_beyond_capacity_is_measured(tmp_path: Path) -> None:
    # 20 answers/s at most, 4,000 requests/s: what is answered in the window was due before it.
    with KnownServer(delay_us=50_000) as server:
        report = run(server.url, tmp_path, clients=1, rate=4000, warmup=0.3, duration=0.5)
    assert report["window"]["completed"] > 0
    assert report["window"]["answers"] == 0
    assert "no_answers" in [warning["code"] for warning in report["warnings"]]


def test_several_processes_share_an_open_loop_out(tmp_path: Path) -> None:
    with KnownServer() as server:
        report = run(server.url, tmp_path, rate=1000, arrivals="constant", processes=3, clients=10)
    assert report["window"]["requests"] == 300
    assert report["clients"]["count"] == 10
    assert report["run"]["connections"] == 10


def test_poisson_arrivals_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    with KnownServer() as server:
        counts = [run(server.url, tmp_path, rate=2000, seed=seed)["window"]["requests"] for seed in (1, 1, 2)]
    assert counts[0] == counts[1]
    assert counts[0] != 600  # which constant ones would be


def test_paced_clients_each_have_their_rate(tmp_path: Path) -> None:
    with KnownServer() as server:
        report = run(server.url, tmp_path, per_client_rate=20, arrivals="constant", clients=10, duration=0.5)
    assert report["load"]["kind"] == "paced"
    assert report["clients"]["answers"] == [[10, 10]]
    assert report["clients"]["on_pace"] <= 10


def test_thinking_clients_ask_less(tmp_path: Path) -> None:
    with KnownServer() as server:
        report = run(server.url, tmp_path, think_time=0.1, clients=10, duration=0.5)
    assert 10 <= report["window"]["requests"] <= 60
    assert report["load"]["think_times"] == "constant"


def test_a_stall_is_seen_by_an_open_loop_and_hidden_by_a_closed_one(tmp_path: Path) -> None:
    with KnownServer(delay_us=2000, stall_at_ms=500, stall_ms=1000) as server:
        open_loop = run(server.url, tmp_path, rate=500, clients=600, duration=2.5, arrivals="constant")
        truth = sorted(delay for _, delay in server.stop())
    # 40 % of the requests meet the stall. Reported and true percentile are of the same requests; on a
    # busy machine the way to the server and back takes its time as well.
    p90 = open_loop["latency_us"]["p90"]
    assert 0.98 * truth[len(truth) * 9 // 10 - 1] <= p90 <= 1.02 * 1e6
    assert p90 > 600_000

    with KnownServer(delay_us=2000, stall_at_ms=500, stall_ms=1000) as server:
        closed_loop = run(server.url, tmp_path, clients=4, duration=2.5)
    assert closed_loop["latency_us"]["p90"] < 0.5 * p90
    assert closed_loop["latency_us"]["max"] > 950_000


def test_known_delays_are_reported_and_never_shortened(tmp_path: Path) -> None:
    with KnownServer(delay_us=20_000, slow_every=4, slow_us=60_000) as server:
        report = run(server.url, tmp_path, rate=500, clients=100, duration=2.5)
        truth = sorted(delay for _, delay in server.stop())
    latency = report["latency_us"]
    for name, share in (("p50", 0.5), ("p90", 0.9)):
        right = truth[round(share * len(truth)) - 1]
        assert 0.995 * right <= latency[name] <= right + 40_000  # a busy machine adds, and never takes away
    assert latency["mean"] >= sum(truth) / len(truth)


def test_requests_wait_for_a_free_client_and_count_that(tmp_path: Path) -> None:
    with KnownServer(delay_us=20_000) as server:  # 1 client: 50 requests a second
        report = run(server.url, tmp_path, rate=200, arrivals="constant", clients=1, duration=0.5)
    assert report["window"]["answers"] == 100
    assert report["window"]["queued"] > 90
    assert report["latency_us"]["max"] > 1_400_000
    assert "queued" in [warning["code"] for warning in report["warnings"]]


def test_what_was_never_sent_counts_as_never_answered(tmp_path: Path) -> None:
    with KnownServer(delay_us=50_000) as server:  # 20 a second
        report = run(server.url, tmp_path, rate=1000, arrivals="constant", clients=1, duration=0.4, timeout=0.2)
    assert report["window"]["requests"] == 400
    assert report["window"]["errors"]["unsent"] > 350
    assert "p50" not in report["latency_us"]
    assert "have no answer" in report["latency_us"]["withheld"][0]["reason"]


# ---- Clients of other kinds ----


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


# ---- What goes wrong ----


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


# ---- Limits and ends ----


def test_too_many_descriptors_are_refused_before_the_load() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    said = refused("http://127.0.0.1:1/", clients=hard)
    assert f"{hard:,} connections in one process" in said and "ulimit -Hn" in said and "--processes 2" in said


def test_too_many_ports_are_refused_before_the_load() -> None:
    said = refused("http://127.0.0.1:1/", clients=70_000, processes=64)
    assert "local ports for each address" in said and "--addresses 127.0.0.1-127.0.0." in said


def test_a_report_that_cannot_be_written_is_found_out_before_the_load(tmp_path: Path) -> None:
    words = command("http://127.0.0.1:1/", tmp_path / "missing" / "report.json")
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 1
    assert "No such file or directory" in done.stderr


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


def wait_for_children(parent: int, count: int) -> list[int]:
    """The processes that `parent` has started, once there are so many."""
    while True:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if len(children) == count:
            return [int(pid) for pid in children]
        time.sleep(0.01)
