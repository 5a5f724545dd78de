"""Steps that tests of the live wall share."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from engine.wire_wall import Layout, WallView
from tests.tui.desk_for import shows
from tui.app import WatchdeckApp
from tui.profile import TerminalProfile
from tui.screens.wall import LiveWall
from tui.screens.wall_cells import WallPicture
from tui.wall_layouts import rows_of_layout

SIZE = (80, 24)
LINUX = TerminalProfile(colors=8, glyphs="cp437", graphics="ascii", is_plain=True)


def wall_of(app: WatchdeckApp) -> LiveWall:
    return app.base.query_one(LiveWall)


def names(app: WatchdeckApp) -> list[str]:
    """Of the cameras, cell by cell."""
    wall = wall_of(app)
    return [camera.name if (camera := wall.camera_of(uuid)) else "" for uuid in wall.now.cameras]


def pictures(app: WatchdeckApp) -> list[WallPicture]:
    return [cell for cell in app.base.query(WallPicture) if cell.display and cell.region]


def layout_rows(app: WatchdeckApp) -> list[str]:
    return rows_of_layout(wall_of(app).now.layout)


async def open_wall(pilot: Pilot[Any], *words: str) -> str:
    await shows(pilot, "5 of 8")
    await pilot.press("7")
    return await shows(pilot, " Live", *words)


async def type_line(pilot: Pilot[Any], line: str) -> None:
    await pilot.press("colon", *("space" if letter == " " else letter for letter in line), "enter")


def view(name: str, layout: Layout, *cameras: str) -> WallView:
    return WallView(name=name, layout=layout, cameras=(*cameras, *[""] * (len(layout.cells) - len(cameras))))
