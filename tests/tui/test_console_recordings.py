"""Recordings by Pilot: opening position, spans, moving, jump, gaps, range, lock, export with progress and cancel."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from engine import wire
from storage.units import US_PER_HOUR, US_PER_SECOND
from tests.fakes.engine import SCRIPT_NOW_US, FakeEngine
from tests.fakes.scripted_station import scripted_timeline
from tests.tui.desk_for import app_for, screen_text, shows, until
from tui.app import WatchdeckApp
from tui.picture_feed import FETCHING
from tui.screens.recordings import RecordingsView
from widgets.timeline import SPANS_US, Timeline
from widgets.video_cell import VideoCell

SIZE = (80, 24)
HOUR_US = SCRIPT_NOW_US - (3 * 60 + 20) * US_PER_SECOND


def called(engine: FakeEngine, name: str) -> list[object]:
    return [argument for what, argument in engine.calls if what == name]


def timeline_of(app: WatchdeckApp) -> Timeline:
    return app.screen_stack[0].query_one(Timeline)


async def test_it_opens_at_the_start_of_the_hour_with_six_hours(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "2026-03-04 14:00:00 UTC", "driveway", "recorded", "span 6 h")
        assert timeline_of(app).playhead_us == HOUR_US


async def test_at_exactly_the_full_hour_it_opens_there(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.clock.step(-(3 * 60 + 20) * US_PER_SECOND)
    engine.tick()
    engine.clock.step(-US_PER_SECOND)
    station = engine.snapshot.station
    engine = FakeEngine(clock=engine.clock)
    assert engine.snapshot.station.now_us == station.now_us - US_PER_SECOND == HOUR_US
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "2026-03-04 14:00:00 UTC")


async def test_a_station_of_this_hour_opens_at_the_live_edge(tmp_path: Path) -> None:
    engine = FakeEngine()
    cameras = tuple(
        msgspec.structs.replace(camera, oldest_us=HOUR_US + 1) for camera in engine.snapshot.cameras
    )
    engine.snapshot = msgspec.structs.replace(engine.snapshot, cameras=cameras)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "LIVE", "span 6 h")
        assert timeline_of(app).is_following


async def test_plus_and_minus_go_through_the_eight_spans(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "span 6 h")
        seen = []
        await pilot.press(*["minus"] * 8)
        for _ in range(9):
            seen.append(timeline_of(app).span_us)
            await pilot.press("plus")
        assert seen == [*SPANS_US, SPANS_US[-1]]
        await shows(pilot, "span 1 min")


async def test_the_playhead_moves_by_key_and_never_into_the_future(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "span 6 h")
        timeline = timeline_of(app)
        await pilot.press("h", "left")
        assert timeline.playhead_us < HOUR_US
        await pilot.press("shift+left")
        assert timeline.playhead_us < HOUR_US - 6 * US_PER_HOUR
        await pilot.press("shift+right", "shift+right", "shift+right")
        assert timeline.playhead_us == app.desk.mirror.now_us


@pytest.mark.parametrize(
    ("typed", "shown"), [("-3h", "2026-03-04 11:03:20 UTC"), ("9:15", "2026-03-04 09:15:00 UTC")]
)
async def test_a_jump_goes_to_the_time_typed(tmp_path: Path, typed: str, shown: str) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "span 6 h")
        await pilot.press("J")
        await shows(pilot, "Jump to time")
        await pilot.press(*"sometime", "enter")
        await shows(pilot, "not a time: 'sometime'")
        await pilot.press("end", *["backspace"] * 8, *typed, "enter")
        await shows(pilot, shown)


async def test_the_command_line_jumps_too_and_refuses_the_future(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("colon", *"jump 13:30", "enter")
        await shows(pilot, "2026-03-04 13:30:00 UTC")
        await pilot.press("colon", *"jump 23:30", "enter")
        await shows(pilot, "that is in the future", "13:30:00 UTC")


async def test_n_goes_from_gap_to_gap_also_beyond_what_is_loaded(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    camera = engine.snapshot.cameras[0]
    row = scripted_timeline([camera], HOUR_US - 40 * US_PER_HOUR, HOUR_US, SCRIPT_NOW_US, []).rows[0]
    starts = [start for start, _, _ in row.gaps][::-1]
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "recorded  span 6 h")
        timeline = timeline_of(app)
        for start in starts[:5]:
            await pilot.press("N")
            await until(pilot, lambda start=start: timeline.playhead_us == start)  # type: ignore[misc]
        await shows(pilot, "gap of 20 min")
        await pilot.press("n")
        await until(pilot, lambda: timeline.playhead_us == starts[3])
        await pilot.press("end", "n")
        await shows(pilot, "no later gap of driveway")


async def test_home_and_end_go_to_the_oldest_and_newest_recording(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "recorded  span 6 h")
        await pilot.press("home")
        await shows(pilot, "2026-02-20 14:03:20 UTC", "recorded")
        await pilot.press("end")
        await shows(pilot, "2026-03-04 14:03:17 UTC", "recorded")


async def test_g_follows_the_present(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "span 6 h")
        await pilot.press("g")
        await shows(pilot, "LIVE")
        before_us = timeline_of(app).playhead_us
        engine.tick()
        await until(pilot, lambda: timeline_of(app).playhead_us > before_us)
        await pilot.press("left")
        await until(pilot, lambda: "LIVE" not in screen_text(app))


async def test_the_picture_under_the_playhead_is_asked_for_once_the_hand_rests(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await until(pilot, lambda: bool(called(engine, "picture")))
        engine.calls.clear()
        await pilot.press(*["left"] * 12)
        playhead_us = timeline_of(app).playhead_us

        def asked_at() -> list[int | None]:
            requests = called(engine, "picture")
            return [request.at_us for request in requests if isinstance(request, wire.PictureRequest)]

        await until(pilot, lambda: playhead_us in asked_at())
        assert asked_at()[-1] == playhead_us
        assert len(asked_at()) < 12


async def test_words_about_another_time_go_as_soon_as_the_playhead_moves(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        cell = app.screen_stack[0].query_one(RecordingsView).query_one(VideoCell)
        await until(pilot, lambda: cell.picture is not None)
        for key in ("left", "g"):
            cell.clear("nothing recorded at that time")
            await pilot.press(key)
            assert cell.reason in (FETCHING, "")


async def mark_a_range(pilot: object, app: WatchdeckApp) -> None:
    await shows(pilot, "recorded  span 6 h")  # type: ignore[arg-type]
    await pilot.press("h", "h", "left_square_bracket", "l", "l", "right_square_bracket")  # type: ignore[attr-defined]
    await shows(pilot, "Range of", "L locks, x exports")  # type: ignore[arg-type]


async def test_a_range_is_locked_with_a_reason_and_unlocked_after_a_question(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await mark_a_range(pilot, app)
        chosen = timeline_of(app).selection
        assert chosen is not None
        await pilot.press("L")
        await shows(pilot, "Lock recordings of driveway")
        await pilot.press(*"window broken", "enter")
        await shows(pilot, "locked driveway")
        lock = called(engine, "add_lock")[0]
        assert isinstance(lock, wire.LockAdd)
        assert (lock.start_us, lock.end_us, lock.reason) == (*chosen, "window broken")
        await pilot.press("h")
        await shows(pilot, "locked here (u unlocks)")
        await pilot.press("u")
        await shows(pilot, "Unlock these recordings?", "Reason given: window broken")
        await pilot.press("enter")
        await until(pilot, lambda: "Unlock these" not in screen_text(app))
        assert engine.locks
        await pilot.press("u")
        await shows(pilot, "Unlock these recordings?")
        await pilot.press("y")
        await shows(pilot, "unlocked driveway")
        assert not engine.locks


async def test_a_lock_can_be_undone(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await mark_a_range(pilot, app)
        await pilot.press("colon", *"lock evidence", "enter")
        await shows(pilot, "locked driveway")
        await pilot.press("z")
        await shows(pilot, "undone: lock of driveway")
        assert not engine.locks


async def export_here(pilot: Pilot[object]) -> None:
    """As an MP4 in this console's folder."""
    await pilot.press("x")
    await shows(pilot, "Made by", "< the engine >")
    await pilot.press("enter", "enter", "right", "f10")


