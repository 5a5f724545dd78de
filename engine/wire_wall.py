"""API messages about the live wall: layouts, views, tours, and what consoles show first. Part of `engine.wire`'s API. Manual rows LV, CL, VT.

A layout is a grid with cells of one or more fields. A view puts cameras into the cells of a layout. A tour shows views in turn.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.wire_message import Reply, Request

GRID_LIMIT = 16
CELL_LIMIT = 64
TOUR_SECONDS = 5
"""VT-04."""
ArrangementName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Field = Annotated[int, msgspec.Meta(ge=0, lt=GRID_LIMIT)]
Extent = Annotated[int, msgspec.Meta(ge=1, le=GRID_LIMIT)]


class LayoutCell(msgspec.Struct, frozen=True, array_like=True):
    """Fields of the grid, from the upper left corner."""

    column: Field
    row: Field
    columns: Extent = 1
    rows: Extent = 1


class Layout(Request, frozen=True, kw_only=True):
    """Cells never overlap and never reach over the edge; fields in no cell stay empty."""

    name: ArrangementName
    columns: Extent
    rows: Extent
    cells: Annotated[tuple[LayoutCell, ...], msgspec.Meta(min_length=1, max_length=CELL_LIMIT)]


class WallView(Request, frozen=True, kw_only=True):
    """VT-01: a layout with its cameras. The layout is a copy: changing the saved one does not change the view."""

    name: ArrangementName
    layout: Layout
    cameras: tuple[str, ...]
    """Cell by cell, by name; "" = empty. Kept by UUID: a renamed camera stays in its views, one removed leaves an empty cell."""
    overlay: tuple[str, ...] | None = None
    """What stands on the pictures (VC-11), of `OVERLAY`; None = as the console is set."""
    is_overlay_on_top: bool | None = None
    """VC-10: above the picture, not below it; None = as the console is set."""


OVERLAY = ("name", "state", "codec", "resolution", "fps", "throughput", "time")


class TourStop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    view: ArrangementName
    seconds: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = TOUR_SECONDS


class Tour(Request, frozen=True, kw_only=True):
    """VT-02."""

    name: ArrangementName
    stops: Annotated[tuple[TourStop, ...], msgspec.Meta(min_length=1, max_length=128)]


SCREENS = ("dashboard", "live", "last-wall", "playback", "alarms", "alarm-tab", "none")
"""What a console may begin with, besides those below; last-wall: live, as it was left; none (VT-08): a still, empty screen."""
NAMED_SCREENS = ("view", "tour")
"""With a name behind."""
TERMINAL_NAME = r"\*|[A-Za-z0-9][A-Za-z0-9/._-]{0,63}"
"""Regular expression of `StartUpRow.terminal`."""


class StartUpRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """VT-07: what a console on this terminal shows first."""

    terminal: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    """`tty1` (as `tty` names it, without /dev/), `ssh` = any over SSH, `*` = any other."""
    shows: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    """Of `SCREENS`, or `view NAME` or `tour NAME`."""


class StartUp(Request, frozen=True, kw_only=True):
    rows: Annotated[tuple[StartUpRow, ...], msgspec.Meta(max_length=64)] = ()


class Arrangements(Reply, frozen=True, kw_only=True):
    """All that is saved, each by name."""

    layouts: tuple[Layout, ...] = ()
    views: tuple[WallView, ...] = ()
    tours: tuple[Tour, ...] = ()
    start_up: tuple[StartUpRow, ...] = ()


TAB_LIMIT = 8


class LastTab(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """LV-12: one of the walls that a console had open."""

    name: Annotated[str, msgspec.Meta(max_length=64)] = ""
    """Its own; empty = named after what it shows."""
    view: Annotated[str, msgspec.Meta(max_length=64)] = ""
    """The saved view that it was opened as; empty = none, or changed since."""
    layout: Layout
    cameras: tuple[Annotated[str, msgspec.Meta(max_length=64)], ...]
    """Cell by cell, by UUID; "" = empty."""
    is_automatic: bool = False
    """Nobody put a camera anywhere: cells are filled with the cameras in their order."""
    overlay: Annotated[tuple[str, ...], msgspec.Meta(max_length=len(OVERLAY))] | None = None
    is_overlay_on_top: bool | None = None


class LastWall(Request, frozen=True, kw_only=True):
    """VT-07: how somebody's wall was left on a terminal. Who asks gets what that person's consoles kept there."""

    tabs: Annotated[tuple[LastTab, ...], msgspec.Meta(max_length=TAB_LIMIT)] = ()
    """None = nothing was kept."""
    front: Annotated[int, msgspec.Meta(ge=0, lt=TAB_LIMIT)] = 0
    """Which of them is in front."""
