"""Thumbnail search, as an operator uses it: rows TH-01 to TH-07, HK-23, Q-15."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from engine import wire
from engine.wire_bookmarks import BookmarkAdd
from engine.wire_evidence import CaseItemAdd, ExportAsk, ExportRange
from storage.errors import NotFound
from tests.fakes.engine import FRAME_US, SCRIPT_NOW_US, FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tui.app import WatchdeckApp
from tui.commands import Scope
from tui.screens.clip_player import ClipPlayer
from tui.screens.picture_grid import PictureGrid
from tui.screens.thumbnails import ThumbnailsView
from tui.thumbnail_plan import HOUR_US, MINUTE_US, SECOND_US

SIZE = (80, 24)


def called(engine: FakeEngine, name: str) -> list[object]:
    return [argument for each, argument in engine.calls if each == name]


def pictures(engine: FakeEngine) -> list[wire.PictureRequest]:
    return [each for each in called(engine, "picture") if isinstance(each, wire.PictureRequest)]


def view_of(app: WatchdeckApp) -> ThumbnailsView:
    return app.screen_stack[0].query_one(ThumbnailsView)


def cursor(app: WatchdeckApp) -> int:
    return view_of(app).query_one(PictureGrid).cursor


async def opened(pilot: Pilot[object], camera: str = "driveway") -> None:
    await shows(pilot, "5 of 8")
    await pilot.press("colon", *f"search thumbnails {camera}", "enter")
    await shows(pilot, "Thumbnails", camera)
    await settled(pilot)


async def settled(pilot: Pilot[object]) -> None:
    """No picture is on its way."""
    await pilot.pause(0.2)
    await until(pilot, lambda: "..." not in screen_text(pilot.app))


async def test_the_last_hour_stands_on_one_page_with_local_times(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await shows(pilot, "13:03:20 to 14:03:20, every 5 min", "13:03:20", "13:58:20")
        asked = {request.at_us for request in pictures(engine)}
        assert min(asked) == SCRIPT_NOW_US - HOUR_US  # type: ignore[type-var]
        assert max(asked) < SCRIPT_NOW_US  # type: ignore[type-var,operator]
        assert all(request.is_rough and not request.exact for request in pictures(engine))


async def test_where_nothing_is_recorded_the_cause_stands_on_grey(tmp_path: Path) -> None:
    engine = FakeEngine()
    row = wire.TimelineRow(
        camera="driveway",
        recorded=((SCRIPT_NOW_US - HOUR_US, SCRIPT_NOW_US - 30 * MINUTE_US),),
        gaps=((SCRIPT_NOW_US - 30 * MINUTE_US, SCRIPT_NOW_US - 8 * MINUTE_US, "volume_full"),),
        locks=(),
        oldest_us=0,
    )
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        view_of(app)._row = row
        view_of(app)._show_items()
        await shows(pilot, "no picture: volume", "no picture: nothing")
        grey = [cell for cell in view_of(app).grid._cells if cell._is_fault and cell.visible]
        assert [cell.reason for cell in grey] == ["volume full"] * 5 + ["nothing recorded"]
        await pilot.press("end", "enter")
        await shows(pilot, "nothing is recorded there")


async def test_arrows_select_and_pages_scroll_with_a_shorter_interval(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("right", "down")
        assert cursor(app) == 5
        await pilot.press("plus", "plus", "plus", "plus")
        await shows(pilot, "every 1 min", "page 3 of 5")
        assert cursor(app) == 25  # 13:28:20 still
        shown_us = SCRIPT_NOW_US - HOUR_US + 36 * MINUTE_US
        last_us = shown_us + 11 * MINUTE_US
        await until(pilot, lambda: last_us in {request.at_us for request in pictures(engine)})
        engine.calls.clear()
        await pilot.press("pagedown")
        await shows(pilot, "page 4 of 5")
        await settled(pilot)
        # the page was there already, fetched ahead; what is asked for now is the one after it
        assert all(
            request.at_us and request.at_us >= shown_us + 12 * MINUTE_US for request in pictures(engine)
        )
        await pilot.press("minus")
        await shows(pilot, "every 2 min")


async def test_pages_scrolled_away_are_not_asked_for(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press(*["plus"] * 9)
        await shows(pilot, "every 5 s", "of 60")
        await settled(pilot)
        engine.calls.clear()
        await pilot.press(*["pagedown"] * 30)
        await settled(pilot)
        assert 0 < len(pictures(engine)) < 12 * 15


async def test_more_snapshots_lead_to_single_frames_and_esc_up_again(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("right", "m")
        await shows(pilot, "13:08:20 to 13:13:20, every 30 s", "level 2")
        await pilot.press("right", "right", "m")
        await shows(pilot, "13:09:20 to 13:09:50, every 3 s", "level 3")
        await settled(pilot)
        assert pictures(engine)[-1].exact
        await pilot.press("right", "m")
        await shows(pilot, "13:09:23 to 13:09:26, every frame", "level 4", "13:09:23.040")
        await pilot.press("end")
        await until(pilot, lambda: cursor(app) >= 12)
        for _ in range(10):
            await pilot.press("end")
            await pilot.pause(0.05)
        await shows(pilot, "13:09:25.960", "page 7 of 7 ")
        assert cursor(app) == 3 * SECOND_US // FRAME_US - 1
        await pilot.press("m")
        await shows(pilot, "these are single frames")
        await pilot.press("escape")
        await shows(pilot, "every 3 s", "level 3")
        assert cursor(app) == 1
        await pilot.press("backspace", "backspace")
        await shows(pilot, "every 5 min")
        assert cursor(app) == 1
        await pilot.press("backspace")
        await shows(pilot, "this is the whole stretch")


class _Time:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


async def test_enter_plays_exact_frames_and_goes_on_with_the_next_clip(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        player, clock = view_of(app).query_one(ClipPlayer), _Time()
        player._monotonic = clock
        engine.calls.clear()
        await pilot.press("enter")
        await shows(pilot, "playing", "0.0 of 10.0 s", "2026-03-04 13:03:20.0")
        clock.now_s += 4.0
        await shows(pilot, "4.0 of 10.0 s", "13:03:24.0")
        assert all(request.exact for request in pictures(engine))
        clock.now_s += 6.1
        await shows(pilot, "13:08:20.0", "2 of 12")
        await pilot.press("right")
        await shows(pilot, "3 of 12")
        await pilot.press("left", "left")
        await shows(pilot, "1 of 12")
        await pilot.press("left")
        await shows(pilot, "that was the first clip")
        await pilot.press("escape")
        await shows(pilot, "every 5 min")
        assert not player.is_open
        assert view_of(app).grid.has_focus


async def test_a_clip_is_held_and_slid_through_frame_by_frame(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        player, clock = view_of(app).query_one(ClipPlayer), _Time()
        player._monotonic = clock
        await pilot.press("enter")
        await shows(pilot, "playing", "13:03:20.0")
        clock.now_s += 2.0
        await shows(pilot, "2.0 of 10.0 s")
        await pilot.press("space")
        await shows(pilot, "paused")
        clock.now_s += 60.0
        held_us = player.at_us
        for _ in range(3):
            before_us = player.at_us
            await pilot.press("full_stop")
            await until(pilot, lambda: player.at_us == before_us + FRAME_US)  # noqa: B023
        await pilot.press("comma")
        await until(pilot, lambda: player.at_us == held_us + 2 * FRAME_US)
        await pilot.press("space")
        await shows(pilot, "playing")
        assert player.at_us == held_us + 2 * FRAME_US


async def test_a_clip_whose_video_is_gone_says_why_and_time_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        player, clock = view_of(app).query_one(ClipPlayer), _Time()
        player._monotonic = clock

        async def gone(request: wire.PictureRequest) -> wire.PictureReply:
            raise NotFound("nothing is recorded then", "look elsewhere")

        monkeypatch.setattr(app.desk.client, "picture", gone)
        await pilot.press("enter")
        await shows(pilot, "nothing is recorded then")
        clock.now_s += 10.0
        await shows(pilot, "2 of 12")


async def test_the_form_sets_stretch_interval_and_clip(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("f")
        await shows(pilot, "Thumbnails of driveway", "A picture every", "5m")
        await pilot.press("ctrl+u", *"2026-03-04 12:00", "enter", "ctrl+u", *"12:30", "enter")
        await pilot.press("enter", "ctrl+u", *"nothing", "enter")
        await shows(pilot, "a length like")
        await pilot.press("ctrl+u", *"20s", "enter")
        await shows(pilot, "12:00:00 to 12:30:00, every 3 min", "clips 20s")
        await settled(pilot)
        await pilot.press("b")
        await shows(pilot, "bookmarked")
        (added,) = called(engine, "add_bookmark")
        assert isinstance(added, BookmarkAdd)
        assert added.end_us is not None
        assert added.end_us - added.start_us == 20 * SECOND_US


async def test_another_time_is_gone_to_and_the_future_is_not(tmp_path: Path) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("d")
        await shows(pilot, "Thumbnails around")
        await pilot.press(*"yesterday 12:00", "enter")
        await shows(pilot, "2026-03-03 11:10:00 to 12:50:00", "03-03")
        await pilot.press("colon", *"thumbnails at today 23:30", "enter")
        await shows(pilot, "that is in the future")
        await pilot.press("less_than_sign")
        await shows(pilot, "09:30:00 to 11:10:00")
        await pilot.press("g")
        await shows(pilot, "13:03:20 to 14:03:20")
        await pilot.press("greater_than_sign")
        await shows(pilot, "later ones do not exist yet")


async def test_the_clip_goes_to_a_case_an_export_and_playback(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("C")
        await shows(pilot, "New case")
        await pilot.press(*"back door", "f10")
        await shows(pilot, "added to case back door")
        (argument,) = called(engine, "add_case_item")
        assert isinstance(argument, tuple)
        assert argument[1] == CaseItemAdd(
            camera="driveway",
            start_us=SCRIPT_NOW_US - HOUR_US,
            end_us=SCRIPT_NOW_US - HOUR_US + 10 * SECOND_US,
        )
        await pilot.press("C")
        await shows(pilot, "Add to which case?", "back door", "1 clip", "a new case")
        await pilot.press("escape", "e")
        await shows(pilot, "Export driveway", "2026-03-04 13:03:20", "2026-03-04 13:03:30")
        await pilot.press("f10")
        await shows(pilot, "Export this?")
        (ask,) = called(engine, "plan_export_job")
        assert isinstance(ask, ExportAsk)
        assert ask.ranges == (
            ExportRange(
                camera="driveway",
                start_us=SCRIPT_NOW_US - HOUR_US,
                end_us=SCRIPT_NOW_US - HOUR_US + 10 * SECOND_US,
            ),
        )
        await pilot.press("escape", "escape", "p")
        await until(pilot, lambda: app.front is Scope.PLAYBACK)
        await shows(pilot, "PLAYBACK")


async def test_a_bookmark_is_taken_back_with_z_and_refused_when_read_only(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("colon", *"bookmark thumbnail white van", "enter")
        await shows(pilot, "bookmarked driveway 13:03:20, 10 s")
        assert [each.name for each in engine.footage.bookmarks] == ["white van"]
        await pilot.press("z")
        await shows(pilot, "undone: bookmark of driveway")
        assert engine.footage.bookmarks == []
        await pilot.press("f12", "b")
        await shows(pilot, "read-only mode: nothing is changed")
        assert engine.footage.bookmarks == []


async def test_another_camera_keeps_the_stretch(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("less_than_sign", "O")
        await shows(pilot, "Thumbnails of which camera?")
        await pilot.press("3")
        await shows(pilot, "garden", "12:03:20 to 13:03:20")
        await pilot.press("colon", *"search thumbnails nowhere", "enter")
        await shows(pilot, "no camera is called 'nowhere'")


async def test_a_station_without_cameras_says_so(tmp_path: Path) -> None:
    app = app_for(FakeEngine(cameras=0), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.desk.mirror.is_live)
        await app.action_show("thumbnails")
        await shows(pilot, "no camera yet")
        await pilot.press("enter", "m", "b", "O")
        await shows(pilot, "there is no camera yet")


async def test_keys_for_the_interval_never_take_another_clip_in_hand_than_the_one_seen(
    tmp_path: Path,
) -> None:
    app = app_for(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("right", "right", "enter")
        await shows(pilot, "playing")
        player = view_of(app).player
        clip = player.clip
        assert view_of(app).clip_in_hand() == clip
        await pilot.press("minus")
        await until(pilot, lambda: not player.is_open and view_of(app).grid.has_focus)


async def test_the_picture_in_hand_and_the_frame_that_is_played_are_saved(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = app_for(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        player, clock = view_of(app).query_one(ClipPlayer), _Time()
        player._monotonic = clock
        await pilot.press("s")
        await shows(pilot, "saved ")
        await pilot.press("enter")
        await shows(pilot, "playing")
        clock.now_s += 4.0
        await shows(pilot, "4.0 of 10.0 s")
        await pilot.press("space", "s")
        await until(pilot, lambda: len(list(tmp_path.glob("driveway-*.jpg"))) == 2)
    saved = [each for each in pictures(engine) if each.format is wire.PictureFormat.JPEG]
    first_us = SCRIPT_NOW_US - HOUR_US
    assert [each.at_us for each in saved] == [first_us, first_us + 4 * SECOND_US]
    assert all(each.exact for each in saved)
