"""Pictures for the cells of a view: the wall, playback, thumbnails and previews are all fed here, so that there is one way.

    board = PictureBoard(view)
    board.show([(cell, Wish("yard")), (cell2, Wish("gate", at_us=..., is_exact=True))])
                                     these cells, these pictures, from now on. The newest wish of a cell wins: an answer to
                                     an older one is dropped, and the request taken back. Cells not named are let go as they are
    board.show(wishes, on_drawn=f)   f() once, when every one of these was drawn or has said why not: one tick of synchronous
                                     playback, paced by the slowest. A `show` before that drops f. Also: await board.settled()
    board.want(cell, wish)           one cell more, or another wish for one that is shown
    board.drop(cell)                 one cell less
    board.focused = cell             is asked for first and more often
    board.again()                    the view came back, or the engine did: ask at once. (Other room is noticed by itself)
    board.stop(reason="")            nothing more; with a reason the cells say it
    await board.fetch_ahead(cell, w) ask for what this cell will wish later, and remember it: nothing is drawn
    board.reply_of(cell)             the answer shown (time_us, until_us, stream, width_px, ... without data); None = no picture

    PictureBoard(view, writes_notes=True,   the board writes the picture's time into `cell.note`
                 keeps_picture=True,        another moment of the same camera replaces the picture when it comes; False =
                                            the cell says "fetching the picture ..." until then
                 settle_s=0.15,             a wish that is replaced within this asks for nothing; 0 for playback
                 live_every_s=1.0,          no cell asks for live pictures more often; the focused one twice as often
                 on_picture=f,              f(cell, wish, reply) after a picture was given to its cell
                 on_failure=f)              f(cell, wish, error) after a cell was told why there is none

Live cells (`at_us=None`) wait in the engine for a picture newer than the one shown, so a camera that stands still costs
nothing. A cell asks for its next picture only when the last one is at the terminal. How many requests are under way
follows from how long pictures take to draw: all cells on a fast link, two on a slow one, in turn. While the view is not
in front nothing is asked for. A live picture older than 10 s, or one whose camera answers no more, is marked OLD; a cell
without a picture is grey and says why. Kitty image ids are the cell's own (two, in turn, so that the old picture
stands until the new one is complete).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import msgspec
from textual.worker import Worker

from engine import wire
from engine.client import WatchdeckError
from tui.picture_memory import PictureMemory
from tui.picture_wish import Wish, picture_of, request_for
from tui.screens.view import View
from tui.work import start
from widgets import format
from widgets.picture import Picture
from widgets.video_cell import VideoCell

SETTLE_S = 0.15
LIVE_EVERY_S = 1.0
RETRY_S = 1.5
"""After an error of a live picture."""
SAME_PICTURE_S = 0.5
"""An engine that answered without waiting is asked again after this."""
LONG_WAIT_MS = 10_000
"""In the engine, when every cell may have a request of its own."""
SHORT_WAIT_MS = 300
"""When cells take turns."""
REQUESTS_MAX = 24
REQUESTS_MIN = 2
ROUND_S = 1.0
"""So many pictures are under way as are drawn in this."""
LOST_S = 10.0
"""A picture that was not drawn by now is not waited for (its cell may be out of sight)."""
LOOK_S = 0.5
"""How often the board looks whether its view came to the front, and which pictures have grown old."""
OLD_US = 10_000_000
"""A live picture older than this is called old."""
FETCHING = "fetching the picture ..."
MIN_COLUMNS, MIN_ROWS = 8, 3
"""Less room than this has no picture."""

OnPicture = Callable[[VideoCell, Wish, wire.PictureReply], None]
OnFailure = Callable[[VideoCell, Wish, WatchdeckError], None]


@dataclass(slots=True, eq=False)
class _Place:
    """A cell and how far its wish has come."""

    cell: VideoCell
    wish: Wish
    due_s: float
    """Loop time from which on it may ask."""
    task: asyncio.Task[None] | None = None
    is_done: bool = False
    """A picture for this wish was given to the cell, or it said why not."""
    given_s: float = 0.0
    asked_s: float = 0.0
    live_us: int | None = None
    """Of the live picture shown, for this wish and this room."""
    reply: wire.PictureReply | None = field(default=None)
    turn: int = 0


class PictureBoard:
    """Keeps cells showing what is wished; belongs to a view. Event-loop thread only.

    Invariants: a cell has at most one request under way, and none while its last picture is being drawn.
    """

    def __init__(
        self,
        view: View,
        *,
        writes_notes: bool = True,
        keeps_picture: bool = True,
        settle_s: float = SETTLE_S,
        live_every_s: float = LIVE_EVERY_S,
        on_picture: OnPicture | None = None,
        on_failure: OnFailure | None = None,
    ) -> None:
        self._view = view
        self._writes_notes = writes_notes
        self._keeps_picture = keeps_picture
        self._settle_s = settle_s
        self._live_every_s = live_every_s
        self._on_picture = on_picture
        self._on_failure = on_failure
        self._places: dict[VideoCell, _Place] = {}
        self._memory = PictureMemory()
        self._on_drawn: Callable[[], None] | None = None
        self._settled = asyncio.Event()
        self._wake = asyncio.Event()
        self._worker: Worker[None] | None = None
        self._draw_s = 0.0
        """How long a picture takes to be drawn, lately."""
        self._drawn_s = 0.0
        """When the last one was."""
        self.focused: VideoCell | None = None

    # -- wishes ------------------------------------------------------------------------------------------

    def show(
        self, wishes: Iterable[tuple[VideoCell, Wish]], on_drawn: Callable[[], None] | None = None
    ) -> None:
        """These from now on."""
        before, self._places = self._places, {}
        for cell, wish in wishes:
            place = before.pop(cell, None)
            self._places[cell] = self._wished(cell, wish, place)
        for place in before.values():
            self._let_go(place)
        self._on_drawn = on_drawn
        self._begin()

    def want(self, cell: VideoCell, wish: Wish) -> None:
        """One cell more, or another wish for it."""
        self._places[cell] = self._wished(cell, wish, self._places.get(cell))
        self._begin()

    def drop(self, cell: VideoCell) -> None:
        """One cell less; it stays as it is."""
        if (place := self._places.pop(cell, None)) is not None:
            self._let_go(place)
            self._begin()

    def again(self) -> None:
        """Ask at once for what is live or has not come."""
        now_s = _now_s()
        for place in self._places.values():
            place.due_s = min(place.due_s, now_s)
        self._begin()

    def stop(self, reason: str = "") -> None:
        """Ask for nothing more."""
        for place in self._places.values():
            self._let_go(place)
            if reason:
                place.cell.clear(reason)
        self._places = {}
        self._on_drawn = None
        if self._worker is not None:
            self._worker.cancel()
            self._worker = None

    def reply_of(self, cell: VideoCell) -> wire.PictureReply | None:
        """The answer that a cell shows, without its data."""
        place = self._places.get(cell)
        return place.reply if place is not None and cell.picture is not None else None

    async def settled(self) -> None:
        """Wait until every cell was drawn or has said why not."""
        await self._settled.wait()

    async def fetch_ahead(self, cell: VideoCell, wish: Wish) -> wire.PictureReply:
        """The answer to a wish that this cell will have, kept for then; without its data. Raises WatchdeckError."""
        columns, rows = cell.room
        key = self._key_of(cell, wish)
        if key is not None and (kept := self._memory.get(key)) is not None:
            return kept.reply
        place = self._places.get(cell)
        image_id = cell.surface_id * 2 + (1 - place.turn if place is not None else 0)
        request = request_for(self._view.desk, wish, columns, rows, image_id, self._strip_rows(columns))
        reply = await self._view.desk.client.picture(request)
        picture, shown = (
            picture_of(reply, request),
            msgspec.structs.replace(reply, data=b"", cells=None, strips=()),
        )
        if key is not None:
            self._memory.keep(key, picture, shown)
        if wish.is_exact:  # the frame found is what its own time is asked for by, too
            own = self._key_of(cell, replace(wish, at_us=reply.time_us, step=0))
            assert own is not None
            self._memory.keep(own, picture, shown)
        return shown

    def _wished(self, cell: VideoCell, wish: Wish, place: _Place | None) -> _Place:
        now_s = _now_s()
        if place is None:
            place = _Place(cell, wish, now_s + self._settle_s)
            cell.follower = self
            is_same_camera = False
        elif place.wish == wish:
            return place
        else:
            is_same_camera = place.wish.camera == wish.camera
            self._take_back(place)
            place.wish, place.due_s = wish, now_s + self._settle_s
        place.is_done, place.live_us = False, None
        if not is_same_camera:
            place.reply = None
            cell.is_stale = False
            if self._writes_notes:
                cell.note = ""
        key = self._key(place)
        if key is not None and (kept := self._memory.get(key)) is not None:
            self._give(place, kept.picture, kept.reply)
        elif not is_same_camera or cell.picture is None or not self._keeps_picture:
            cell.clear(FETCHING)  # never another camera, nor words about another time
        return place

    def _let_go(self, place: _Place) -> None:
        self._take_back(place)
        if place.cell.follower is self:
            place.cell.follower = None

    def _take_back(self, place: _Place) -> None:
        if place.task is not None:
            place.task.cancel()
            place.task = None

    def _key(self, place: _Place) -> tuple[Wish, int, int, int, int] | None:
        return self._key_of(place.cell, place.wish)

    def _key_of(self, cell: VideoCell, wish: Wish) -> tuple[Wish, int, int, int, int] | None:
        """Under which a recorded picture is remembered; live ones are not."""
        if wish.at_us is None:
            return None
        profile = self._view.desk.profile
        return wish, *cell.room, profile.cell_width_px, profile.cell_height_px

    # -- what cells say ----------------------------------------------------------------------------------

    def cell_drawn(self, cell: VideoCell) -> None:
        """The last picture is at the terminal."""
        place = self._places.get(cell)
        if place is not None and place.given_s:
            # By itself: pictures are drawn one after the other, and this one may have waited for others.
            now_s = _now_s()
            self._draw_s += (now_s - max(place.given_s, self._drawn_s) - self._draw_s) / 4
            self._drawn_s = now_s
            place.given_s = 0.0
        self._look()

    def cell_room_changed(self, cell: VideoCell) -> None:
        """Pictures of another size are wanted."""
        if (place := self._places.get(cell)) is not None:
            self._take_back(place)
            place.is_done, place.live_us = False, None
            place.due_s = _now_s() + self._settle_s
            self._begin()

    # -- asking ------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if not self._places:
            self.stop()
        elif self._worker is None or self._worker.is_finished:
            self._worker = start(self._view, self._run, f"pictures-{id(self)}")
        self._settled.clear()
        self._look()

    def _look(self) -> None:
        """Something changed: is the tick complete, and who may ask now?"""
        self._wake.set()
        if self._settled.is_set() or not all(self._is_settled(place) for place in self._places.values()):
            return
        self._settled.set()
        if (on_drawn := self._on_drawn) is not None:
            self._on_drawn = None
            on_drawn()

    def _is_settled(self, place: _Place) -> bool:
        if not self._has_room(place):
            return place.cell.size.width > 0  # before its first layout nobody knows
        return place.is_done and not self._is_drawing(place)

    def _is_drawing(self, place: _Place) -> bool:
        return place.cell.is_drawing and _now_s() - place.given_s < LOST_S

    @staticmethod
    def _has_room(place: _Place) -> bool:
        columns, rows = place.cell.room
        return columns >= MIN_COLUMNS and rows >= MIN_ROWS

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                wait_s = LOOK_S
                if self._view.is_front:
                    wait_s = self._ask_in_turn(group)
                    self._mark_old()
                    self._look_again()
                await self._pause(wait_s)

    def _look_again(self) -> None:
        """A picture given up for lost completes a tick too."""
        if not self._settled.is_set():
            woken = self._wake.is_set()
            self._look()
            if not woken:
                self._wake.clear()

    async def _pause(self, wait_s: float) -> None:
        timer = asyncio.get_running_loop().call_later(wait_s, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()

    def _ask_in_turn(self, group: asyncio.TaskGroup) -> float:
        """Send what may be sent now; seconds until more may be."""
        now_s = _now_s()
        under_way = sum(place.task is not None for place in self._places.values())
        allowed = self._requests_allowed
        wait_s = LOOK_S
        # The focused cell counts as one that has waited for longer.
        turn = sorted(
            self._places.values(),
            key=lambda place: place.asked_s - (self._live_every_s if place.cell is self.focused else 0.0),
        )
        for place in turn:
            if place.task is not None or not self._is_wanting(place):
                continue
            if (left_s := place.due_s - now_s) > 0:
                wait_s = min(wait_s, left_s)
            elif under_way < allowed:
                under_way += 1
                place.asked_s = now_s
                place.task = group.create_task(
                    self._fetch(place, place.wish), name=f"picture {place.wish.camera}"
                )
        return max(wait_s, 0.001)

    def _is_wanting(self, place: _Place) -> bool:
        if place.is_done and place.wish.at_us is not None:
            return False
        return self._has_room(place) and not self._is_drawing(place)

    @property
    def _requests_allowed(self) -> int:
        if self._draw_s <= 0:
            return REQUESTS_MAX
        return max(REQUESTS_MIN, min(REQUESTS_MAX, int(ROUND_S / self._draw_s)))

    async def _fetch(self, place: _Place, wish: Wish) -> None:
        cell = place.cell
        columns, rows = cell.room
        key = self._key(place)
        place.turn = 1 - place.turn
        image_id = cell.surface_id * 2 + place.turn
        request = request_for(self._view.desk, wish, columns, rows, image_id, self._strip_rows(columns))
        if place.live_us is not None:
            has_own = len(self._places) <= self._requests_allowed
            wait_ms = LONG_WAIT_MS if has_own else SHORT_WAIT_MS
            request = msgspec.structs.replace(request, newer_than_us=place.live_us, wait_ms=wait_ms)
        task = asyncio.current_task()
        try:
            reply = await self._view.desk.client.picture(request)
        except WatchdeckError as error:
            if place.task is task:
                place.task = None
                self._fail(place, error)
                self._look()
            return
        if place.task is not task:
            return  # nobody wants it any more
        place.task = None
        every_s = self._live_every_s / 2 if cell is self.focused else self._live_every_s
        place.due_s = place.asked_s + every_s
        is_new = not reply.is_unchanged and reply.time_us != place.live_us
        if is_new or not place.is_done:
            shown = msgspec.structs.replace(reply, data=b"", cells=None, strips=())
            picture = picture_of(reply, request)
            if key is not None:
                self._memory.keep(key, picture, shown)
            self._give(place, picture, shown)
        elif not reply.is_unchanged:
            place.due_s = max(place.due_s, _now_s() + SAME_PICTURE_S)
        self._look()

    def _strip_rows(self, columns: int) -> int:
        output = getattr(self._view.app, "picture_output", None)
        return 0 if output is None else int(output.strip_rows(columns))

    # -- showing -----------------------------------------------------------------------------------------

    def _give(self, place: _Place, picture: Picture, reply: wire.PictureReply) -> None:
        cell, desk = place.cell, self._view.desk
        place.is_done, place.given_s, place.reply = True, _now_s(), reply
        if place.wish.at_us is None:
            place.live_us = reply.time_us
        cell.set_picture(picture, desk.profile.colors)
        now_us = desk.mirror.now_us
        cell.is_stale = place.wish.at_us is None and now_us - reply.time_us > OLD_US
        if self._writes_notes:
            cell.note = format.recent_time(reply.time_us, now_us, desk.zone)
        if self._on_picture is not None:
            self._on_picture(cell, place.wish, reply)

    def _fail(self, place: _Place, error: WatchdeckError) -> None:
        cell = place.cell
        place.is_done = True
        place.due_s = _now_s() + RETRY_S
        place.live_us = None
        if place.wish.at_us is None and cell.picture is not None:
            cell.is_stale = True
        else:
            place.reply = None
            if self._writes_notes:
                cell.note = ""
            cell.clear(error.what, is_fault=True)
        if self._on_failure is not None:
            self._on_failure(cell, place.wish, error)

    def _mark_old(self) -> None:
        now_us = self._view.desk.mirror.now_us
        for place in self._places.values():
            if place.wish.at_us is None and place.live_us is not None and now_us - place.live_us > OLD_US:
                place.cell.is_stale = True


def _now_s() -> float:
    return asyncio.get_running_loop().time()
