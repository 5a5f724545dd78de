"""Activity, events, bookmarks and hits above the bars: what each cell shows, in every glyph set."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.widgets.gallery import Gallery, lines_of
from widgets.format import HOUR_US, MINUTE_US, SECOND_US
from widgets.glyphs import ASCII, CP437, UNICODE, Glyphs
from widgets.playback_timeline import PlaybackTimeline
from widgets.timeline import TimelineTrack
from widgets.timeline_marks import Tag, TagCell, TimelineMarks, covered_cells, level_cells, tag_cells

BERLIN = ZoneInfo("Europe/Berlin")
NOW_US = 1_783_857_600_000_000
START_US = NOW_US - HOUR_US


def marks(**more: object) -> TimelineMarks:
    activity = tuple(min(number * 2, 100) if number % 10 else -1 for number in range(60))
    tags = (
        Tag(START_US + 10 * MINUTE_US, START_US + 10 * MINUTE_US + 10 * SECOND_US, "M", "motion"),
        Tag(START_US + 30 * MINUTE_US, START_US + 30 * MINUTE_US + 10 * SECOND_US, "X", "analytics"),
    )
    fields: dict[str, object] = {
        "activity": activity,
        "activity_start_us": START_US,
        "activity_end_us": NOW_US,
        "tags": tags,
        "bookmarks": ((START_US + 40 * MINUTE_US, START_US + 40 * MINUTE_US + 10 * SECOND_US),),
    }
    return TimelineMarks(**{**fields, **more})  # type: ignore[arg-type]


async def shown(given_marks: TimelineMarks, glyphs: Glyphs = UNICODE) -> list[str]:
    timeline = PlaybackTimeline(zone=BERLIN)
    async with Gallery(timeline, glyphs=glyphs).run_test(size=(75, 8)) as pilot:
        timeline.set_tracks([TimelineTrack("a", "front", recorded=((START_US, NOW_US),))], NOW_US)
        timeline.show(START_US, HOUR_US)
        timeline.set_marks(given_marks)
        await pilot.pause()
        return lines_of(timeline, range(6))


async def test_each_row_has_its_name_and_its_signs() -> None:
    _, _, activity, events, bookmarks, bar = await shown(marks())
    assert activity.startswith(" activity")
    assert activity[15 + 59] == "█"
    assert activity[15 + 1] == "▁"
    assert (events.index("M") - 15, events.index("X") - 15) == (10, 30)
    assert bookmarks.index("▼") - 15 == 40
    assert "front" in bar


@pytest.mark.parametrize("glyphs", [CP437, ASCII])
async def test_small_glyph_sets_stay_inside_their_characters(glyphs: Glyphs) -> None:
    hits = ((START_US + 20 * MINUTE_US, START_US + 22 * MINUTE_US),)
    rows = await shown(marks(hits=hits), glyphs)
    text = "".join(rows)
    assert text.encode("cp437" if glyphs is CP437 else "ascii")
    assert rows[2][15 + 20 : 15 + 22] == glyphs.mark * 2


def test_a_cell_shows_the_highest_of_its_bins_and_minus_one_where_nothing_is() -> None:
    given_marks = marks(activity=(0, 90, 10, -1, -1, 40), activity_end_us=START_US + 6 * MINUTE_US)
    assert level_cells(given_marks, START_US, START_US + 8 * MINUTE_US, 4) == [90, 10, 40, -1]


def test_fewer_bins_than_cells_fill_all_their_cells() -> None:
    given_marks = marks(activity=(5, -1), activity_end_us=START_US + 2 * MINUTE_US)
    assert level_cells(given_marks, START_US, START_US + 2 * MINUTE_US, 6) == [5, 5, 5, -1, -1, -1]


def test_an_event_is_ten_seconds_long_and_at_least_a_cell() -> None:
    tag = Tag(START_US, START_US + 10 * SECOND_US, "M", "motion")
    close = tag_cells([tag], START_US, START_US + 20 * SECOND_US, 4)
    assert close == [TagCell("M", "motion", True), TagCell("M", "motion", False), None, None]
    assert tag_cells([tag], START_US, START_US + HOUR_US, 4) == [
        TagCell("M", "motion", True),
        *[None] * 3,
    ]


def test_events_of_several_kinds_in_a_cell_are_a_plus_and_trouble_shows_through() -> None:
    tags = [
        Tag(START_US, START_US + 1, "M", "motion"),
        Tag(START_US + 1, START_US + 2, "M", "motion"),
        Tag(START_US + MINUTE_US, START_US + MINUTE_US + 1, "T", "trouble"),
        Tag(START_US + MINUTE_US + 5, START_US + MINUTE_US + 6, "M", "motion"),
    ]
    assert tag_cells(tags, START_US, START_US + 2 * MINUTE_US, 2) == [
        TagCell("M", "motion", True),
        TagCell("+", "trouble", True),
    ]


def test_an_event_that_began_before_the_view_still_shows_its_length() -> None:
    tag = Tag(START_US - 5 * SECOND_US, START_US + 5 * SECOND_US, "M", "motion")
    assert tag_cells([tag], START_US, START_US + 10 * SECOND_US, 2) == [TagCell("M", "motion", False), None]


@given(
    st.lists(st.tuples(st.integers(-100, 100), st.integers(0, 50)), max_size=12),
    st.integers(1, 80),
    st.integers(1, 200),
)
def test_whatever_touches_the_view_takes_a_cell(
    stretches: list[tuple[int, int]], span_s: int, cells: int
) -> None:
    times = [(START_US + a * SECOND_US, START_US + (a + length) * SECOND_US) for a, length in stretches]
    end_us = START_US + span_s * SECOND_US
    covered = covered_cells(times, START_US, end_us, cells)
    assert len(covered) == cells
    is_touched = any(start < end_us and max(end, start + 1) > START_US for start, end in times)
    assert any(covered) is is_touched


async def test_playing_past_the_edge_turns_the_view_and_keeps_most_ahead() -> None:
    timeline = PlaybackTimeline(zone=BERLIN)
    async with Gallery(timeline).run_test(size=(75, 8)) as pilot:
        timeline.set_tracks([TimelineTrack("a", "front")], NOW_US)
        timeline.show(START_US - 5 * HOUR_US, HOUR_US)
        end_us = timeline.end_us
        timeline.play_to(end_us, 1)
        await pilot.pause()
        assert timeline.start_us == end_us - HOUR_US // 8
        timeline.play_to(timeline.start_us - 1, -1)
        assert timeline.end_us - timeline.playhead_us == HOUR_US // 8
