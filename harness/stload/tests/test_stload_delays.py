"""What the bench of known delays computes: the truth from segments, and what it would be on a machine without delays."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

from known_delays import CASES, Case, nominal, percentile, said, truth  # noqa: E402
from wire import Exchange, Segment, exchanges, parse  # noqa: E402

MS = 1_000_000


def test_requests_and_answers_are_paired_on_their_connections_in_the_order_of_the_requests() -> None:
    segments = [Segment(3 * MS, 40001, True), Segment(1 * MS, 40002, True), Segment(5 * MS, 40002, False),
                Segment(4 * MS, 40001, False), Segment(6 * MS, 40002, True), Segment(9 * MS, 40002, False)]
    assert exchanges(segments) == [(1 * MS, 5 * MS), (3 * MS, 4 * MS), (6 * MS, 9 * MS)]


@pytest.mark.parametrize("kinds", [[True], [False, True], [True, True, False, False]])
def test_a_conversation_with_a_segment_too_few_is_refused(kinds: list[bool]) -> None:
    with pytest.raises(ValueError, match="from port 40001 .* do not take turns"):
        exchanges(Segment(at, 40001, is_request) for at, is_request in enumerate(kinds))


def test_a_segment_is_a_request_when_it_goes_to_the_server() -> None:
    header = bytes([0x45] + 19 * [0])
    assert parse(header + bytes([0x9C, 0x41, 0x1F, 0x90]), 8080, 7) == (7, 40001, True)
    assert parse(header + bytes([0x1F, 0x90, 0x9C, 0x41]), 8080, 7) == (7, 40001, False)


def test_an_open_loop_counts_from_when_a_request_was_due_and_a_closed_one_from_when_it_was_sent() -> None:
    seen = [Exchange(100 * MS, 103 * MS), Exchange(115 * MS, 117 * MS)]
    assert truth(seen, 0, 0) == [2000, 3000]
    assert truth(seen, 100, 100 * MS) == [3000, 7000]  # the second one was due at 110


def test_a_stall_is_nominally_in_a_fifth_of_an_open_loop_and_in_one_answer_of_each_closed_client() -> None:
    open_loop, closed_loop = nominal(CASES["stall"]), nominal(CASES["hidden"])
    assert len(open_loop) == 5000
    assert sum(latency > 2000 for latency in open_loop) == 1000
    assert percentile(open_loop, 1) == 1_002_000
    assert [latency for latency in closed_loop if latency > 2000] == [1_002_000] * 8


def test_a_rare_delay_is_nominally_beyond_p99() -> None:
    latencies = nominal(CASES["rare"])
    assert percentile(latencies, 0.99) == 2000
    assert percentile(latencies, 0.995) == 200_000


def test_a_percentile_that_stload_withholds_is_taken_from_its_histogram() -> None:
    latency = {"p50": 5.0, "histogram": [[4.9, 199], [8.1, 1]]}
    assert said(latency, 0.5) == 5.0
    assert said(latency, 0.995) == 4.9
    assert said(latency, 0.999) == 8.1


def test_the_server_is_told_its_delays_in_the_order_that_it_wants_them() -> None:
    case = Case("", 1, 1, delay_us=1, slow_every=2, slow_us=3, stall_at_ms=4, stall_ms=5)
    assert case.server() == ["1", "2", "3", "4", "5", "1"]
