"""Pictures of every screen at 80x24 and 132x43. Fixed clock, zone, theme, names; `make snapshots` draws them anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from textual.app import App
from textual.pilot import Pilot

from engine.wire_chassis import ChassisView
from engine.wire_sources import CameraAnalytics
from tests.fakes import chassis_views
from tests.fakes.engine import FakeEngine
from tests.fakes.scripted_alarms import scripted_results
from tests.tui.desk_for import app_for, shows, until
from tui.profile import TerminalProfile
from tui.screens.frame import HeaderLine
from widgets.video_cell import VideoCell

SIZES = pytest.mark.parametrize("size", [(80, 24), (132, 43)], ids=["80x24", "132x43"])
FOLDER = Path("/home/operator/watchdeck-exports")
SnapCompare = Callable[..., bool]
Steps = Callable[[Pilot[object]], Awaitable[None]]


def arriving_at(key: str, *words: str, then: tuple[str, ...] = (), finally_: tuple[str, ...] = ()) -> Steps:
    """Open a view, wait for its words, press keys, wait again."""

    async def steps(pilot: Pilot[object]) -> None:
        still(pilot.app)
        if key:
            await until(pilot, lambda: pilot.app.query_one(HeaderLine).plain.strip().endswith("14:03:20"))
            await pilot.press(key)
        await shows(pilot, *words)
        await until(pilot, lambda: all(cell.picture is not None for cell in seen_cells(pilot.app)))
        if then:
            await pilot.press(*then)
            await shows(pilot, *finally_)

    return steps


def settled(steps: Steps) -> Steps:
    """Afterwards no picture is on its way."""

    async def all_of_it(pilot: Pilot[object]) -> None:
        await steps(pilot)
        await until(
            pilot,
            lambda: not any(cell.reason.endswith("...") for cell in seen_cells(pilot.app) if cell.visible),
        )

    return all_of_it


def still(app: App[object]) -> None:
    """No blinking cursor: a picture must not depend on the moment."""
    app.cursor_blink = False  # type: ignore[attr-defined]


def seen_cells(app: App[object]) -> list[VideoCell]:
    return [cell for cell in app.screen.query(VideoCell) if cell.region and cell.display]


@SIZES
@pytest.mark.parametrize("cameras", [8, 128])
def test_dashboard(snap_compare: SnapCompare, size: tuple[int, int], cameras: int) -> None:
    app = app_for(FakeEngine(cameras=cameras), FOLDER)
    assert snap_compare(app, terminal_size=size, run_before=arriving_at("", "Newest events"))


@SIZES
def test_cameras(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(), FOLDER)
    assert snap_compare(app, terminal_size=size, run_before=arriving_at("2", "Last seen"))


@SIZES
def test_recordings(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(cameras=40), FOLDER)
    steps = arriving_at("3", "recorded  span 6 h")
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_events(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(), FOLDER)
    steps = arriving_at("4", "300, all", then=("j", "enter"), finally_=("14:01:31 UTC",))
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_alarms(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(alarms=300), FOLDER)
    steps = arriving_at("6", "Alarms  300", then=("j", "space", "space", "j"), finally_=("2 marked",))
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_panel_of_an_alarm(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    engine = FakeEngine(alarms=300)
    engine.desk.instructions["Motion at night"] = "Look at the live picture; call the guard."
    engine.desk.results[297] = scripted_results(engine.clock.now_us())
    steps = arriving_at(
        "6", "Alarms  300", then=("j", "j", "enter", "right"), finally_=("What to do", "draft:", "▀▀▀▀▀")
    )
    assert snap_compare(app_for(engine, FOLDER), terminal_size=size, run_before=settled(steps))


@SIZES
def test_thumbnails_of_alarms(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(alarms=300), FOLDER)
    steps = arriving_at("6", "Alarms  300", then=("v",), finally_=("▀▀▀▀▀", "garden"))
    assert snap_compare(app, terminal_size=size, run_before=settled(steps))


def test_alarms_on_the_linux_console(snap_compare: SnapCompare) -> None:
    profile = TerminalProfile(colors=8, glyphs="cp437", graphics="ascii", is_plain=True)
    app = app_for(FakeEngine(alarms=300), FOLDER, profile)
    steps = arriving_at("6", "Alarms  300", then=("g", "j"), finally_=("8 groups",))
    assert snap_compare(app, terminal_size=(80, 25), run_before=steps)


@SIZES
def test_no_engine(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    engine = FakeEngine()
    engine.stop()
    app = app_for(engine, FOLDER)
    assert snap_compare(app, terminal_size=size, run_before=arriving_at("", "systemctl start"))


@SIZES
def test_lost_engine(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    engine = FakeEngine()
    app = app_for(engine, FOLDER)

    async def lose(pilot: Pilot[object]) -> None:
        still(pilot.app)
        await shows(pilot, "5 of 8")
        engine.stop()
        await shows(pilot, "engine lost since 14:03:20")

    assert snap_compare(app, terminal_size=size, run_before=lose)


@SIZES
def test_add_camera(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(), FOLDER)
    steps = arriving_at("2", "Last seen", then=("a",), finally_=("Add camera",))
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_analytics_of_a_camera(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    engine = FakeEngine()
    mask = ("x" * 32,) * 9 + ("." * 32,) * 9
    engine.alarm_state.analytics["driveway"] = CameraAnalytics(onvif=True, motion=True, mask=mask)
    steps = arriving_at("2", "Last seen", then=("A",), finally_=("Analytics of driveway", "Looked at"))
    assert snap_compare(app_for(engine, FOLDER), terminal_size=size, run_before=steps)


@SIZES
def test_remove_camera(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(), FOLDER)
    steps = arriving_at("2", "Last seen", then=("d",), finally_=("Remove camera",))
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_help(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(), FOLDER)
    steps = arriving_at("2", "Last seen", then=("question_mark",), finally_=("Keys: Cameras",))
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_palette(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(), FOLDER)
    steps = arriving_at("2", "Last seen", then=("ctrl+p",), finally_=("Cameras: Details",))
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_command_line(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = app_for(FakeEngine(), FOLDER)
    steps = arriving_at("2", "Last seen", then=("colon", *"camera"), finally_=("tab: camera",))
    assert snap_compare(app, terminal_size=size, run_before=steps)


def bays_console(box: ChassisView, profile: TerminalProfile | None = None) -> App[object]:
    """With still lamps: a picture must not depend on the moment."""
    profile = dataclasses.replace(profile or TerminalProfile(), blinking="off")
    return app_for(FakeEngine(chassis=box), FOLDER, profile)


@SIZES
@pytest.mark.parametrize(
    "box",
    [
        chassis_views.healthy_eight,
        chassis_views.degraded_eight,
        chassis_views.sixteen,
        chassis_views.empty_box,
    ],
    ids=lambda box: box.__name__,
)
def test_bays(snap_compare: SnapCompare, size: tuple[int, int], box: Callable[[], ChassisView]) -> None:
    # The bars of its history come last.
    words = ("serial", "▆") if box().inventory.drives else ("two lamps",)
    steps = arriving_at("5", "F6 Bays", *words)
    assert snap_compare(bays_console(box()), terminal_size=size, run_before=steps)


@SIZES
def test_storage_tree(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = bays_console(chassis_views.degraded_eight())
    steps = arriving_at("5", "F6 Bays", then=("v", "j", "j"), finally_=("Bay 1  failed", "garage", "▆"))
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_dashboard_of_a_degraded_box(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = bays_console(chassis_views.degraded_eight())
    assert snap_compare(app, terminal_size=size, run_before=arriving_at("", "FAN FAIL"))


@SIZES
def test_confirmation_of_what_erases(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    engine = FakeEngine(chassis=chassis_views.healthy_eight())
    engine.plan = chassis_views.erasing_plan()
    app = app_for(engine, FOLDER, TerminalProfile(blinking="off"))
    steps = arriving_at("5", "F6 Bays", then=("colon", *"delete", "enter"), finally_=("ERASES", "Mind"))
    assert snap_compare(app, terminal_size=size, run_before=steps)


@pytest.mark.parametrize(
    ("size", "profile"),
    [
        ((80, 24), None),
        ((132, 43), None),
        ((80, 25), TerminalProfile(colors=8, glyphs="cp437", graphics="ascii", is_plain=True)),
    ],
    ids=["80x24", "132x43", "linux"],
)
def test_level_of_a_set_up(
    snap_compare: SnapCompare, size: tuple[int, int], profile: TerminalProfile | None
) -> None:
    async def steps(pilot: Pilot[object]) -> None:
        await shows(pilot, "5 of 8")
        await pilot.press("f6", "n")
        await shows(pilot, "2 Advanced")
        await pilot.press("1")
        await shows(pilot, "RAID 60", "Survives one failure")

    app = bays_console(chassis_views.free_eight(), profile)
    assert snap_compare(app, terminal_size=size, run_before=steps)


@SIZES
def test_job_with_an_alarm(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    box = msgspec.structs.replace(chassis_views.degraded_eight(), jobs=(chassis_views.wrong_drive_job(),))
    steps = arriving_at("5", "F6 Bays", then=("o",), finally_=("serial", "Cancel the job"))
    assert snap_compare(bays_console(box), terminal_size=size, run_before=steps)


@pytest.mark.parametrize("box", [chassis_views.degraded_eight, chassis_views.sixteen], ids=["8", "16"])
def test_bays_on_the_linux_console(snap_compare: SnapCompare, box: Callable[[], ChassisView]) -> None:
    profile = TerminalProfile(colors=8, glyphs="cp437", graphics="ascii", is_plain=True)
    steps = arriving_at("5", "F6 Bays", "serial", "▓")
    assert snap_compare(bays_console(box(), profile), terminal_size=(80, 25), run_before=steps)


def test_linux_console(snap_compare: SnapCompare) -> None:
    profile = TerminalProfile(colors=8, glyphs="cp437", graphics="ascii", is_plain=True)
    app = app_for(FakeEngine(), FOLDER, profile)
    assert snap_compare(app, terminal_size=(80, 25), run_before=arriving_at("2", "Last seen"))


@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("", "Storage"),
        ("6", "no alarms"),
        ("2", "driveway"),
        pytest.param("3", "driveway  recorded", id="3-driveway"),
        ("4", "Events"),
    ],
)
def test_smallest_screen(snap_compare: SnapCompare, key: str, word: str) -> None:
    app = app_for(FakeEngine(), FOLDER)
    assert snap_compare(app, terminal_size=(40, 12), run_before=arriving_at(key, word))
