"""Which moments a thumbnail search shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.engine import SCRIPT_NOW_US
from tui.clip import Clip
from tui.thumbnail_plan import (
    HOUR_US,
    LEAST_INTERVAL_US,
    MINUTE_US,
    SECOND_US,
    SPAN_US,
    STEPS_US,
    ThumbnailPlan,
    cause_of,
    deeper,
    first_recorded,
    fitting_interval_us,
    opening_stretch,
    plan_of,
)

NOW_US = SCRIPT_NOW_US


def test_it_opens_an_hour_before_now_and_nothing_of_it_lies_in_the_future() -> None:
    assert opening_stretch(NOW_US) == (NOW_US - HOUR_US, NOW_US)


def test_around_an_old_time_it_is_100_minutes_with_the_time_in_the_middle() -> None:
    at_us = NOW_US - 24 * HOUR_US
    start_us, end_us = opening_stretch(NOW_US, at_us)
    assert end_us - start_us == SPAN_US
    assert (start_us + end_us) // 2 == at_us


def test_around_a_time_just_now_it_is_clipped_to_now() -> None:
    at_us = NOW_US - 10 * MINUTE_US
    assert opening_stretch(NOW_US, at_us) == (at_us - SPAN_US // 2, NOW_US)


@given(st.integers(1, 40 * 24 * HOUR_US), st.integers(1, 48))
def test_the_whole_span_fits_on_the_page_with_the_shortest_round_interval(span_us: int, cells: int) -> None:
    interval_us = fitting_interval_us(span_us, cells)
    assert ThumbnailPlan(0, span_us, interval_us).count <= cells
    shorter = [step for step in STEPS_US if step < interval_us]
    if interval_us in STEPS_US and shorter:
        assert ThumbnailPlan(0, span_us, shorter[-1]).count > cells or shorter[-1] < LEAST_INTERVAL_US


@given(st.integers(1, 10**12), st.integers(LEAST_INTERVAL_US, 10**11))
def test_slots_cover_the_span_without_gap_or_overlap(span_us: int, interval_us: int) -> None:
    plan = ThumbnailPlan(5, 5 + span_us, interval_us)
    last = plan.count - 1
    assert plan.slot(0)[0] == 5
    assert plan.slot(last)[1] == 5 + span_us
    assert plan.slot(last)[0] < plan.slot(last)[1]
    if last:
        assert plan.slot(0)[1] == plan.slot(1)[0]
    for index in (0, last):
        assert plan.index_at(plan.slot(index)[0]) == index


@given(st.integers(MINUTE_US, 10 * 24 * HOUR_US), st.integers(1, 48))
def test_more_snapshots_lead_down_to_single_frames_in_a_few_steps(span_us: int, cells: int) -> None:
    plan, steps = plan_of(0, span_us, cells), 0
    while (below := deeper(plan, 0, cells)) is not None:
        assert below.span_us <= plan.span_us
        assert below.is_by_frame or below.interval_us < plan.interval_us
        plan, steps = below, steps + 1
        assert steps < 40
    assert plan.is_by_frame


def test_moments_closer_than_keyframes_may_be_are_exact() -> None:
    assert not ThumbnailPlan(0, HOUR_US, 5 * SECOND_US).is_exact
    assert ThumbnailPlan(0, HOUR_US, 3 * SECOND_US).is_exact


def test_the_stretch_after_ends_now_at_the_latest() -> None:
    plan = plan_of(NOW_US - HOUR_US, NOW_US - MINUTE_US, 12)
    later = plan.moved(1, NOW_US)
    assert (later.end_us, later.span_us) == (NOW_US, plan.span_us)
    assert later.moved(1, NOW_US) == later
    assert plan.moved(-1, NOW_US).end_us == plan.start_us


def test_intervals_go_in_round_steps_and_stop_at_the_ends() -> None:
    plan = ThumbnailPlan(0, HOUR_US, 7 * SECOND_US)
    assert plan.stepped(1).interval_us == 10 * SECOND_US
    assert plan.stepped(-1).interval_us == 5 * SECOND_US
    assert ThumbnailPlan(0, HOUR_US, HOUR_US).stepped(1).interval_us == HOUR_US
    assert ThumbnailPlan(0, MINUTE_US, LEAST_INTERVAL_US).stepped(-1).interval_us == LEAST_INTERVAL_US


@pytest.mark.parametrize(
    ("stretch", "found"),
    [((0, 10), None), ((0, 25), 20), ((22, 24), 22), ((30, 40), None), ((29, 60), 29), ((90, 95), None)],
)
def test_a_slot_is_shown_by_its_first_recorded_moment(stretch: tuple[int, int], found: int | None) -> None:
    assert first_recorded(((20, 30), (50, 60)), *stretch) == found


def test_a_slot_without_footage_tells_the_cause_that_covers_most_of_it() -> None:
    gaps = ((0, 10, "engine_stopped"), (10, 100, "camera_refused"))
    assert cause_of(gaps, 5, 40) == "camera_refused"
    assert cause_of(gaps, 0, 12) == "engine_stopped"
    assert cause_of(gaps, 100, 110) == ""


def test_an_export_is_grown_around_the_clip_and_never_beyond_now() -> None:
    clip = Clip("gate", NOW_US - 600 * SECOND_US, NOW_US - 590 * SECOND_US)
    grown = clip.around(120 * SECOND_US, NOW_US)
    assert grown.end_us - grown.start_us == 120 * SECOND_US
    assert grown.start_us < clip.start_us < clip.end_us < grown.end_us
    late = Clip("gate", NOW_US - 10 * SECOND_US, NOW_US).around(120 * SECOND_US, NOW_US)
    assert (late.start_us, late.end_us) == (NOW_US - 120 * SECOND_US, NOW_US)
    long = Clip("gate", 0, 300 * SECOND_US)
    assert long.around(120 * SECOND_US, NOW_US) == long
