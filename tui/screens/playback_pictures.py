"""Pictures of the cameras that are played, in step with one playhead: tick by tick, paced by the slowest cell.

Each tick asks for what is due at the playhead of its beginning; the next begins when all of it was drawn. A camera with nothing
recorded there is not asked: its cell says why. What asks and draws is tui/picture_feed.py. Event-loop thread only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from engine import wire
from engine.client import WatchdeckError
from tui.picture_feed import FETCHING, MIN_COLUMNS, MIN_ROWS, PictureBoard
from tui.picture_wish import Wish
from tui.picture_zoom import Zoom
from tui.playback_clock import PlaybackClock
from tui.playback_wishes import LATEST_S, WHOLE_PICTURE, Shown, is_due, pause_s, shown_of, step_wish, wish_of
from tui.screens.view import View
from tui.work import start
from widgets.video_cell import VideoCell

BREATH_S = 0.005
"""Between two ticks, however soon a picture was there: the loop is for keys, too."""
TOO_SMALL = "too small"
SWITCHED_OFF = "pictures are switched off (--graphics)"


@dataclass(slots=True)
class Player:
    """One camera and its cell."""

    cell: VideoCell
    camera: str
    wish: Wish | None = None
    """What the cell is to show."""
    before: Wish | None = None
    """The wish before a step, to go back to when there is no such frame."""
    shown: Shown | None = None
    missing: str = ""
    """Why nothing is there, as far as the cell says so."""

    @property
    def is_too_small(self) -> bool:
        """In sight, and without room for a picture; before its first layout nobody knows."""
        return self.cell.display and self.cell.size.width > 0 and not self.has_room

    @property
    def has_room(self) -> bool:
        """In sight, and large enough for a picture."""
        columns, rows = self.cell.room
        return self.cell.display and columns >= MIN_COLUMNS and rows >= MIN_ROWS


class PlaybackPictures:
    """Keeps the cells of one view at one playhead."""

    def __init__(
        self,
        view: View,
        clock: PlaybackClock,
        *,
        advance: Callable[[], None],
        missing: Callable[[str], str],
        drawn: Callable[[str], None],
    ) -> None:
        """
        Args:
            advance: brings the clock up to this moment.
            missing: why a camera has nothing at the playhead; empty = it has, or it is not known.
            drawn: a camera's picture, or the word that there is none, was put into its cell.
        """
        self._view = view
        self._clock = clock
        self._advance = advance
        self._missing = missing
        self.told = drawn
        self._players: list[Player] = []
        self._front = ""
        self._wake = asyncio.Event()
        self._is_ticking = False
        """Pictures of the last tick are on their way."""
        self._zooms: dict[str, Zoom] = {}
        """By camera, as long as the console runs."""
        self._step: tuple[str, int, bool] | None = None
        self._board = PictureBoard(
            view, writes_notes=False, settle_s=0.0, on_picture=self._came, on_failure=self._failed
        )

    @property
    def players(self) -> Sequence[Player]:
        return self._players

    def shown(self, camera: str) -> Shown | None:
        """What the camera's cell shows; None = nothing."""
        player = self._player(camera)
        return player.shown if player is not None else None

    def zoom_of(self, camera: str) -> Zoom:
        """Which part of a camera's picture is shown."""
        return self._zooms.get(camera, WHOLE_PICTURE)

    def zoom(self, camera: str, zoom: Zoom) -> None:
        """Show this part from now on."""
        if zoom == self.zoom_of(camera):
            return
        self._zooms[camera] = zoom
        if (player := self._player(camera)) is not None and not player.missing:
            player.shown = None
            self.wake()

    def _player(self, camera: str) -> Player | None:
        return next((player for player in self._players if player.camera == camera), None)

    @property
    def _is_off(self) -> bool:
        return self._view.desk.profile.graphics == "none"

    # -- what the view says ------------------------------------------------------------------------------

    def show(self, pairs: Sequence[tuple[VideoCell, str]], front: str) -> None:
        """These cells with these cameras from now on; a cell whose camera stays keeps its picture."""
        before = {player.cell: player for player in self._players}
        players = []
        for cell, camera in pairs:
            player = before.get(cell)
            if player is None or player.camera != camera:
                player = Player(cell, camera)
                cell.note = ""
                cell.clear(SWITCHED_OFF if self._is_off else FETCHING)
            players.append(player)
        self._players = players
        self._front = front
        self._is_ticking = False
        self.again()

    def again(self) -> None:
        """The view came to the front, or the link is back."""
        if self._players and not self._is_off:
            for player in self._players:
                if player.shown is not None and player.shown.is_missing:
                    player.shown = None
            self._is_ticking = False
            start(self._view, self._run, "playback")

    def resized(self, cell: VideoCell) -> None:
        """There is another amount of room in a cell: the board asks again, and a cell that had none may have some."""
        self.wake()

    def wake(self) -> None:
        """The playhead jumped, or something was drawn: look what is due now."""
        self._wake.set()

    def stop(self) -> None:
        """Ask for nothing more."""
        self._view.workers.cancel_group(self._view, "playback")
        self._board.stop()
        self._is_ticking = False
        for player in self._players:
            player.wish = None

    def step(self, camera: str, step: int, *, is_keyframe: bool) -> None:
        """To the next (1) or previous (-1) frame or keyframe of a camera; the playhead goes there. Of several asked for at once the last counts."""
        self._step = (camera, step, is_keyframe)
        self.wake()

    # -- ticks -------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            self._advance()
            self._say_missing()
            if self._view.desk.mirror.is_connected and not self._is_ticking:
                self._tick()
            await asyncio.sleep(BREATH_S)
            left_s = min((pause_s(player.shown, self._clock) for player in self._seen()), default=LATEST_S)
            alarm = asyncio.get_running_loop().call_later(left_s, self._wake.set)
            try:
                await self._wake.wait()
            finally:
                alarm.cancel()

    def _seen(self) -> list[Player]:
        return [player for player in self._players if player.has_room and not player.missing]

    def _tick(self) -> None:
        """Ask for what is due at this playhead; when nothing is, the cells are left as they are."""
        mirror = self._view.desk.mirror
        seen = self._seen()
        stepping = self._take_step()
        due = [player for player in seen if is_due(player.shown, self._clock, mirror.at_s, mirror.now_us)]
        for player in due:
            self._wish(player)
        if stepping is not None:
            player, wish = stepping
            player.before, player.wish = player.wish, wish
        elif not due:
            return
        front = self._player(self._front)
        self._board.focused = front.cell if front is not None else None
        self._is_ticking = True
        wishes = [(player.cell, player.wish) for player in seen if player.wish is not None]
        self._board.show(wishes, on_drawn=self._drawn)

    def _wish(self, player: Player) -> None:
        """Another picture for a cell."""
        wish = wish_of(player.camera, self._clock, self.zoom_of(player.camera))
        shown = player.shown
        if wish == player.wish and shown is None:
            self._board.drop(player.cell)  # it failed, and is asked for again
        elif wish == player.wish and wish.at_us is not None:
            wish = replace(wish, at_us=wish.at_us + 1)  # anew: the board remembers moments
        if wish.at_us is None and shown is not None and shown.asked_us is not None:
            player.cell.is_stale = True  # until the live picture is there
        player.wish = wish

    def _take_step(self) -> tuple[Player, Wish] | None:
        """The step asked for, from the frame that is shown."""
        if self._step is None:
            return None
        camera, step, is_keyframe = self._step
        self._step = None
        player = self._player(camera)
        if player is None or not player.has_room:
            return None
        wish = step_wish(camera, player.shown, self._clock.playhead_us, step, is_keyframe=is_keyframe)
        return player, replace(wish, region=self.zoom_of(camera).region)

    def _drawn(self) -> None:
        self._is_ticking = False
        self._wake.set()

    def _say_missing(self) -> None:
        for player in self._players:
            why = "" if self._clock.is_live else self._missing(player.camera)
            why = why or (TOO_SMALL if player.is_too_small else "")
            if why == player.missing:
                continue
            player.missing = why
            player.shown = player.wish = None
            self._board.drop(player.cell)
            player.cell.note = ""
            player.cell.clear(why or FETCHING)
            self.told(player.camera)

    # -- what came ---------------------------------------------------------------------------------------

    def _came(self, cell: VideoCell, wish: Wish, reply: wire.PictureReply) -> None:
        player = self._player(wish.camera)
        if player is None or player.cell is not cell:
            return
        player.shown = shown_of(wish, reply, self._view.desk.mirror.at_s)
        if wish.step:
            player.before = None
            self._clock.hold(reply.time_us)
        self.told(wish.camera)

    def _failed(self, cell: VideoCell, wish: Wish, error: WatchdeckError) -> None:
        player = self._player(wish.camera)
        if player is None or player.cell is not cell:
            return
        if wish.step:
            self._view.say(error.what)
            player.wish, player.before = player.before, None
            player.shown = None  # what stood there is asked for again, and remembered
            self._wake.set()
            return
        player.shown = Shown(wish.at_us, self._view.desk.mirror.at_s, is_exact=wish.is_exact, is_missing=True)
        self.told(wish.camera)
