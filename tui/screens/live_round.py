"""Live pictures for several cells: one request after the other, round and round, only while they are seen.

A slow line gets fewer pictures, never a queue of old ones; a camera that gives none says so in its cell. See also
tui/screens/preview.py, for one cell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from engine.client import WatchdeckError
from tui.screens.preview import (
    FETCHING,
    LIVE_INTERVAL_S,
    MIN_COLUMNS,
    MIN_ROWS,
    OLD_US,
    picture_of,
    picture_request,
)
from tui.screens.view import View
from tui.work import start
from widgets import format
from widgets.video_cell import VideoCell

FIRST_IMAGE_ID = 100
"""Of kitty pictures here: those below belong to other views."""


class LiveRound:
    """Keeps cells showing cameras, live; belongs to a view. Event-loop thread only."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._wanted: tuple[tuple[VideoCell, str], ...] = ()

    def show(self, wanted: Sequence[tuple[VideoCell, str]]) -> None:
        """These from now on; a cell of which the camera stays keeps its picture."""
        before = dict(self._wanted)
        if tuple(wanted) == self._wanted:
            return
        self._wanted = tuple(wanted)
        for cell, camera in wanted:
            if before.get(cell) != camera:
                cell.note = ""
                cell.is_stale = False
                cell.clear(FETCHING)
        self.again()

    def again(self) -> None:
        """The room changed, or the view came back."""
        if self._wanted:
            start(self._view, self._run, "live")

    def stop(self) -> None:
        """Ask for nothing more."""
        self._wanted = ()
        self._view.workers.cancel_group(self._view, "live")

    async def _run(self) -> None:
        while self._wanted:
            for number, (cell, camera) in enumerate(self._wanted):
                columns, rows = cell.room
                if self._view.is_front and columns >= MIN_COLUMNS and rows >= MIN_ROWS:
                    await self._fetch(cell, camera, number, columns, rows)
            await asyncio.sleep(LIVE_INTERVAL_S)

    async def _fetch(self, cell: VideoCell, camera: str, number: int, columns: int, rows: int) -> None:
        desk = self._view.desk
        request = picture_request(desk, camera, None, columns, rows)
        if request.image_id:
            request = msgspec.structs.replace(request, image_id=FIRST_IMAGE_ID + number)
        try:
            reply = await desk.client.picture(request)
        except WatchdeckError as error:
            if cell.picture is not None:
                cell.is_stale = True
            else:
                cell.clear(error.what)
            return
        cell.set_picture(picture_of(reply, request), request.colors)
        now_us = desk.mirror.now_us
        cell.note = format.recent_time(reply.time_us, now_us, desk.zone)
        cell.is_stale = now_us - reply.time_us > OLD_US
