"""stload's kinds of load: what it asks for and when, and what it says of servers whose delays are known."""

from pathlib import Path

from program import run
from servers import KnownServer


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
