"""The wall-time rule: where runs begin, how far a line may bend, when a camera's clock is not believed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.recording.wall_time import DRIFT_LIMIT_US, MAX_RATE, MIN_RATE, SLEW_LIMIT, WallTime

S = 1_000_000
HZ = 90_000
OFFSET_US = 1_767_225_600 * S
SEGMENT_US = 120 * S


def fed(
    wall: WallTime,
    seconds: float,
    *,
    fps: float = 25,
    clock_rate: float = 1.0,
    start_us: int = 0,
    ticks: int = 0,
) -> tuple[int, int]:
    """Steady pictures; returns the time and media time behind the last."""
    count = round(seconds * fps)
    for number in range(count):
        wall.observe(ticks + round(number * HZ / fps * clock_rate), start_us + round(number * S / fps))
    return start_us + round(count * S / fps), ticks + round(count * HZ / fps * clock_rate)


def test_a_run_begins_when_its_first_picture_arrives() -> None:
    wall = WallTime(HZ)
    fed(wall, 1, start_us=5 * S, ticks=777)
    assert wall.begin(777, OFFSET_US) == OFFSET_US + 5 * S


def test_a_run_that_begins_with_a_pre_buffer_begins_that_much_earlier() -> None:
    wall = WallTime(HZ)
    for number in range(126):
        wall.observe(number * 3600, 9 * S)
    assert wall.begin(0, OFFSET_US) == OFFSET_US + 4 * S


def test_a_slow_first_picture_does_not_set_the_run_late() -> None:
    wall = WallTime(HZ)
    wall.observe(0, 1 * S)  # 0.8 s late
    for number in range(1, 25):
        wall.observe(number * 3600, 200_000 + max(number * 40_000, 800_000))
    assert wall.begin(0, OFFSET_US) == OFFSET_US + 200_000


def test_a_start_just_before_the_end_of_what_is_recorded_is_moved_there() -> None:
    wall = WallTime(HZ)
    wall.observe(0, 0)
    assert wall.begin(0, OFFSET_US, not_before_us=OFFSET_US + S) == OFFSET_US + S


def test_a_start_long_before_the_end_of_what_is_recorded_stays_true() -> None:
    wall = WallTime(HZ)
    wall.observe(0, 0)
    assert wall.begin(0, OFFSET_US, not_before_us=OFFSET_US + 3 * S) == OFFSET_US


def test_a_burst_in_the_middle_of_a_run_changes_nothing() -> None:
    wall = WallTime(HZ)
    now_us, ticks = fed(wall, 30)
    wall.begin(0, OFFSET_US)
    now_us += 4 * S  # the network stands still for 4 s, then everything comes at once
    for _ in range(100):
        wall.observe(ticks, now_us)
        ticks += 3600
    assert not wall.drifted(OFFSET_US)
    fed(wall, 30, start_us=now_us, ticks=ticks)
    assert not wall.drifted(OFFSET_US)
    assert abs(wall.error_us(OFFSET_US)) < 50_000


def test_a_pre_buffer_that_comes_slowly_does_not_end_the_run() -> None:
    wall = WallTime(HZ)
    now_us = ticks = 0
    for number in range(25 * 5):  # 5 s of video within 3 s
        wall.observe(ticks, now_us)
        ticks += 3600
        now_us += 24_000
        if number == 40:
            wall.begin(0, OFFSET_US)
    for _ in range(600):
        now_us, ticks = fed(wall, 1, start_us=now_us, ticks=ticks)
        assert not wall.drifted(OFFSET_US)


def test_a_rate_that_is_not_what_the_camera_says_is_noticed_and_measured() -> None:
    wall = WallTime(HZ)
    fed(wall, 1, fps=21, clock_rate=21 / 25)
    wall.begin(0, OFFSET_US)
    now_us, ticks = S, round(HZ * 21 / 25)
    for _ in range(60):
        now_us, ticks = fed(wall, 1, fps=21, clock_rate=21 / 25, start_us=now_us, ticks=ticks)
        if wall.drifted(OFFSET_US):
            break
    assert 10 * S < now_us < 30 * S
    assert abs(wall.measured_rate() - 25 / 21) < 0.001


def test_with_the_measured_rate_the_next_run_holds() -> None:
    wall = WallTime(HZ, 25 / 21)
    now_us, ticks = fed(wall, 1, fps=21, clock_rate=21 / 25)
    wall.begin(0, OFFSET_US)
    for _ in range(3600):
        now_us, ticks = fed(wall, 1, fps=21, clock_rate=21 / 25, start_us=now_us, ticks=ticks)
        assert not wall.drifted(OFFSET_US)


def test_a_clock_a_little_wrong_is_slewed_for_ever() -> None:
    wall = WallTime(HZ)
    now_us, ticks = fed(wall, 1, fps=5, clock_rate=1.0004)
    wall.begin(0, OFFSET_US)
    for _ in range(60):
        now_us, ticks = fed(wall, 120, fps=5, clock_rate=1.0004, start_us=now_us, ticks=ticks)
        assert not wall.drifted(OFFSET_US)
        wall.end_segment(ticks, OFFSET_US, SEGMENT_US)
    assert abs(wall.at(ticks) - (OFFSET_US + now_us)) < 200_000


def test_the_wall_clock_being_moved_gently_is_followed() -> None:
    wall = WallTime(HZ)
    now_us, ticks = fed(wall, 60, fps=5)
    wall.begin(0, OFFSET_US)
    offset_us = OFFSET_US + 300_000
    for _ in range(10):
        now_us, ticks = fed(wall, 120, fps=5, start_us=now_us, ticks=ticks)
        wall.end_segment(ticks, offset_us, SEGMENT_US)
    assert abs(wall.at(ticks) - (offset_us + now_us)) < 1_000


@given(
    st.lists(
        st.tuples(st.integers(1, 5 * HZ), st.integers(0, 10 * S), st.booleans()), min_size=2, max_size=200
    ),
    st.sampled_from([1.0, 0.84, 25 / 21, 4.0]),
)
def test_segments_join_exactly_never_run_backwards_and_bend_at_most_500_ppm(
    steps: list[tuple[int, int, bool]], rate: float
) -> None:
    wall = WallTime(HZ, rate)
    ticks = now_us = 0
    wall.observe(ticks, now_us)
    last_us = wall.begin(ticks, OFFSET_US)
    last_ticks = ticks
    for advance_ticks, advance_us, is_cut in steps:
        ticks += advance_ticks
        now_us += advance_us
        wall.observe(ticks, now_us)
        end_us = wall.at(ticks)
        if is_cut:
            assert wall.end_segment(ticks, OFFSET_US, SEGMENT_US) == end_us
            assert wall.at(ticks) == end_us
            expected_us = (ticks - last_ticks) * S / HZ * rate
            assert abs(end_us - last_us - expected_us) <= expected_us * SLEW_LIMIT + 2
            assert end_us >= last_us
            last_us, last_ticks = end_us, ticks
        assert MIN_RATE <= wall.measured_rate() <= MAX_RATE


@given(st.lists(st.integers(0, 1_500_000), min_size=300, max_size=600))
def test_delays_of_the_network_never_look_like_drift(delays_us: list[int]) -> None:
    wall = WallTime(HZ)
    now_us = 0
    for number, delay_us in enumerate(delays_us):
        now_us = max(now_us, number * 200_000 + delay_us)
        wall.observe(number * HZ // 5, now_us)
        if number == 5:
            wall.begin(0, OFFSET_US)
        if number > 5:
            assert not wall.drifted(OFFSET_US)
            assert abs(wall.error_us(OFFSET_US)) < DRIFT_LIMIT_US
