"""The pure parts of playback: which picture is due, signs of events, words, days of the calendar."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from engine.wire_pictures import PictureFormat, PictureReply
from storage.units import US_PER_SECOND
from tui.event_signs import EVENT_TYPES, OTHER, event_type
from tui.picture_wish import Wish
from tui.picture_zoom import Zoom
from tui.playback_clock import PlaybackClock, Skipped
from tui.playback_wishes import (
    FRESH_EVERY_S,
    LATEST_S,
    SOONEST_S,
    Shown,
    is_due,
    pause_s,
    shown_of,
    step_wish,
    wish_of,
)
from tui.screens.playback_calendar import days_with, same_time_on
from tui.screens.playback_text import events_legend, happening_words, local_moment
from widgets.timeline_marks import TONES

BERLIN = ZoneInfo("Europe/Berlin")
NOW_US = 1_772_633_000_000_000
OLD_US = NOW_US - 3600 * US_PER_SECOND


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * US_PER_SECOND


def clock_at(time_us: int, *, steps: int = 0, direction: int = 0) -> PlaybackClock:
    clock = PlaybackClock()
    clock.advance(0.0, NOW_US)
    clock.seek(time_us)
    clock.change_speed(steps)
    if direction:
        clock.play(direction)
    return clock


def shown(**more: object) -> Shown:
    fields: dict[str, object] = {
        "asked_us": OLD_US,
        "asked_at_s": 0.0,
        "time_us": OLD_US,
        "until_us": OLD_US + 40_000,
        "is_exact": True,
    }
    return Shown(**{**fields, **more})  # type: ignore[arg-type]


def due(of: Shown | None, clock: PlaybackClock, at_s: float = 0.0) -> bool:
    return is_due(of, clock, at_s, NOW_US)


def test_a_picture_is_due_when_the_playhead_leaves_it_either_way() -> None:
    assert due(None, clock_at(OLD_US))
    assert not due(shown(), clock_at(OLD_US + 39_999))
    assert due(shown(), clock_at(OLD_US + 40_000))
    assert due(shown(), clock_at(OLD_US - 1))


def test_at_rest_a_keyframe_is_replaced_by_the_frame() -> None:
    keyframe = shown(is_exact=False, until_us=OLD_US + US_PER_SECOND)
    assert due(keyframe, clock_at(OLD_US + 5))
    assert not due(keyframe, clock_at(OLD_US + 5, steps=3, direction=1))
    assert not due(shown(is_missing=True, is_exact=False), clock_at(OLD_US))


def test_an_error_is_tried_again_half_a_second_of_footage_away() -> None:
    missing = shown(is_missing=True)
    assert not due(missing, clock_at(OLD_US + 499_999), at_s=99.0)
    assert due(missing, clock_at(OLD_US + 500_000))
    assert due(missing, clock_at(OLD_US - 500_000))


def test_the_last_frame_on_disk_is_asked_for_again_while_more_may_come() -> None:
    last = shown(asked_us=NOW_US - 5, time_us=NOW_US - 50_000, until_us=None)
    assert not due(last, clock_at(NOW_US - 5), at_s=FRESH_EVERY_S / 2)
    assert due(last, clock_at(NOW_US - 5), at_s=FRESH_EVERY_S)
    assert not due(shown(until_us=None), clock_at(OLD_US), at_s=FRESH_EVERY_S)


def test_a_live_cell_looks_after_itself() -> None:
    clock = clock_at(OLD_US)
    clock.go_live()
    assert due(shown(), clock)
    assert not due(shown(asked_us=None), clock, at_s=100.0)
    assert wish_of("yard", clock) == Wish("yard")


def test_it_waits_until_the_next_picture_begins() -> None:
    assert pause_s(shown(), clock_at(OLD_US, direction=1)) == pytest.approx(0.04)
    assert pause_s(shown(), clock_at(OLD_US, steps=-2, direction=1)) == pytest.approx(0.16)
    assert pause_s(shown(), clock_at(OLD_US + 39_999, direction=1)) == SOONEST_S
    assert pause_s(shown(), clock_at(OLD_US + 39_999, direction=-1)) == pytest.approx(0.04)
    assert pause_s(shown(), clock_at(OLD_US)) == LATEST_S


def test_a_step_goes_from_the_frame_shown_and_rests_on_what_came() -> None:
    wish = step_wish("yard", shown(), OLD_US + 12_345, 1, is_keyframe=False)
    assert wish == Wish("yard", OLD_US, is_exact=True, step=1)
    assert step_wish("yard", None, OLD_US + 5, -1, is_keyframe=False).at_us == OLD_US + 5
    reply = PictureReply(
        camera="yard",
        time_us=OLD_US + 40_000,
        until_us=OLD_US + 80_000,
        format=PictureFormat.JPEG,
        width_px=1,
        height_px=1,
    )
    assert shown_of(wish, reply, 1.0).covers(OLD_US + 40_000)
    keyframe = shown_of(Wish("yard", OLD_US, step=1), reply, 1.0)
    assert keyframe.covers(OLD_US + 40_000)
    assert keyframe.is_exact
    assert not keyframe.covers(OLD_US + 79_999)


def test_a_zoomed_camera_asks_for_its_part() -> None:
    assert wish_of("yard", clock_at(OLD_US), Zoom(2.0)).region == (2500, 2500, 5000, 5000)


# -- events ----------------------------------------------------------------------------------------------


def test_signs_and_words_of_event_types_are_unique() -> None:
    types = [*EVENT_TYPES, OTHER]
    assert len({each.sign for each in types}) == len({each.word for each in types}) == len(types)
    assert all(len(each.sign) == 1 and each.sign.isascii() and each.tone in TONES for each in types)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("detection.motion", "motion"),
        ("detection.motion.region", "motion"),
        ("detection.zone", "zone"),
        ("detection.restricted_zone", "restricted zone"),
        ("camera.lost", "camera"),
        ("camera", "camera"),
        ("cameraman", "other"),
        ("external.virtual", "other"),
    ],
)
def test_a_type_takes_all_kinds_below_it(kind: str, word: str) -> None:
    assert event_type(kind).word == word


def test_the_legend_fits_and_counts_what_it_leaves_out() -> None:
    types = [(each, 7) for each in EVENT_TYPES]
    for width in range(30, 140):
        words = events_legend(
            types, span_us=US_PER_SECOND * 3600, is_filtered=False, bookmark_sign="v", trouble="", width=width
        ).plain
        assert len(words) <= max(width, len(" span 1 h  v bookmark  +26 types"))
        assert words.endswith(" types")


def test_a_short_gap_is_jumped_over_without_a_word() -> None:
    assert happening_words(Skipped(0, US_PER_SECOND), "camera unreachable") == ""
    long = happening_words(Skipped(0, 90 * US_PER_SECOND), "camera unreachable")
    assert long == "jumped over 1 min 30 s without recordings (camera unreachable)"


# -- days ------------------------------------------------------------------------------------------------


def test_days_are_local_right_across_a_clock_change() -> None:
    stretches = [
        (us("2026-03-28T22:59:59+00:00"), us("2026-03-28T23:00:00+00:00")),  # the 28th, to its last second
        (us("2026-03-29T22:30:00+00:00"), us("2026-03-29T22:31:00+00:00")),  # 00:30 CEST of the 30th
        (us("2026-04-02T10:00:00+00:00"), us("2026-04-04T10:00:00+00:00")),
        (us("2026-04-06T10:00:00+00:00"), us("2026-04-06T10:00:00+00:00")),  # nothing
    ]
    assert days_with(stretches, BERLIN) == {
        date(2026, 3, 28),
        date(2026, 3, 30),
        *(date(2026, 4, day) for day in (2, 3, 4)),
    }


def test_a_day_is_gone_to_at_the_same_time_of_day() -> None:
    winter_us = us("2026-03-20T08:00:00+01:00")
    assert same_time_on(date(2026, 7, 1), winter_us, BERLIN) == us("2026-07-01T08:00:00+02:00")


def test_the_moment_names_milliseconds_and_zone() -> None:
    moment_us = us("2026-07-12T14:03:07+02:00") + 40_999
    assert local_moment(moment_us, BERLIN) == "2026-07-12 14:03:07.040 CEST"
