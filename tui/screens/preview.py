"""Pictures for a VideoCell: asks the engine for one at a time, in the form this terminal draws, only while it is seen.

One request is in flight; the next live picture is asked for only after the last one was drawn, so a slow line gets
fewer pictures instead of a queue of old ones. Asking for something else drops the answer under way.
"""

from __future__ import annotations

import asyncio
from typing import Literal

from engine import wire
from engine.client import WatchdeckError
from tui.desk import Desk
from tui.screens.view import View
from tui.work import start
from widgets import format
from widgets.picture import Picture, TerminalPicture
from widgets.video_cell import VideoCell

LIVE_INTERVAL_S = 1.5
DEBOUNCE_S = 0.15
"""A playhead or cursor that moves on within this asks for nothing."""
OLD_US = 10_000_000
"""A live picture older than this is called old."""
FETCHING = "fetching the picture ..."
MIN_COLUMNS, MIN_ROWS = 8, 3
KITTY_IMAGE_ID = 1


class PictureFeed:
    """Keeps one cell showing one camera, live or at a time; belongs to a view."""

    def __init__(self, view: View, cell: VideoCell) -> None:
        self._view = view
        self._cell = cell
        self._target: tuple[str, int | None] | None = None

    @property
    def _desk(self) -> Desk:
        return self._view.desk

    def show(self, camera: str, at_us: int | None = None) -> None:
        """Show this from now on; the newest wish wins."""
        if self._target == (camera, at_us):
            return
        is_same_camera = self._target is not None and self._target[0] == camera
        self._target = (camera, at_us)
        self._cell.caption = camera
        if not is_same_camera:
            self._cell.note = ""
            self._cell.is_stale = False
        if not is_same_camera or self._cell.picture is None:
            self._cell.clear(FETCHING)  # never the words about another time
        self._start()

    def again(self) -> None:
        """The room changed, or the view came back."""
        if self._target is not None:
            self._start()

    def stop(self, reason: str = "") -> None:
        """Ask for nothing more."""
        self._target = None
        self._view.workers.cancel_group(self._view, "picture")
        if reason:
            self._cell.clear(reason)

    def _start(self) -> None:
        start(self._view, self._run, "picture")

    async def _run(self) -> None:
        await asyncio.sleep(DEBOUNCE_S)
        while self._target is not None:
            camera, at_us = self._target
            columns, rows = self._cell.room
            if self._view.is_front and columns >= MIN_COLUMNS and rows >= MIN_ROWS:
                await self._fetch(camera, at_us, columns, rows)
                if at_us is not None:
                    return
            await asyncio.sleep(LIVE_INTERVAL_S)

    async def _fetch(self, camera: str, at_us: int | None, columns: int, rows: int) -> None:
        cell = self._cell
        request = picture_request(self._desk, camera, at_us, columns, rows)
        try:
            reply = await self._desk.client.picture(request)
        except WatchdeckError as error:
            if at_us is None and cell.picture is not None:
                cell.is_stale = True
            else:
                cell.note = ""
                cell.clear(error.what)
            return
        cell.set_picture(picture_of(reply, request), request.colors)
        now_us = self._desk.mirror.now_us
        cell.note = format.recent_time(reply.time_us, now_us, self._desk.zone)
        cell.is_stale = at_us is None and now_us - reply.time_us > OLD_US


def picture_of(reply: wire.PictureReply, request: wire.PictureRequest) -> Picture:
    """What a cell shows of an answer."""
    if reply.cells is not None:
        return reply.cells
    kind: Literal["sixel", "kitty"] = "sixel" if reply.format is wire.PictureFormat.SIXEL else "kitty"
    image_id = request.image_id if kind == "kitty" else 0
    return TerminalPicture(kind, reply.columns, reply.rows, reply.data, image_id=image_id)


def picture_request(
    desk: Desk, camera: str, at_us: int | None, columns: int, rows: int
) -> wire.PictureRequest:
    """For this terminal: its format, colours and cell size."""
    profile = desk.profile
    is_sixel = profile.graphics == "sixel"
    return wire.PictureRequest(
        camera=camera,
        at_us=at_us,
        format=wire.PictureFormat(profile.picture_format()),
        columns=columns,
        rows=rows,
        cell_width_px=profile.cell_width_px,
        cell_height_px=profile.cell_height_px,
        colors=profile.sixel_colors if is_sixel else profile.colors,
        image_id=KITTY_IMAGE_ID if profile.graphics == "kitty" else 0,
    )
