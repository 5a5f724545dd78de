"""The pace of pictures over links of all kinds, simulated: how long a key would wait, and how much of the link is used."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import pytest

from tui.link_pace import FIRST_BYTES_S, QUEUE_S, LinkPace

STEP_S = 0.001
PROBE_BYTES = 24


@dataclass
class Link:
    """Bytes leave at a rate and answers come back after the round trip; a terminal may say nothing."""

    bytes_s: float
    round_trip_s: float
    answers: bool = True
    now_s: float = 100.0
    free_s: float = 100.0
    coming: deque[float] = field(default_factory=deque)
    drained: float = 0.0
    credit_bytes: float = 0.0
    """After a rest so many go at once, as shapers and buffers have it."""

    def write(self, size: int, *, is_asked: bool) -> None:
        rested_s = self.now_s - self.credit_bytes / self.bytes_s
        self.free_s = max(max(self.free_s, rested_s) + size / self.bytes_s, self.now_s)
        self.drained += size
        if is_asked and self.answers:
            self.coming.append(self.free_s + self.round_trip_s)

    @property
    def queue_s(self) -> float:
        """What a key's echo would wait for."""
        return max(self.free_s - self.now_s, 0.0)


def run(link: Link, pace: LinkPace, seconds: float, *, piece_bytes: int = 1) -> list[float]:
    """Pictures without end; the queue at each step."""
    queues = []
    end_s = link.now_s + seconds
    due_s = link.now_s
    while link.now_s < end_s:
        while link.coming and link.coming[0] <= link.now_s:
            pace.answered(link.coming.popleft())
            due_s = link.now_s
        if link.now_s >= due_s:
            if pace.needs_probe(link.now_s):
                pace.written(PROBE_BYTES, link.now_s, is_asked=True)
                link.write(PROBE_BYTES, is_asked=True)
            elif most := pace.allowed_bytes(link.now_s):
                size = -(-most // piece_bytes) * piece_bytes
                pace.written(size, link.now_s, is_asked=not pace.is_silent)
                link.write(size, is_asked=not pace.is_silent)
            due_s = link.now_s + pace.wait_s(link.now_s)
        queues.append(link.queue_s)
        link.now_s += STEP_S
    return queues


@pytest.mark.parametrize("bytes_s", [15_000, 125_000, 1_250_000, 50_000_000])
@pytest.mark.parametrize("round_trip_s", [0.001, 0.03, 0.3])
def test_a_key_waits_for_no_more_than_a_slice_and_the_link_is_used(
    bytes_s: float, round_trip_s: float
) -> None:
    link, pace = Link(bytes_s, round_trip_s), LinkPace()
    run(link, pace, 5)
    before = link.drained
    queues = sorted(run(link, pace, 10))
    assert queues[len(queues) * 95 // 100] <= QUEUE_S * 1.25
    assert pace.bytes_s == pytest.approx(bytes_s, rel=0.3)
    assert link.drained - before >= 0.6 * bytes_s * 10


def test_a_fast_link_is_found_out_within_a_few_answers() -> None:
    link, pace = Link(100_000_000, 0.0005), LinkPace()
    run(link, pace, 0.05)
    assert pace.bytes_s * QUEUE_S >= 200_000


def test_strips_that_cannot_be_cut_delay_what_follows_them() -> None:
    link, pace = Link(125_000, 0.001), LinkPace()
    run(link, pace, 5, piece_bytes=8_000)
    queues = sorted(run(link, pace, 10, piece_bytes=8_000))
    assert max(queues) <= 8_000 / 125_000 + QUEUE_S
    assert sum(queue < 0.045 for queue in queues) >= len(queues) / 2


def test_a_link_that_becomes_slow_is_noticed() -> None:
    link, pace = Link(5_000_000, 0.01), LinkPace()
    run(link, pace, 2)
    link.bytes_s = 60_000
    run(link, pace, 8)
    assert max(run(link, pace, 5)) <= 0.08
    link.bytes_s = 5_000_000
    run(link, pace, 1)
    assert pace.bytes_s > 1_000_000


def test_a_round_trip_that_became_longer_is_measured_anew() -> None:
    link, pace = Link(1_000_000, 0.01), LinkPace()
    run(link, pace, 3)
    link.round_trip_s = 0.2
    run(link, pace, 40)
    assert pace.round_trip_s == pytest.approx(0.2, abs=0.02)
    assert pace.bytes_s == pytest.approx(1_000_000, rel=0.3)


def test_a_terminal_that_answers_nothing_is_paced_by_the_clock() -> None:
    link, pace = Link(FIRST_BYTES_S * 2, 0.0, answers=False), LinkPace()
    run(link, pace, 5)
    assert pace.is_silent
    before = link.drained
    queues = run(link, pace, 10)
    assert link.drained - before == pytest.approx(FIRST_BYTES_S * 10, rel=0.1)
    assert max(queues) <= QUEUE_S
    link.answers = True
    pace.answered(link.now_s)  # it was only late
    assert not pace.is_silent


def test_an_answer_that_got_lost_does_not_stop_pictures_for_good() -> None:
    link, pace = Link(125_000, 0.001), LinkPace()
    run(link, pace, 2)
    link.coming.clear()
    pace.written(3_000, link.now_s, is_asked=True)  # its answer never comes
    link.answers = False
    run(link, pace, 4)
    stuck = link.drained
    link.answers = True
    run(link, pace, 8)
    assert link.drained > stuck + 300_000


def test_small_changes_that_went_at_once_do_not_make_a_thin_line_wide() -> None:
    link, pace = Link(125_000, 0.001, credit_bytes=1_400), LinkPace()
    run(link, pace, 1)
    for _ in range(200):
        link.now_s += 0.05
        while link.coming and link.coming[0] <= link.now_s:
            pace.answered(link.coming.popleft())
        pace.written(600, link.now_s, is_asked=True)
        link.write(600, is_asked=True)
    assert pace.bytes_s <= 250_000
    assert max(run(link, pace, 5)) <= 2 * QUEUE_S
