"""Playback by Pilot: playing on the engine's clock, speeds, steps, gaps, events, cameras together, ranges, bookmarks, calendar."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from engine import wire
from engine.wire_bookmarks import BookmarkAdd
from storage.errors import NotFound
from storage.units import US_PER_HOUR, US_PER_SECOND
from tests.fakes.engine import FakeEngine, FakeEngineClient
from tests.tui.desk_for import app_for, shows, until
from tests.tui.playback_steps import GAP_START_US, HOUR_US, playback
from tui.commands import Scope
from tui.screens.playback import PlaybackView
from tui.screens.view import View
from widgets.video_cell import VideoCell


async def test_it_plays_on_at_its_speed_and_frames_follow(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await played.press("space")
        await shows(played.pilot, "play 1x")
        await played.pass_s(10)
        assert played.playhead_us == HOUR_US + 10 * US_PER_SECOND
        await until(played.pilot, lambda: played.requests()[-1].at_us == HOUR_US + 10 * US_PER_SECOND)
        await shows(played.pilot, "14:00:10.000")
        await played.press("greater_than_sign", "greater_than_sign", "greater_than_sign")
        await shows(played.pilot, "play 8x")
        await played.pass_s(2)
        assert played.playhead_us == HOUR_US + 26 * US_PER_SECOND
        await until(played.pilot, lambda: played.requests()[-1].at_us == HOUR_US + 26 * US_PER_SECOND)
        assert not played.requests()[-1].exact
        await played.press("space")
        await shows(played.pilot, "paused (8x)")
        await until(played.pilot, lambda: played.requests()[-1].exact)
        await played.press("0", "r")
        await shows(played.pilot, "reverse 1x")
        await played.pass_s(6)
        assert played.playhead_us == HOUR_US + 20 * US_PER_SECOND


async def test_speed_goes_from_a_64th_to_64_times(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await played.press(*["ctrl+down"] * 6)
        await shows(played.pilot, "paused (1/64x)")
        await played.press("less_than_sign")
        await shows(played.pilot, "1/64x is the slowest")
        await played.press("space")
        await played.pass_s(64)
        assert played.playhead_us == HOUR_US + US_PER_SECOND
        await played.press(*["ctrl+up"] * 12)
        await shows(played.pilot, "play 64x")


async def test_playing_into_the_present_becomes_live(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await played.press(*["greater_than_sign"] * 6, "p")
        await played.pass_s(4)
        await shows(played.pilot, " LIVE ", "the end of the recordings: live")
        await until(played.pilot, lambda: played.requests()[-1].at_us is None)
        await played.press("space")
        await shows(played.pilot, "PLAYBACK", "paused")
        await played.press("l")
        await shows(played.pilot, " LIVE ")


async def test_frames_and_keyframes_are_stepped_exactly(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await until(played.pilot, lambda: bool(played.requests()))
        for key, step, time_us in (
            ("full_stop", 1, HOUR_US + 40_000),
            ("shift+right", 1, HOUR_US + 80_000),
            ("comma", -1, HOUR_US + 40_000),
        ):
            await played.press(key)
            await until(played.pilot, lambda time_us=time_us: played.playhead_us == time_us)
            request = next(request for request in reversed(played.requests()) if request.step)
            assert (request.step, request.exact) == (step, True)
        await shows(played.pilot, "14:00:00.040")
        await played.press("right_curly_bracket")
        await until(played.pilot, lambda: any(r.step == 1 and not r.exact for r in played.requests()))


async def test_a_step_while_playing_rests_first(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await until(played.pilot, lambda: bool(played.requests()))
        await played.press("p")
        await played.press("full_stop")
        await shows(played.pilot, "paused")
        assert not played.view.clock.is_playing


async def test_events_are_tags_with_a_legend_and_n_goes_through_them(tmp_path: Path) -> None:
    engine = FakeEngine()
    motion_us = HOUR_US + 30 * US_PER_SECOND
    event = wire.EventView(
        id=900, time_us=motion_us, kind="detection.motion", severity="info", source="driveway", text="cell 4"
    )
    engine.snapshot = msgspec.structs.replace(engine.snapshot, events=(event, *engine.snapshot.events))
    async with playback(tmp_path, engine) as played:
        await shows(played.pilot, "C camera 29", "M motion 1")
        await played.press("n")
        await until(played.pilot, lambda: played.playhead_us == motion_us)
        await shows(played.pilot, "M 14:00:30 motion: cell 4")
        await played.press("N")
        await until(played.pilot, lambda: played.playhead_us < HOUR_US)
        await played.press("f")
        await shows(played.pilot, "Events on the timeline", "C camera", "29 in sight")
        await played.press("a", "a")  # in the order of the list: all, then none, then the first two
        await played.press("home", "down", "space", "enter")
        await until(
            played.pilot,
            lambda: played.view.marks.words == frozenset({"camera"}) or bool(played.view.marks.words),
        )
        await shows(played.pilot, "some types hidden (f)")
        await played.press("escape")
        assert played.view.marks.words is None


async def test_cameras_together_share_the_time_and_one_is_in_front(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await played.press("s")
        await shows(played.pilot, "Play together", "4 are advised")
        await played.press("down", "space", "down", "space", "enter")
        await until(played.pilot, lambda: played.view.cameras == ["driveway", "front-door", "garden"])
        await until(played.pilot, lambda: bool(played.requests("garden")))
        await shows(played.pilot, "driveway of 3")
        assert played.requests("garden")[-1].at_us == HOUR_US
        await played.press("down")
        await shows(played.pilot, "front-door of 3")
        await played.press("enter")
        await until(played.pilot, lambda: sum(cell.display for cell in played.app.query(VideoCell)) == 1)
        await played.press("escape")
        await until(played.pilot, lambda: sum(cell.display for cell in played.app.query(VideoCell)) == 3)
        await played.press("s")
        await until(played.pilot, lambda: played.view.cameras == ["front-door"])


@pytest.mark.parametrize(("count", "words"), [(5, "5 cameras at once"), (17, "17 cameras: 16 at most")])
async def test_more_than_four_are_warned_of_and_more_than_sixteen_refused(
    tmp_path: Path, count: int, words: str
) -> None:
    async with playback(tmp_path, FakeEngine(cameras=20), size=(120, 40)) as played:
        played.view._chosen(tuple(camera.name for camera in played.engine.snapshot.cameras[:count]))
        await shows(played.pilot, words)
        assert len(played.view.cameras) == (5 if count == 5 else 1)


async def test_synchronous_playback_jumps_only_over_what_nobody_has(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        played.view.play_cameras(["driveway", "garden"], "driveway")
        played.view.go_to(GAP_START_US - US_PER_SECOND)
        await played.loaded()
        await played.press("p")
        await played.pass_s(3)
        assert played.playhead_us == GAP_START_US + 2 * US_PER_SECOND
        await shows(played.pilot, "no picture: camera unreachable")


async def test_up_and_down_change_the_camera_and_the_time_stays(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await played.press("left")
        before_us = played.playhead_us
        await played.press("down")
        await shows(played.pilot, "paused  front-door")
        assert played.playhead_us == before_us
        await until(played.pilot, lambda: bool(played.requests("front-door")))


async def test_a_bookmark_is_ten_seconds_from_the_playhead_and_can_be_taken_back(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await played.press("b")
        await shows(played.pilot, "bookmarked 10 s of driveway")
        added = [argument for name, argument in played.engine.calls if name == "add_bookmark"]
        assert added == [BookmarkAdd(camera="driveway", start_us=HOUR_US)]
        await until(played.pilot, lambda: bool(played.view.timeline.marks.bookmarks))
        await shows(played.pilot, "bookmark")
        await played.press("z")
        await until(played.pilot, lambda: not played.view.timeline.marks.bookmarks)


async def test_read_only_refuses_bookmarks_and_locks(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        played.app.desk.is_read_only = True
        await played.press("b")
        await shows(played.pilot, "read-only mode")
        assert not [name for name, _ in played.engine.calls if name == "add_bookmark"]


async def test_the_snapshot_is_of_the_frame_shown(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await until(played.pilot, lambda: bool(played.requests()))
        await until(played.pilot, lambda: played.view.pictures.shown("driveway") is not None)
        played.view.go_to(HOUR_US + 13_000)  # inside the frame that is shown
        await played.press("c")
        await shows(played.pilot, "saved")
        request = played.requests()[-1]
        assert (request.at_us, request.exact, request.format) == (HOUR_US, True, wire.PictureFormat.JPEG)
        assert len(list(tmp_path.glob("driveway-*.jpg"))) == 1


async def test_the_snapshot_of_a_zoomed_picture_is_of_the_part_shown(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await until(played.pilot, lambda: played.view.pictures.shown("driveway") is not None)
        await played.press("i", "i", "A")
        await until(played.pilot, lambda: played.requests()[-1].region == (1250, 2500, 5000, 5000))
        await until(played.pilot, lambda: played.view.pictures.shown("driveway") is not None)
        await played.press("c")
        await shows(played.pilot, "saved")
        request = played.requests()[-1]
        assert request.format is wire.PictureFormat.JPEG
        assert (request.at_us, request.exact) == (HOUR_US, True)
        assert request.region == (1250, 2500, 5000, 5000)


async def test_a_range_is_marked_and_exported(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await played.press("left", "left", "left_square_bracket", "right", "right_square_bracket")
        await shows(played.pilot, "e exports, L locks")
        await played.press("e")
        await shows(played.pilot, "Export driveway", "Made by")
        await played.press("escape")
        await played.press("escape")
        assert played.view.timeline.selection is None


async def test_the_calendar_goes_to_a_day_at_the_same_time(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await played.press("d")
        await shows(played.pilot, "Go to day", "March 2026", "2•")
        await played.press("left", "enter")
        await until(played.pilot, lambda: played.playhead_us == HOUR_US - 24 * US_PER_HOUR)


@pytest.mark.parametrize(("key", "scope"), [("t", Scope.THUMBNAILS), ("k", Scope.MOTION)])
async def test_searches_take_camera_and_time_along(tmp_path: Path, key: str, scope: Scope) -> None:
    async with playback(tmp_path) as played:
        wanted: list[View.Wanted] = []
        original = played.app.show_view

        async def show_view(scope: Scope) -> View | None:
            view = await original(scope)
            if view is not None:
                view.show_target = lambda camera, at_us: wanted.append(
                    View.Wanted(scope, camera=camera, at_us=at_us)
                )  # type: ignore[method-assign]
            return view

        played.app.show_view = show_view  # type: ignore[method-assign]
        await played.press(key)
        await until(played.pilot, lambda: bool(wanted))
        assert (wanted[0].scope, wanted[0].camera, wanted[0].at_us) == (scope, "driveway", HOUR_US)


async def test_it_is_reached_from_recordings_with_camera_and_time(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "span 6 h")
        await pilot.press("down", "left", "p")
        await shows(pilot, "PLAYBACK", "paused  front-door")
        view = app.screen_stack[0].query_one(PlaybackView)
        assert HOUR_US - US_PER_HOUR < view.clock.playhead_us < HOUR_US


async def test_another_view_stops_the_pictures_and_pauses(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await played.press("p")
        await played.pass_s(3)
        await played.press("1")
        await shows(played.pilot, "5 of 8")
        asked = len(played.requests())
        played.engine.clock.advance(30 * US_PER_SECOND)
        await played.pilot.pause(0.3)
        assert len(played.requests()) == asked
        await played.press("8")
        await shows(played.pilot, "14:00:03", "paused")


async def test_an_error_of_the_engine_stands_in_the_cell(tmp_path: Path) -> None:
    engine = FakeEngine()

    class Blind(FakeEngineClient):
        async def picture(self, request: wire.PictureRequest) -> wire.PictureReply:
            self._called("picture", request)
            raise NotFound("the segment cannot be read", "look at volume bay-1")

    engine.client = lambda: Blind(engine)  # type: ignore[method-assign]
    async with playback(tmp_path, engine) as played:
        await shows(played.pilot, "no picture: the segment cannot be read")
        asked = len(played.requests())
        await played.pilot.pause(0.6)
        assert len(played.requests()) == asked  # not again while nothing has changed
        await played.press("R")  # asked to ask again: once, with keys heard meanwhile
        await until(played.pilot, lambda: len(played.requests()) == asked + 1)
        await played.press("left")
        await shows(played.pilot, "no picture: the segment cannot be read")


async def test_without_graphics_the_timeline_still_works(tmp_path: Path) -> None:
    async with playback(tmp_path, graphics="none") as played:
        await shows(played.pilot, "pictures are switched off")
        await played.press("left")
        assert played.playhead_us < HOUR_US
        assert not played.requests()


async def test_a_removed_camera_leaves_the_screen(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await played.engine.client().remove_camera("driveway")
        await shows(played.pilot, "paused  front-door")


@pytest.mark.parametrize(("glyphs", "codec"), [("cp437", "cp437"), ("ascii", "ascii")])
async def test_small_terminals_get_only_characters_they_have(tmp_path: Path, glyphs: str, codec: str) -> None:
    async with playback(tmp_path, graphics="ascii", glyphs=glyphs, colors=16) as played:
        text = await shows(played.pilot, "14:00:00.000", "activity", "C camera")
        assert text.encode(codec)


async def test_a_part_of_the_picture_is_enlarged_and_moved(tmp_path: Path) -> None:
    async with playback(tmp_path) as played:
        await until(played.pilot, lambda: bool(played.requests()))
        await played.press("A")
        await shows(played.pilot, "the whole picture is shown")
        await played.press("i", "i")
        await until(played.pilot, lambda: played.requests()[-1].region == (2500, 2500, 5000, 5000))
        await shows(played.pilot, "driveway 2.0x")
        await played.press("A", "W", "W", "W")
        await until(played.pilot, lambda: played.requests()[-1].region == (1250, 0, 5000, 5000))
        await played.press("full_stop")
        await until(played.pilot, lambda: played.requests()[-1].step == 1)
        assert played.requests()[-1].region == (1250, 0, 5000, 5000)
        await played.press("o", "o")
        await until(played.pilot, lambda: played.requests()[-1].region is None)


async def test_the_smallest_terminal_has_a_picture_and_says_where_there_is_no_room(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=(40, 12)) as pilot:
        await shows(pilot, "14:03:20")
        await pilot.press("8")
        text = await shows(pilot, "▀▀▀▀▀▀▀▀", " events")
        assert sum("▀▀▀▀▀" in line for line in text.splitlines()) >= 2
        assert " bookmarks" not in text
        await pilot.press("s")  # all eight of them
        await shows(pilot, "Play together")
        await pilot.press("a", "enter")
        text = await shows(pilot, "too  too")
        assert "fetching" not in text
    async with app_for(FakeEngine(), tmp_path).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("8")
        await shows(pilot, " activity", " events", " bookmarks")
