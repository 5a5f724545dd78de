"""Pictures of moments for several cells at once: one request after the other, only for cells in sight, newest wish first.

Unlike a live picture (tui/screens/preview.py) a moment does not change: what came is kept for a while, so that going back
and forth asks for nothing twice.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from engine import wire
from engine.client import WatchdeckError
from tui.screens.preview import DEBOUNCE_S, FETCHING, MIN_COLUMNS, MIN_ROWS, picture_request
from tui.screens.view import View
from tui.work import start
from widgets.picture import Picture, TerminalPicture
from widgets.video_cell import VideoCell

PICTURES_KEPT = 48
FIRST_IMAGE_ID = 16
"""Of kitty pictures here; below are those of live previews."""
_Key = tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class Moment:
    """One cell's wish."""

    cell: VideoCell
    camera: str
    at_us: int


class MomentFeed:
    """Keeps cells showing moments; belongs to a view. Event-loop thread only."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._wanted: tuple[Moment, ...] = ()
        self._kept: OrderedDict[_Key, Picture] = OrderedDict()

    def show(self, moments: Sequence[Moment]) -> None:
        """These from now on; cells that were shown the same stay as they are."""
        if tuple(moments) == self._wanted:
            return
        self._wanted = tuple(moments)
        for moment in moments:
            picture = self._kept.get(self._key(moment))
            if picture is None:
                moment.cell.clear(FETCHING)
            else:
                self._put(moment.cell, picture)
        self._start()

    def again(self) -> None:
        """There is another amount of room, or the view came back."""
        if self._wanted:
            self._start()

    def stop(self) -> None:
        """Ask for nothing more."""
        self._wanted = ()
        self._view.workers.cancel_group(self._view, "moments")

    def _start(self) -> None:
        start(self._view, self._run, "moments")

    @staticmethod
    def _key(moment: Moment) -> _Key:
        return (moment.camera, moment.at_us, *moment.cell.room)

    async def _run(self) -> None:
        await asyncio.sleep(DEBOUNCE_S)
        for number, moment in enumerate(self._wanted):
            columns, rows = moment.cell.room
            if not self._view.is_front or columns < MIN_COLUMNS or rows < MIN_ROWS:
                continue
            key = self._key(moment)
            picture = self._kept.get(key)
            if picture is None:
                picture = await self._fetch(moment, number, columns, rows)
            if picture is not None:
                self._kept[key] = picture
                self._kept.move_to_end(key)
                while len(self._kept) > PICTURES_KEPT:
                    self._kept.popitem(last=False)
                self._put(moment.cell, picture)

    async def _fetch(self, moment: Moment, number: int, columns: int, rows: int) -> Picture | None:
        desk = self._view.desk
        request = picture_request(desk, moment.camera, moment.at_us, columns, rows)
        if request.image_id:
            request = msgspec.structs.replace(request, image_id=FIRST_IMAGE_ID + number)
        try:
            reply = await desk.client.picture(request)
        except WatchdeckError as error:
            moment.cell.clear(error.what)
            return None
        if reply.cells is not None:
            return reply.cells
        if reply.format is wire.PictureFormat.SIXEL:
            return TerminalPicture("sixel", reply.columns, reply.rows, reply.data)
        return TerminalPicture("kitty", reply.columns, reply.rows, reply.data, image_id=request.image_id)

    def _put(self, cell: VideoCell, picture: Picture) -> None:
        cell.set_picture(picture, self._view.desk.profile.colors)
