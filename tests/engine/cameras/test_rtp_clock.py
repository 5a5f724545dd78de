"""Media time from RTP timestamps, arrival and sender reports."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cameras.delivery import Delivery
from engine.cameras.rtp_clock import RtpClock, SessionZero, SoundAlignment
from storage.segments.packet import Codec, Track
from tests.rtsp.recording_sink import RecordingSink

VIDEO = Track(codec=Codec.H264, time_base_hz=90_000, parameter_sets=(b"s", b"p"), width=1, height=1)
AUDIO = Track(codec=Codec.PCMU, time_base_hz=8000, sample_rate_hz=8000, channels=1)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 400_000), max_size=200))
def test_timestamps_are_unwrapped(start: int, steps: list[int]) -> None:
    clock = RtpClock(90_000, SessionZero())
    timestamp, now_us = start, 5_000_000
    base = clock.ticks(start, now_us)
    total = 0
    for step in steps:
        total += step
        timestamp = (timestamp + step) & 0xFFFF_FFFF
        now_us += step * 100 // 9
        assert clock.ticks(timestamp, now_us) == base + total
    assert not clock.has_jumped


def test_a_day_of_frames_wraps_without_a_jump() -> None:
    clock = RtpClock(90_000, SessionZero())
    for second in range(0, 86_400, 4):
        assert clock.ticks(second * 90_000 & 0xFFFF_FFFF, second * 1_000_000) == second * 90_000
    assert not clock.has_jumped


def test_b_frames_go_back_a_little() -> None:
    clock = RtpClock(90_000, SessionZero())
    assert [clock.ticks(t, 0) for t in (0, 10_800, 3600, 7200)] == [0, 10_800, 3600, 7200]
    assert not clock.has_jumped


@pytest.mark.parametrize("leap", [20 * 90_000, -3 * 90_000, 0x4000_0000])
def test_leap_goes_on_by_arrival_and_is_marked(leap: int) -> None:
    clock = RtpClock(90_000, SessionZero())
    clock.ticks(1_000_000, 0)
    assert clock.ticks(1_000_000 + leap & 0xFFFF_FFFF, 40_000) == 3600
    assert clock.has_jumped


def test_a_clock_that_stands_still_is_replaced_by_arrival_until_it_runs_again() -> None:
    clock = RtpClock(90_000, SessionZero())
    ticks = [clock.ticks(7, at * 40_000) for at in range(100)]
    assert clock.has_jumped
    clock.has_jumped = False
    assert ticks[25] == 0
    assert ticks[26:] == [at * 3600 for at in range(26, 100)]
    assert clock.ticks(7 + 3600, 100 * 40_000) == ticks[-1] + 3600
    assert clock.ticks(7 + 7200, 101 * 40_000) == ticks[-1] + 7200
    assert not clock.has_jumped


def test_two_fields_of_a_picture_may_share_a_timestamp() -> None:
    clock = RtpClock(90_000, SessionZero())
    for at in range(500):
        assert clock.ticks(at * 3600, at * 40_000) == at * 3600
        assert clock.ticks(at * 3600, at * 40_000 + 5_000) == at * 3600


def test_burst_after_a_pause_is_no_leap() -> None:
    clock = RtpClock(90_000, SessionZero())
    clock.ticks(0, 0)
    for at in range(1, 100):
        clock.ticks(at * 3600, 1000)
    assert not clock.has_jumped


def test_streams_start_from_the_play_reply_when_it_is_believable() -> None:
    zero = SessionZero()
    clock = RtpClock(90_000, zero)
    clock.first_timestamp = 1000
    assert clock.ticks(4600, 77_000_000) == 3600
    unbelievable = RtpClock(90_000, zero)
    unbelievable.first_timestamp = 1000
    assert unbelievable.ticks(1000 + 90_000 * 3600, 78_000_000) == 90_000


def test_streams_without_a_start_are_aligned_by_arrival() -> None:
    zero = SessionZero()
    video, audio = RtpClock(90_000, zero), RtpClock(8000, zero)
    assert video.ticks(123, 1_000_000) == 0
    assert audio.ticks(999, 1_500_000) == 4000


def aligned(video_ntp_s: float, audio_ntp_s: float) -> int:
    """Where sound whose reports say so much lies, of a packet that arrived with the picture's."""
    zero = SessionZero()
    video, audio = RtpClock(90_000, zero), RtpClock(8000, zero)
    alignment = SoundAlignment(video, audio)
    video.ticks(0, 0)
    audio.ticks(0, 0)
    alignment.video_report(int((1000 + video_ntp_s) * 2**32), 0)
    alignment.audio_report(int((1000 + audio_ntp_s) * 2**32), 0)
    alignment.audio_report(int((1000 + audio_ntp_s + 3) * 2**32), 0)
    return audio.ticks(160, 20_000) - 160


@pytest.mark.parametrize(("difference", "expected"), [(0.5, 4000), (-0.25, -2000), (0.01, 0), (30.0, 0)])
def test_sender_reports_align_the_sound_once(difference: float, expected: int) -> None:
    assert aligned(0.0, difference) == expected


def test_reports_without_a_clock_are_no_information() -> None:
    assert aligned(-1000.0, 0.5) == 0


def make() -> tuple[RecordingSink, Delivery, RtpClock]:
    sink, zero = RecordingSink(), SessionZero()
    delivery = Delivery(sink, RtpClock(90_000, zero))
    audio_clock = RtpClock(8000, zero)
    delivery.add_audio(AUDIO, audio_clock)
    delivery.video_format(VIDEO)
    return sink, delivery, audio_clock


def test_sound_waits_for_the_first_keyframe() -> None:
    sink, delivery, _ = make()
    delivery.audio(b"a", 0, 0)
    delivery.video(b"p", 0, False, 0)
    delivery.video(b"k", 3600, True, 40_000)
    delivery.audio(b"b", 320, 40_000)
    assert [(p.track, p.data) for p in sink.packets] == [(0, b"k"), (1, b"b")]
    assert sink.tracks == [(VIDEO, AUDIO)]


def test_sound_goes_on_while_the_picture_waits_for_a_keyframe() -> None:
    sink, delivery, _ = make()
    delivery.video(b"k", 0, True, 0)
    delivery.video_lost("gone")
    delivery.video_lost("again")
    delivery.audio(b"a", 0, 0)
    delivery.video(b"p", 3600, False, 0)
    assert [p.data for p in sink.packets] == [b"k", b"a"]
    assert sink.losses == ["gone"]


def test_leap_is_marked_on_the_next_keyframe() -> None:
    sink, delivery, _ = make()
    delivery.video(b"k", 0, True, 0)
    delivery.video(b"p", 90_000 * 100, False, 40_000)
    delivery.video(b"k", 90_000 * 100 + 3600, True, 80_000)
    delivery.video(b"p", 90_000 * 100 + 7200, False, 120_000)
    assert [p.is_discontinuity for p in sink.packets] == [False, False, True, False]
    assert [p.pts_ticks for p in sink.packets] == [0, 3600, 7200, 10_800]


def test_sound_moved_back_by_a_correction_does_not_overlap() -> None:
    sink, delivery, clock = make()
    delivery.video(b"k", 0, True, 0)
    delivery.audio(b"a", 0, 0)
    delivery.audio(b"b", 160, 20_000)
    clock.shift(-160)
    delivery.audio(b"c", 320, 40_000)
    delivery.audio(b"d", 480, 60_000)
    assert [p.data for p in sink.audio] == [b"a", b"b", b"d"]
