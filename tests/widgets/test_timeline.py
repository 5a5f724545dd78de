"""The timeline as an operator meets it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from tests.widgets.gallery import Gallery, lines_of
from widgets.format import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from widgets.glyphs import ASCII, CP437, Glyphs
from widgets.timeline import SPANS_US, GapKind, GapMark, Timeline, TimelineTrack

BERLIN = ZoneInfo("Europe/Berlin")
NOW_US = 1_783_857_600_000_000  # 2026-07-12 12:00 UTC, 14:00 CEST


def tracks(number: int = 2) -> list[TimelineTrack]:
    first = TimelineTrack(
        "front",
        "front door",
        recorded=((NOW_US - 30 * HOUR_US, NOW_US - 30 * MINUTE_US), (NOW_US - 20 * MINUTE_US, NOW_US)),
        gaps=(GapMark(NOW_US - 30 * MINUTE_US, NOW_US - 20 * MINUTE_US, GapKind.CAMERA, "not reachable"),),
        locks=((NOW_US - 50 * MINUTE_US, NOW_US - 40 * MINUTE_US),),
    )
    return [first, *(TimelineTrack(f"cam{index}", f"camera {index}") for index in range(1, number))]


class Heard(Gallery):
    """Keeps what the timeline says."""

    def on_timeline_window_changed(self, event: Timeline.WindowChanged) -> None:
        self.heard.append(("window", event.start_us, event.end_us, event.keys))

    def on_timeline_playhead_moved(self, event: Timeline.PlayheadMoved) -> None:
        self.heard.append(("playhead", event.time_us, event.key))

    def on_timeline_selection_changed(self, event: Timeline.SelectionChanged) -> None:
        self.heard.append(("selection", event.selection))


async def test_an_hour_with_a_gap_and_a_lock_is_drawn_with_letters() -> None:
    timeline = Timeline(zone=BERLIN)
    async with Heard(timeline).run_test(size=(80, 6)) as pilot:
        timeline.set_tracks(tracks(), NOW_US)
        await pilot.pause()
        date, ruler, front, other = lines_of(timeline, range(4))
        assert date.startswith("2026-07-12")
        assert "13:20      13:30" in date
        assert date.endswith("14:00:00")
        assert ruler.startswith("CEST ")
        assert "█═══════" in front
        assert "▌C░░░" in front
        assert front.startswith("►front door ")
        assert other.split() == ["camera", "1", "│"]


@pytest.mark.parametrize("glyphs", [CP437, ASCII])
async def test_small_glyph_sets_stay_inside_their_characters(glyphs: Glyphs) -> None:
    timeline = Timeline(zone=BERLIN)
    async with Heard(timeline, glyphs=glyphs).run_test(size=(80, 6)) as pilot:
        timeline.set_tracks(tracks(), NOW_US)
        timeline.move_cells(-10)
        timeline.start_selection()
        timeline.move_cells(-10)
        timeline.end_selection()
        timeline.move_cells(-3)
        await pilot.pause()
        text = "".join(lines_of(timeline, range(6)))
        text.encode("ascii" if glyphs is ASCII else "cp437")
        assert "C" in text
        assert "[" in text
        assert "]" in text


async def test_the_view_follows_the_live_edge_until_the_operator_moves() -> None:
    timeline = Timeline(zone=BERLIN)
    async with Heard(timeline).run_test(size=(80, 6)) as pilot:
        timeline.set_tracks(tracks(), NOW_US)
        timeline.set_now(NOW_US + 10 * MINUTE_US)
        assert timeline.playhead_us == NOW_US + 10 * MINUTE_US
        assert timeline.start_us < timeline.playhead_us < timeline.end_us
        timeline.move_us(-HOUR_US)
        timeline.set_now(NOW_US + 20 * MINUTE_US)
        assert timeline.playhead_us == NOW_US + 10 * MINUTE_US - HOUR_US
        assert not timeline.is_following
        timeline.follow()
        assert timeline.playhead_us == NOW_US + 20 * MINUTE_US
        await pilot.pause()


async def test_moving_never_passes_the_live_edge_and_takes_the_view_along() -> None:
    timeline = Timeline(zone=BERLIN)
    async with Heard(timeline).run_test(size=(80, 6)):
        timeline.set_tracks(tracks(), NOW_US)
        timeline.move_us(DAY_US)
        assert timeline.playhead_us == NOW_US
        timeline.page(-3)
        assert timeline.playhead_us == NOW_US - 3 * HOUR_US
        assert timeline.start_us <= timeline.playhead_us < timeline.end_us


async def test_zooming_walks_the_eight_spans_and_keeps_the_playhead_in_place() -> None:
    timeline = Timeline(zone=BERLIN)
    async with Heard(timeline).run_test(size=(80, 6)):
        timeline.set_tracks(tracks(), NOW_US)
        timeline.go_to(NOW_US - 30 * MINUTE_US)
        share = (timeline.playhead_us - timeline.start_us) / timeline.span_us
        seen = []
        timeline.zoom(-20)
        for _ in range(10):
            seen.append(timeline.span_us)
            timeline.zoom(1)
            assert (timeline.playhead_us - timeline.start_us) / timeline.span_us == pytest.approx(
                share, abs=0.001
            )
        assert tuple(dict.fromkeys(seen)) == SPANS_US


async def test_edges_are_visited_in_order() -> None:
    timeline = Timeline(zone=BERLIN)
    async with Heard(timeline).run_test(size=(80, 6)):
        timeline.set_tracks(tracks(), NOW_US)
        timeline.next_edge(-1)
        assert timeline.playhead_us == NOW_US - 20 * MINUTE_US
        timeline.next_edge(-1)
        assert timeline.playhead_us == NOW_US - 30 * MINUTE_US
        gap = timeline.gap_at_playhead()
        assert gap is not None
        assert gap.label == "not reachable"
        assert not timeline.is_recorded_at_playhead()
        timeline.next_edge(1)
        assert timeline.is_recorded_at_playhead()


async def test_a_range_grows_with_the_playhead_and_is_let_go() -> None:
    timeline = Timeline(zone=BERLIN)
    app = Heard(timeline)
    async with app.run_test(size=(80, 6)) as pilot:
        timeline.set_tracks(tracks(), NOW_US)
        timeline.go_to(NOW_US - 10 * MINUTE_US)
        timeline.start_selection()
        timeline.move_us(-5 * MINUTE_US)
        assert timeline.selection == (NOW_US - 15 * MINUTE_US, NOW_US - 10 * MINUTE_US)
        timeline.end_selection()
        timeline.move_us(-5 * MINUTE_US)
        assert timeline.selection == (NOW_US - 15 * MINUTE_US, NOW_US - 10 * MINUTE_US)
        timeline.clear_selection()
        await pilot.pause()
        assert app.heard[-1] == ("selection", None) or ("selection", None) in app.heard


async def test_the_screen_is_asked_for_what_came_into_view_and_only_once() -> None:
    timeline = Timeline(zone=BERLIN)
    app = Heard(timeline)
    async with app.run_test(size=(80, 6)) as pilot:
        timeline.set_tracks(tracks(20), NOW_US)
        await pilot.pause()
        windows = [each for each in app.heard if each[0] == "window"]  # type: ignore[index]
        assert len(windows) == 1
        timeline.set_tracks(tracks(20), NOW_US + SECOND_US)
        timeline.move_row(10)
        await pilot.pause()
        newest = [each for each in app.heard if each[0] == "window"][-1]  # type: ignore[index]
        assert "cam10" in newest[3]  # type: ignore[index]


async def test_rows_scroll_and_the_cursor_stays_on_its_camera_when_rows_change() -> None:
    timeline = Timeline(zone=BERLIN)
    async with Heard(timeline).run_test(size=(80, 6)) as pilot:
        timeline.set_tracks(tracks(20), NOW_US)
        timeline.move_row(7)
        assert timeline.track is not None
        assert timeline.track.key == "cam7"
        assert "cam7" in timeline.visible_keys
        timeline.set_tracks([TimelineTrack("new", "new"), *tracks(20)], NOW_US)
        assert timeline.track is not None
        assert timeline.track.key == "cam7"
        await pilot.pause()
        assert "6-9/21" in timeline.render_line(1).text
        timeline.set_tracks([], NOW_US)
        assert timeline.track is None
        await pilot.pause()


async def test_what_is_not_fetched_yet_is_not_shown_as_nothing() -> None:
    timeline = Timeline(zone=BERLIN)
    async with Heard(timeline).run_test(size=(80, 6)) as pilot:
        timeline.set_tracks(tracks(), NOW_US, loaded=(NOW_US - 20 * MINUTE_US, NOW_US))
        await pilot.pause()
        assert "…" in timeline.render_line(3).text


async def test_a_click_looks_at_the_time_and_row_clicked() -> None:
    timeline = Timeline(zone=BERLIN)
    async with Heard(timeline).run_test(size=(80, 6)) as pilot:
        timeline.set_tracks(tracks(), NOW_US)
        await pilot.click(Timeline, offset=(15, 3))
        assert timeline.row == 1
        assert timeline.playhead_us == timeline.start_us
