"""Cameras by Pilot: add with a test first, edit, test, remove by typed name, filter, sort, preview, snapshot."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from engine import wire
from tests.fakes.engine import FakeEngine
from tests.tui.desk_for import app_for, screen_text, shows, until
from tui.app import WatchdeckApp
from tui.profile import TerminalProfile
from widgets.line_list import LineList

SIZE = (80, 24)


def called(engine: FakeEngine, name: str) -> list[object]:
    return [argument for what, argument in engine.calls if what == name]


def camera_console(engine: FakeEngine, folder: Path, profile: TerminalProfile | None = None) -> WatchdeckApp:
    return app_for(engine, folder, profile)


async def test_a_camera_is_tested_before_it_is_added_and_the_password_is_hidden(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = camera_console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2", "a")
        await shows(pilot, "Add camera", "Test and save")
        await pilot.press(*"yard", "enter", *"rtsp://192.0.2.99/live", "enter", *"admin", "enter", *"secret!")
        assert app.screen.query_one("#field-password", Input).password
        assert "secret!" not in screen_text(app)
        await pilot.press("f10")
        await shows(pilot, "added yard")
        await until(pilot, lambda: "yard" in screen_text(app))
    assert [name for name, _ in engine.calls if name.endswith("_camera")] == ["test_camera", "add_camera"]
    added = called(engine, "add_camera")[0]
    assert isinstance(added, wire.CameraAdd)
    assert (added.name, added.url, added.user, added.password, added.group) == (
        "yard",
        "rtsp://192.0.2.99/live",
        "admin",
        "secret!",
        "main",
    )


async def test_a_live_address_is_checked_saved_and_taken_away(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = camera_console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2", "e")
        await shows(pilot, "Edit camera", "Live address", "its smaller stream")
        app.screen.query_one("#field-live_url", Input).value = "192.0.2.99/small"
        await pilot.press("f10")
        await shows(pilot, "the address must begin with rtsp://")
        app.screen.query_one("#field-live_url", Input).value = "rtsp://192.0.2.99/small"
        await pilot.press("f10")
        await until(pilot, lambda: bool(called(engine, "edit_camera")))
    assert called(engine, "edit_camera")[0][1] == wire.CameraEdit(live_url="rtsp://192.0.2.99/small")  # type: ignore[index]


async def test_a_failed_test_keeps_the_form_and_a_second_save_skips_it(tmp_path: Path) -> None:
    engine = FakeEngine()
    engine.test_reply = wire.CameraTestReply(
        ok=False, code="camera_refused", what="wrong user or password (401)", remedy="check both"
    )
    app = camera_console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2", "a")
        await shows(pilot, "Test and save")
        await pilot.press(*"yard", "enter", *"rtsp://192.0.2.99/live", "f10")
        await shows(pilot, "wrong user or password (401)", "f10 again saves it")
        assert called(engine, "add_camera") == []
        await pilot.press("f10")
        await shows(pilot, "added yard")
    assert len(called(engine, "test_camera")) == 1


async def test_a_wrong_address_and_a_taken_name_are_said_in_the_form(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = camera_console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2", "a")
        await shows(pilot, "Test and save")
        await pilot.press(*"garage", "enter", *"192.0.2.9", "f10")
        await shows(pilot, "the address must begin with rtsp://")
        await pilot.press("home", *"rtsp://", "f10")
        await shows(pilot, "a camera called 'garage' exists")
        await pilot.press("escape")
        await until(pilot, lambda: "Add camera" not in screen_text(app))


async def test_an_edit_sends_only_what_changed(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = camera_console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "► driveway")
        await pilot.press("e")
        await shows(pilot, "Edit camera driveway")
        await pilot.press("end", *"-2", "f10")
        await shows(pilot, "saved driveway", "driveway-2")
    edits = called(engine, "edit_camera")
    assert edits == [("00000000-0000-4000-8000-000000000001", wire.CameraEdit(name="driveway-2"))]


async def test_a_removal_needs_the_exact_name_and_says_what_stays(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = camera_console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "► driveway")
        await pilot.press("d")
        await shows(pilot, "Remove camera driveway", "stays on the volumes")
        await pilot.press("enter")
        await pilot.press(*"Driveway", "enter")
        await shows(pilot, "Nothing was done")
        assert called(engine, "remove_camera") == []
        await pilot.press("ctrl+u", "home", "ctrl+k", *"driveway", "enter")
        await shows(pilot, "removed driveway; its recordings stay")
        await until(pilot, lambda: "► driveway" not in screen_text(app))
    assert len(called(engine, "remove_camera")) == 1


async def test_a_test_reports_what_the_camera_sends(tmp_path: Path) -> None:
    app = camera_console(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "► driveway")
        await pilot.press("t")
        await shows(pilot, "H.264, 1920x1080, 25 fps, 4.10 Mbit/s", "first picture after 412 ms")
        await pilot.press("escape")
        await until(pilot, lambda: "first picture" not in screen_text(app))


async def test_switching_off_can_be_undone(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = camera_console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "► driveway")
        await pilot.press("o")
        await shows(pilot, "driveway is switched off")
        await pilot.press("z")
        await shows(pilot, "undone: driveway switched off")
    switches = [edit.is_enabled for _, edit in called(engine, "edit_camera")]  # type: ignore[misc]
    assert switches == [False, True]


async def test_the_filter_narrows_as_it_is_typed_and_escape_clears_it(tmp_path: Path) -> None:
    app = camera_console(FakeEngine(cameras=128), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "119 of 125")
        await pilot.press("2")
        await shows(pilot, "► driveway")
        await pilot.press("slash", *"cam-12")
        await shows(pilot, "/cam-12 (9)", "cam-128")
        await pilot.press("enter")
        await until(pilot, lambda: "driveway" not in screen_text(app))
        await pilot.press("escape", "g")
        await shows(pilot, "► driveway", "front-door")


async def test_the_cursor_stays_on_its_camera_when_the_order_changes(tmp_path: Path) -> None:
    app = camera_console(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "► driveway")
        await pilot.press("colon", *"sort state", "enter")
        text = await shows(pilot, "by state", "► driveway")
        assert text.index("loading-dock") < text.index("garage") < text.index("front-door")


async def test_the_state_of_a_camera_changes_on_the_screen_with_its_cause(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = camera_console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "► driveway")
        engine.change_camera("driveway", state=wire.CameraState.LOST, cause="connection refused")
        await shows(pilot, "x lost", "connection refused")


async def test_the_preview_asks_in_the_form_of_the_terminal_one_at_a_time(tmp_path: Path) -> None:
    engine = FakeEngine()
    profile = TerminalProfile(colors=256, graphics="half")
    app = camera_console(engine, tmp_path, profile)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await until(pilot, lambda: bool(called(engine, "picture")))
        request = called(engine, "picture")[0]
        assert isinstance(request, wire.PictureRequest)
        assert (request.camera, request.format, request.colors) == (
            "driveway",
            wire.PictureFormat.HALF_BLOCK,
            256,
        )
        assert (request.columns, request.rows) == (36, 10)
        await pilot.press("1")
        await shows(pilot, "Newest events")
        count = len(called(engine, "picture"))
        for _ in range(5):
            engine.tick()
            await pilot.pause()
        assert len(called(engine, "picture")) == count


async def test_without_graphics_no_picture_is_asked_for(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = camera_console(engine, tmp_path, TerminalProfile(graphics="none"))
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "► driveway", "to bay-1, group main")
        await pilot.press("v")
        await shows(pilot, "shows no pictures")
    assert called(engine, "picture") == []


async def test_a_snapshot_is_saved_and_its_path_is_said(tmp_path: Path) -> None:
    app = camera_console(FakeEngine(), tmp_path)
    async with app.run_test(size=(120, 30)) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "► driveway")
        await pilot.press("s")
        await shows(pilot, "driveway-2026-03-04-140320.jpg")
    assert (tmp_path / "driveway-2026-03-04-140320.jpg").read_bytes().startswith(b"\xff\xd8")


async def test_enter_shows_everything_about_a_camera(tmp_path: Path) -> None:
    app = camera_console(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "► driveway")
        await pilot.press("enter")
        await shows(pilot, "rtsp://192.0.2.11:554/stream1", "watch, password set", "Retries")
        await pilot.press("escape")
        await until(pilot, lambda: "Retries" not in screen_text(app))


async def test_from_the_dashboard_enter_goes_to_the_camera_in_trouble(tmp_path: Path) -> None:
    app = camera_console(FakeEngine(), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("enter")
        await shows(pilot, "► garage")


async def test_128_cameras_open_and_scroll_to_the_last(tmp_path: Path) -> None:
    app = camera_console(FakeEngine(cameras=128), tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "119 of 125")
        await pilot.press("2")
        await shows(pilot, "► driveway")
        await pilot.press("G")
        await shows(pilot, "► cam-128")
        assert app.query_one(LineList).count == 128


async def test_a_recording_schedule_is_painted_in_the_form(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = camera_console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "► driveway")
        await pilot.press("e")
        await shows(pilot, "Edit camera driveway", "f4 paints the times")
        await pilot.press("f4")
        await shows(pilot, "When driveway records", "UTC time")
        await pilot.press("shift+right", "w", "enter")
        await shows(pilot, "< schedule >", "records Mon-Fri 08:00-09:00")
        await pilot.press("f10")
        await shows(pilot, "saved driveway")
    days = ("." * 16 + "xx" + "." * 30,) * 5 + ("." * 48,) * 2
    schedule = wire.ScheduleMessage(zone="UTC", days=days)
    assert called(engine, "edit_camera") == [
        ("00000000-0000-4000-8000-000000000001", wire.CameraEdit(mode="schedule", schedule=schedule))
    ]


async def test_a_schedule_without_times_is_not_saved(tmp_path: Path) -> None:
    engine = FakeEngine()
    app = camera_console(engine, tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await shows(pilot, "5 of 8")
        await pilot.press("2")
        await shows(pilot, "► driveway")
        await pilot.press("e")
        await shows(pilot, "Edit camera driveway")
        app.screen.query_one("#field-mode").focus()
        await pilot.press("s", "f10")
        await shows(pilot, "When driveway records")
        await pilot.press("escape")
        await shows(pilot, "paint its times (f4)")
    assert called(engine, "edit_camera") == []
