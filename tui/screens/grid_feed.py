"""Pictures of moments for a page of cells: several in flight, those in sight first, then the next page; what is gone past is dropped.

A moment does not change, so what came is kept for a while. Compare tui/screens/moments.py, which asks for one at a time.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

import msgspec

from engine import wire
from engine.client import WatchdeckError
from tui.screens.preview import DEBOUNCE_S, FETCHING, MIN_COLUMNS, MIN_ROWS, picture_of, picture_request
from tui.screens.view import View
from tui.work import start
from widgets.picture import Picture
from widgets.video_cell import VideoCell

IN_FLIGHT = 4
PICTURES_KEPT = 300
"""Some twelve pages."""
FIRST_IMAGE_ID = 1_000
"""Of kitty pictures here; one for each picture kept, because a kept picture may come into another cell."""

_Key = tuple[str, int, bool, int, int]


@dataclass(frozen=True, slots=True)
class Shot:
    """A moment of a camera."""

    camera: str
    at_us: int
    is_exact: bool = False
    """The frame shown then, not the keyframe before it."""


@dataclass(frozen=True, slots=True)
class CellShot:
    """One cell's wish."""

    cell: VideoCell
    shot: Shot


class GridFeed:
    """Keeps the cells of a page showing moments; belongs to a view. Event-loop thread only."""

    def __init__(self, view: View, group: str = "grid") -> None:
        self._view = view
        self._group = group
        self._wanted: tuple[CellShot, ...] = ()
        self._next: tuple[Shot, ...] = ()
        self._kept: OrderedDict[_Key, Picture] = OrderedDict()
        self._failed: dict[_Key, str] = {}
        self._in_flight: dict[_Key, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._is_running = False
        self._image_ids = cycle(range(FIRST_IMAGE_ID, FIRST_IMAGE_ID + 2 * PICTURES_KEPT))

    def show(self, wanted: Sequence[CellShot], following: Sequence[Shot] = ()) -> None:
        """These from now on, in this order; `following` once they are there. Cells shown the same stay as they are."""
        if tuple(wanted) == self._wanted and tuple(following) == self._next:
            return
        before = {each.cell: each.shot for each in self._wanted}
        self._wanted, self._next = tuple(wanted), tuple(following)
        self._failed.clear()
        for each in self._wanted:
            if before.get(each.cell) != each.shot or each.cell.picture is None:
                self._put(each)
        self._start()

    def again(self) -> None:
        """There is another amount of room, or the view came back."""
        self._failed.clear()
        if self._wanted:
            self._start()

    def stop(self) -> None:
        """Ask for nothing more."""
        self._wanted = self._next = ()
        self._view.workers.cancel_group(self._view, self._group)

    @property
    def room(self) -> tuple[int, int]:
        """Of every picture here: what the smallest cell has, so that one kept fits into each."""
        rooms = [each.cell.room for each in self._wanted]
        return min((room[0] for room in rooms), default=0), min((room[1] for room in rooms), default=0)

    def keep(self, shot: Shot, room: tuple[int, int], picture: Picture) -> None:
        """A picture that came another way."""
        key = (shot.camera, shot.at_us, shot.is_exact, *room)
        self._kept[key] = picture
        self._kept.move_to_end(key)
        while len(self._kept) > PICTURES_KEPT:
            self._kept.popitem(last=False)

    def request(self, shot: Shot, room: tuple[int, int]) -> wire.PictureRequest:
        """A small picture of a moment, for this terminal."""
        request = picture_request(self._view.desk, shot.camera, shot.at_us, *room)
        image_id = next(self._image_ids) if request.image_id else 0
        return msgspec.structs.replace(request, exact=shot.is_exact, is_rough=True, image_id=image_id)

    # -- the round ---------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._changed.set()
        if not self._is_running and self._view.desk.profile.graphics != "none":
            self._is_running = True
            start(self._view, self._run, self._group)

    async def _run(self) -> None:
        try:
            await asyncio.sleep(DEBOUNCE_S)
            async with asyncio.TaskGroup() as tasks:
                while True:
                    self._changed.clear()
                    queue = self._queue()
                    for key in self._in_flight.keys() - queue.keys():
                        self._in_flight[key].cancel()  # scrolled away
                    for key, shot in queue.items():
                        if len(self._in_flight) >= IN_FLIGHT:
                            break
                        if key not in self._in_flight:
                            self._in_flight[key] = tasks.create_task(self._fetch(key, shot))
                    if not self._in_flight:
                        return
                    await self._changed.wait()
        finally:
            self._is_running = False
            self._in_flight.clear()

    def _queue(self) -> dict[_Key, Shot]:
        """What is missing, the most wanted first."""
        if not self._view.is_front:
            return {}
        room = self.room
        if room[0] < MIN_COLUMNS or room[1] < MIN_ROWS:
            return {}
        missing: dict[_Key, Shot] = {}
        for shot in (*(each.shot for each in self._wanted), *self._next):
            key = (shot.camera, shot.at_us, shot.is_exact, *room)
            if key not in self._kept and key not in self._failed:
                missing.setdefault(key, shot)
        return missing

    async def _fetch(self, key: _Key, shot: Shot) -> None:
        request = self.request(shot, key[3:])
        try:
            reply = await self._view.desk.client.picture(request)
        except WatchdeckError as error:
            self._failed[key] = error.what
        else:
            self.keep(shot, key[3:], picture_of(reply, request))
        finally:
            self._in_flight.pop(key, None)
            self._changed.set()
        for each in self._wanted:
            if each.shot == shot:
                self._put(each)

    def _put(self, each: CellShot) -> None:
        key = (each.shot.camera, each.shot.at_us, each.shot.is_exact, *self.room)
        if (picture := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            each.cell.set_picture(picture, self._view.desk.profile.colors)
        elif self._view.desk.profile.graphics == "none":
            each.cell.clear("--graphics none")
        else:
            each.cell.clear(self._failed.get(key, FETCHING))