async def test_without_a_range_lock_and_export_say_how_to_make_one(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "recorded  span 6 h")
        for key in ("x", "L"):
            await pilot.press(key)
            await shows(pilot, "no range: go to its start, press [")
            await pilot.press("escape")


async def test_an_export_shows_its_plan_its_progress_and_where_it_is(tmp_path: Path) -> None:
    gate = asyncio.Event()
    engine = FakeEngine(export_gate=gate)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await mark_a_range(pilot, app)
        await export_here(pilot)
        await shows(pilot, "Export this range?", "4.00 MB", "free there")
        await pilot.press("y")
        await shows(pilot, "Exporting driveway")
        gate.set()
        await shows(pilot, "Saved", "done")
        await pilot.press("enter")
        await shows(pilot, "saved")
    files = list(tmp_path.iterdir())
    assert [file.suffix for file in files] == [".mp4"]
    assert files[0].stat().st_size == 4_000_000


async def test_a_cancelled_export_leaves_no_file(tmp_path: Path) -> None:
    engine = FakeEngine(export_gate=asyncio.Event())
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await mark_a_range(pilot, app)
        await export_here(pilot)
        await shows(pilot, "Export this range?")
        await pilot.press("y")
        await until(pilot, lambda: bool(list(tmp_path.iterdir())))
        await pilot.press("escape")
        await shows(pilot, "export cancelled; no file was left")
        await until(pilot, lambda: not list(tmp_path.iterdir()))


