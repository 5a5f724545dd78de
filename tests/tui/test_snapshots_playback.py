"""Pictures of playback at 80x24 and 120x40: alone, several together, the calendar, and on the Linux console."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from engine import wire
from storage.units import US_PER_SECOND
from tests.fakes.engine import SCRIPT_NOW_US, FakeEngine
from tests.fakes.footage_calls import scripted_bookmarks
from tests.tui.desk_for import app_for, shows, until
from tests.tui.test_snapshots import FOLDER, SnapCompare, arriving_at, settled
from tui.profile import TerminalProfile
from tui.screens.playback import PlaybackView

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
LINUX = TerminalProfile(graphics="ascii", colors=16, glyphs="cp437")
OPENED = arriving_at("8", "PLAYBACK", "C camera 29", "M motion 3", "bookmark", "14:00:00.000")


def station() -> FakeEngine:
    """With events of several types and bookmarks in sight."""
    engine = FakeEngine()
    engine.footage.bookmarks = scripted_bookmarks(6, SCRIPT_NOW_US)
    kinds = ("motion", "line_crossing", "tampering", "motion", "digital_input", "motion")
    events = [
        wire.EventView(
            id=900 - number,
            time_us=SCRIPT_NOW_US - (number * 47 + 11) * 60 * US_PER_SECOND,
            kind=f"detection.{kind}",
            severity="info",
            source="driveway",
            text="in the upper left",
        )
        for number, kind in enumerate(kinds)
    ]
    engine.snapshot = msgspec.structs.replace(engine.snapshot, events=(*events, *engine.snapshot.events))
    return engine


@SIZES
def test_playback(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    assert snap_compare(app_for(station(), FOLDER), run_before=settled(OPENED), terminal_size=size)


@SIZES
def test_playback_of_four(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await OPENED(pilot)
        view = pilot.app.query_one(PlaybackView)
        view.play_cameras(["driveway", "front-door", "garden", "garage"], "front-door")
        await shows(pilot, "front-door of 4  recorded")
        await until(pilot, lambda: bool(view.timeline.marks.activity) and view.footage() is not None)
        await until(pilot, lambda: len(view.pictures.players) == 4)
        await until(pilot, lambda: all(player.shown is not None for player in view.pictures.players))

    assert snap_compare(app_for(station(), FOLDER), run_before=settled(steps), terminal_size=size)


def test_playback_of_a_range_with_a_gap(snap_compare: SnapCompare) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await OPENED(pilot)
        await pilot.press("left_square_bracket", *["left"] * 24, "right_square_bracket")
        await shows(pilot, "e exports, L locks", "C gap of 20 min", "no picture: camera unreachable")

    assert snap_compare(app_for(station(), FOLDER), run_before=settled(steps), terminal_size=(80, 24))


def test_playback_calendar(snap_compare: SnapCompare) -> None:
    opened = arriving_at(
        "8", "PLAYBACK", "C camera 29", "14:00:00.000", then=("d",), finally_=("Go to day", "1•")
    )
    assert snap_compare(app_for(station(), FOLDER), run_before=opened, terminal_size=(80, 24))


def test_playback_on_the_linux_console(snap_compare: SnapCompare) -> None:
    app = app_for(station(), FOLDER, LINUX)
    assert snap_compare(app, run_before=settled(OPENED), terminal_size=(80, 24))
