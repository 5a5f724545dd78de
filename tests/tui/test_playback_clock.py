"""The playhead by itself: speeds, directions, edges and gaps, on a clock that tests turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.units import US_PER_HOUR, US_PER_SECOND
from tui.playback_clock import (
    NORMAL,
    SPEEDS,
    AtOldest,
    CaughtUp,
    Lacking,
    PlaybackClock,
    Skipped,
    speed_words,
)
from tui.playback_footage import Footage, Place, merged

NOW_US = 1_772_633_000_000_000
START_US = NOW_US - US_PER_HOUR


def clock_at(time_us: int = START_US, *, oldest_us: int = 0) -> PlaybackClock:
    clock = PlaybackClock()
    clock.oldest_us = oldest_us
    clock.advance(100.0, NOW_US)
    clock.seek(time_us)
    return clock


def footage(*stretches: tuple[int, int], edge_us: int | None = None) -> Footage:
    """Seconds after START_US; known for two hours around it."""
    known = (START_US - 2 * US_PER_HOUR, NOW_US + US_PER_HOUR)
    times = tuple((START_US + a * US_PER_SECOND, START_US + b * US_PER_SECOND) for a, b in stretches)
    return Footage(times, *known, edge_us=edge_us)


def test_there_are_thirteen_speeds_in_powers_of_two() -> None:
    assert len(SPEEDS) == 13
    assert [speed_words(speed) for speed in SPEEDS] == [
        *("1/64x", "1/32x", "1/16x", "1/8x", "1/4x", "1/2x", "1x"),
        *("2x", "4x", "8x", "16x", "32x", "64x"),
    ]


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("index", range(len(SPEEDS)))
def test_at_every_speed_the_playhead_is_where_the_clock_says(index: int, direction: int) -> None:
    clock = clock_at(NOW_US - 20 * US_PER_HOUR)
    clock.change_speed(index - NORMAL)
    clock.play(direction)
    for tenth in range(1, 601):  # a minute, unevenly
        clock.advance(100.0 + tenth / 10 + (0.03 if tenth % 7 == 0 and tenth < 600 else 0), NOW_US)
    moved_us = clock.playhead_us - (NOW_US - 20 * US_PER_HOUR)
    assert moved_us == direction * round(60 * US_PER_SECOND * SPEEDS[index])


def test_a_change_of_speed_or_direction_goes_on_from_where_it_stands() -> None:
    clock = clock_at()
    clock.play(1)
    clock.advance(110.0, NOW_US)
    clock.change_speed(2)
    clock.advance(111.0, NOW_US)
    assert clock.playhead_us == START_US + 14 * US_PER_SECOND
    clock.play(-1)
    clock.advance(112.0, NOW_US)
    assert clock.playhead_us == START_US + 10 * US_PER_SECOND
    clock.reset_speed()
    assert (clock.speed, clock.direction, clock.is_playing) == (1.0, -1, True)


def test_speed_stops_at_both_ends() -> None:
    clock = clock_at()
    clock.change_speed(40)
    assert clock.speed == 64.0
    clock.change_speed(-40)
    assert clock.speed == 1 / 64


def test_pause_rests_and_goes_on_in_the_same_direction() -> None:
    clock = clock_at()
    clock.play(-1)
    clock.advance(101.0, NOW_US)
    clock.toggle()
    clock.advance(150.0, NOW_US)
    assert (clock.playhead_us, clock.velocity) == (START_US - US_PER_SECOND, 0.0)
    clock.toggle()
    clock.advance(151.0, NOW_US)
    assert clock.playhead_us == START_US - 2 * US_PER_SECOND


def test_frames_are_shown_up_to_twice_as_fast_and_at_rest() -> None:
    clock = clock_at()
    clock.change_speed(1)
    clock.play(1)
    assert clock.is_exact
    clock.change_speed(1)
    assert not clock.is_exact
    clock.pause()
    assert clock.is_exact


def test_reaching_now_becomes_live_at_normal_speed() -> None:
    clock = clock_at(NOW_US - 10 * US_PER_SECOND)
    clock.change_speed(4)
    clock.play(1)
    assert isinstance(clock.advance(100.9, NOW_US + 900_000), CaughtUp)
    assert (clock.is_live, clock.speed) == (True, 1.0)
    clock.advance(105.0, NOW_US + 5 * US_PER_SECOND)
    assert clock.playhead_us == NOW_US + 5 * US_PER_SECOND
    clock.change_speed(3)
    assert clock.speed == 1.0


def test_the_edge_is_what_is_on_disk_while_a_camera_records() -> None:
    known = footage((0, 3590), edge_us=NOW_US - 10 * US_PER_SECOND)
    clock = clock_at(NOW_US - 12 * US_PER_SECOND)
    clock.play(1)
    assert clock.advance(101.0, NOW_US, known) is None
    assert isinstance(clock.advance(102.0, NOW_US, known), CaughtUp)


def test_seeking_beyond_now_is_live_and_before_the_oldest_is_the_oldest() -> None:
    clock = clock_at(oldest_us=START_US)
    clock.seek(START_US - 5)
    assert clock.playhead_us == START_US
    clock.seek(NOW_US + 1)
    assert clock.is_live
    clock.seek(START_US + 1)
    assert (clock.is_live, clock.is_playing) == (False, False)


def test_pausing_live_stays_at_that_moment() -> None:
    clock = clock_at()
    clock.go_live()
    clock.advance(101.0, NOW_US + US_PER_SECOND)
    clock.pause()
    clock.advance(109.0, NOW_US + 9 * US_PER_SECOND)
    assert clock.playhead_us == NOW_US + US_PER_SECOND
    assert not clock.is_live


def test_reverse_from_live_leaves_it() -> None:
    clock = clock_at()
    clock.go_live()
    clock.play(-1)
    clock.advance(104.0, NOW_US + 4 * US_PER_SECOND)
    assert clock.playhead_us == NOW_US - 4 * US_PER_SECOND


def test_reverse_rests_at_the_oldest() -> None:
    clock = clock_at(START_US + US_PER_SECOND, oldest_us=START_US)
    clock.play(-1)
    assert isinstance(clock.advance(102.0, NOW_US), AtOldest)
    assert (clock.playhead_us, clock.is_playing) == (START_US, False)


def test_a_gap_is_jumped_over_forwards_and_backwards() -> None:
    known = footage((0, 10), (100, 200))
    clock = clock_at(START_US + 9 * US_PER_SECOND)
    clock.play(1)
    assert clock.advance(100.5, NOW_US, known) is None
    skipped = clock.advance(101.5, NOW_US, known)
    assert skipped == Skipped(START_US + 10_500_000, START_US + 100 * US_PER_SECOND)
    clock.advance(102.5, NOW_US, known)
    assert clock.playhead_us == START_US + 101 * US_PER_SECOND
    clock.play(-1)
    back = clock.advance(105.5, NOW_US, known)
    assert isinstance(back, Skipped)
    assert back.to_us == START_US + 10 * US_PER_SECOND - 1


def test_only_what_no_camera_has_is_a_gap() -> None:
    both = merged([[(0, 10), (20, 30)], [(8, 15), (15, 18)]])
    assert both == ((0, 18), (20, 30))
    known = Footage(both, 0, 40)
    assert [known.place(time) for time in (-1, 0, 17, 18, 20, 30, 40)] == [
        Place.UNKNOWN,
        *(Place.RECORDED, Place.RECORDED, Place.GAP, Place.RECORDED, Place.GAP, Place.UNKNOWN),
    ]


def test_a_gap_without_known_end_waits_to_be_told() -> None:
    known = Footage(
        ((START_US, START_US + US_PER_SECOND),), START_US - US_PER_HOUR, START_US + 60 * US_PER_SECOND
    )
    clock = clock_at()
    clock.play(1)
    lacking = clock.advance(102.0, NOW_US, known)
    assert lacking == Lacking(START_US + 2 * US_PER_SECOND, 1)
    assert clock.advance(109.0, NOW_US, known) is not None
    assert clock.playhead_us < START_US + 10 * US_PER_SECOND
    before_us = clock.playhead_us
    clock.seek(START_US + 40 * US_PER_SECOND)
    assert clock.is_playing
    assert before_us < clock.playhead_us


def test_after_the_last_footage_comes_live() -> None:
    clock = clock_at(START_US + 9 * US_PER_SECOND)
    clock.play(1)
    assert isinstance(clock.advance(102.0, NOW_US, footage((0, 10))), CaughtUp)


def test_before_the_first_footage_it_rests() -> None:
    clock = clock_at(START_US + 5 * US_PER_SECOND, oldest_us=START_US)
    clock.play(-1)
    clock_known = footage((5, 10))
    assert isinstance(clock.advance(101.0, NOW_US, clock_known), AtOldest)


def test_a_step_rests_on_its_frame() -> None:
    clock = clock_at()
    clock.play(1)
    clock.hold(START_US + 40_000)
    clock.advance(130.0, NOW_US)
    assert (clock.playhead_us, clock.is_playing) == (START_US + 40_000, False)


@given(
    st.lists(
        st.sampled_from(["play", "reverse", "pause", "toggle", "faster", "slower", "live", "seek", "wait"]),
        max_size=40,
    ),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 300)), max_size=8),
)
def test_the_playhead_never_leaves_its_bounds(steps: list[str], parts: list[tuple[int, int]]) -> None:
    stretches = merged(
        [[(START_US + a * US_PER_SECOND, START_US + (a + b) * US_PER_SECOND)] for a, b in parts]
    )
    known = Footage(stretches, START_US - US_PER_HOUR, NOW_US + US_PER_HOUR)
    oldest_us = stretches[0][0] if stretches else START_US
    clock = clock_at(START_US + 60 * US_PER_SECOND, oldest_us=oldest_us)
    at_s, now_us = 100.0, NOW_US
    for number, step in enumerate(steps):
        match step:
            case "play" | "reverse":
                clock.play(1 if step == "play" else -1)
            case "pause":
                clock.pause()
            case "toggle":
                clock.toggle()
            case "faster" | "slower":
                clock.change_speed(3 if step == "faster" else -1)
            case "live":
                clock.go_live()
            case "seek":
                clock.seek(START_US + number * 97 * US_PER_SECOND)
            case _:
                at_s, now_us = at_s + 7.3, now_us + 7_300_000
        clock.advance(at_s, now_us, known)
        assert oldest_us <= clock.playhead_us <= now_us
        assert clock.speed in SPEEDS
        assert not clock.is_live or clock.playhead_us == now_us