async def test_enter_on_the_export_question_does_not_start_it(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await mark_a_range(pilot, app)
        await export_here(pilot)
        await shows(pilot, "Export this range?")
        await pilot.press("enter")
        await shows(pilot, "< this console >")
        await pilot.press("escape")
        await until(pilot, lambda: "Made by" not in screen_text(app))
    assert called(engine, "export") == []


async def test_128_cameras_scroll_and_only_what_is_near_is_fetched(tmp_path: Path) -> None:
    engine = FakeEngine(cameras=128)
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "119 of 125")
        await pilot.press("3")
        await shows(pilot, "recorded  span 6 h")
        await pilot.press(*["pagedown"] * 12)
        await shows(pilot, "cam-121", "recorded")
        asked = [names for names, _, _ in called(engine, "timeline")]  # type: ignore[misc]
        assert max(map(len, asked)) <= 60


async def test_a_filter_narrows_the_rows(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "server-room")
        await pilot.press("slash", *"gar", "enter")
        await until(pilot, lambda: "server-room" not in screen_text(app))
        await shows(pilot, "/gar", "garden", "garage")
        await pilot.press("escape")
        await shows(pilot, "server-room")


async def test_a_bookmark_is_made_from_the_playhead_the_live_edge_or_the_range(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "recorded  span 6 h")
        here_us = timeline_of(app).playhead_us
        await pilot.press("b")
        await shows(pilot, "bookmarked driveway")
        await pilot.press("g", "colon", *"bookmark recording white van", "enter")
        await until(pilot, lambda: len(engine.footage.bookmarks) == 2)
        await pilot.press("left")
        await mark_a_range(pilot, app)
        chosen = timeline_of(app).selection
        await pilot.press("b")
        await until(pilot, lambda: len(engine.footage.bookmarks) == 3)
    made = [(each.start_us, each.end_us) for each in engine.footage.bookmarks]
    now_us = SCRIPT_NOW_US
    assert made == [(here_us, here_us + 10 * US_PER_SECOND), (now_us - 10 * US_PER_SECOND, now_us), chosen]
    assert engine.footage.bookmarks[1].name == "white van"


@pytest.mark.parametrize(("key", "words"), [("t", "Thumbnails"), ("B", "Bookmarks")])
async def test_the_searches_open_for_the_camera_and_time_in_hand(
    tmp_path: Path, key: str, words: str
) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("3")
        await shows(pilot, "recorded  span 6 h")
        await pilot.press("down", "down", key)
        await shows(pilot, words, "garden")
        if key == "t":
            await shows(pilot, "13:10:00 to 14:03:20")  # 14:00 less 50 min, and up to now
