"""Pictures on their way to the terminal: at the pace of the link, one after the other, never far ahead of keys, erased whole.

`PictureOutput` belongs to the app (`app.picture_output`); `VideoCell`s register with it as surfaces. Each frame asks it
twice: which pictures in pixels went stale (they are erased), and what of pictures comes next. That is as many rows of
a picture made of characters, strips of a sixel or chunks of a kitty picture as the link drains in some 40 ms (tui/link_pace.py), with
a question for the cursor's position behind them. A picture is completed before the next one begins, in turn around
the surfaces, and its surface is told when it is at the terminal. A picture that was replaced while it waited is never
sent. Whatever is not a picture is written at once.

Not here: decoding and encoding (the engine's picture workers), and any drawing in cells (widgets/video_cell.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from tui.cell_screen import CellScreen
from tui.link_pace import QUEUE_S, LinkPace
from tui.standing_pictures import StandingPictures
from widgets.picture import PictureSurface, TerminalPicture

ACKNOWLEDGE: Final = "\x1b[6n"
"""Asks for the cursor's position; Textual's parser understands the answer."""
LARGE_FRAME_BYTES: Final = 1024
"""A frame without pictures that is as large is asked about too: pictures behind it wait until it is drained."""
CELL_BYTES: Final = 60.0
"""Of a sixel picture, each cell, until some were seen."""
STRIP_ROWS: Final = (24, 12, 6, 3, 2, 1)
"""Heights of strips, few so that the engine keeps them for all that look; higher ones would be whole pictures."""
EVERYTHING: Final = 1 << 30


class PictureOutput:
    """What of which picture is sent next. Event-loop thread only.

    Invariant: a picture in pixels stands only where its surface keeps cells free.
    """

    def __init__(
        self,
        on_work: Callable[[float], None],
        *,
        has_pixels: bool = True,
        pace: LinkPace | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        is_drawing: Callable[[], bool] = lambda: True,
    ) -> None:
        """
        Args:
            on_work: called when a frame is wanted after so many seconds.
            has_pixels: the terminal draws sixel or kitty pictures.
            is_drawing: False = no frames are made here (no terminal): pictures count as drawn at once.
        """
        self.has_pixels = has_pixels
        self.pace = pace or LinkPace()
        self._on_work = on_work
        self._monotonic = monotonic
        self._is_drawing = is_drawing
        self._surfaces: dict[int, PictureSurface] = {}
        self._owed: dict[int, None] = {}
        """Surfaces that are to be told when their picture is drawn."""
        self._standing = StandingPictures()
        self._current = 0
        """Surface served last: it is completed before the next."""
        self._has_more = False
        self._is_asked = False
        """The frame being made ends with a question."""
        self._cell_bytes = CELL_BYTES
        self.slices_sent = 0

    # -- surfaces ----------------------------------------------------------------------------------------

    def register(self, surface: PictureSurface) -> None:
        """A place for pictures came."""
        self._surfaces[surface.surface_id] = surface

    def unregister(self, surface: PictureSurface) -> None:
        """It went: its picture is erased with the next frame."""
        self._surfaces.pop(surface.surface_id, None)
        self._owed.pop(surface.surface_id, None)
        if self._standing.release(surface.surface_id):
            self._on_work(0.0)

    def changed(self, surface: PictureSurface) -> None:
        """Another picture, or none: a frame is wanted."""
        if surface.surface_id in self._surfaces:
            self._on_work(0.0)

    def painted(self, surface: PictureSurface) -> None:
        """The surface's cells are those of its newest picture: it is told when that was drawn."""
        if surface.surface_id in self._surfaces and self._is_drawing():
            self._owed[surface.surface_id] = None
            self._on_work(0.0)
        else:
            surface.drawn()

    def forget(self) -> None:
        """The screen was cleared or resized: nothing stands anywhere any more."""
        self._standing.forget()

    def leave(self) -> str:
        """What is written before the console leaves the screen; afterwards nothing of it is in the terminal's store."""
        return self._standing.leave()

    def strip_rows(self, columns: int) -> int:
        """Cell rows of a sixel's strips that suit the link; 0 = whole pictures."""
        rows = self.pace.bytes_s * QUEUE_S / 2 / max(columns * self._cell_bytes, 1)
        if rows >= 2 * STRIP_ROWS[0]:
            return 0
        return next((height for height in STRIP_ROWS if height <= rows), 1)

    # -- acknowledgement ---------------------------------------------------------------------------------

    @property
    def is_waiting(self) -> bool:
        """Something is on its way."""
        return self.pace.is_waiting

    def acknowledge(self, at_s: float | None = None) -> None:
        """The terminal answered, at this monotonic time: what was written before was drained."""
        self.pace.answered(self._monotonic() if at_s is None else at_s)
        if self._has_more or self._owed:
            self._on_work(0.0)

    # -- a frame -----------------------------------------------------------------------------------------

    def erase_stale(self, cells: CellScreen) -> str:
        """Before the cells are sent: take away what no longer belongs where it stands."""
        return self._standing.erase_stale(self._surfaces, cells)

    def next_slice(self, cells: CellScreen, frame_bytes: int = 0) -> str:
        """After the cells were sent (so many bytes of them): what of pictures belongs into this frame.

        `written` must be called when the frame was.
        """
        self._standing.note_overwritten(cells.sent_spans)
        self._is_asked = False
        if not self._surfaces:
            self._has_more = False
            return cells.flush_pictures(None, EVERYTHING)
        now_s = self._monotonic()
        turn = sorted(self._surfaces, key=lambda each: (each < self._current, each))
        waiting = [surface_id for surface_id in turn if not self._is_complete(surface_id, cells)]
        parts: list[str] = []
        if waiting or cells.has_unsent_pictures():
            if self.pace.needs_probe(now_s):
                self._has_more = self._is_asked = True
                return ACKNOWLEDGE
            left = self.pace.allowed_bytes(now_s) - frame_bytes
            for surface_id in waiting:
                if left <= 0:
                    break
                left -= (size := self._add_slice(parts, surface_id, cells, left))
                if size and self._current == surface_id:
                    break  # it is not complete
            if left > 0:
                parts.append(cells.flush_pictures(None, left))  # of surfaces that are gone
        text = "".join(parts)
        if text:
            self.slices_sent += 1
        if (text or frame_bytes >= LARGE_FRAME_BYTES) and not self.pace.is_silent:
            self._is_asked = True
            text += ACKNOWLEDGE
        self._has_more = cells.has_unsent_pictures()
        for surface_id in waiting:
            self._has_more = self._has_more or self._is_sendable(surface_id, cells)
        return text

    def _add_slice(self, parts: list[str], surface_id: int, cells: CellScreen, most_bytes: int) -> int:
        """Rows, strips or chunks of one picture; how many bytes."""
        surface = self._surfaces[surface_id]
        if (wanted := surface.terminal_picture()) is None:
            region = surface.cell_picture_region()
            text = cells.flush_pictures(region, most_bytes) if region is not None else ""
        elif cells.is_kept_free(wanted[1], surface_id):
            text = self._standing.pieces(surface_id, *wanted, most_bytes, at_least_one=not any(parts))
            self._learn_size(wanted[0])
        else:
            return 0
        if text:
            self._current = surface_id if not self._is_complete(surface_id, cells) else surface_id + 1
        parts.append(text)
        return len(text) if text.isascii() else len(text.encode())

    def _learn_size(self, picture: TerminalPicture) -> None:
        if picture.kind == "sixel":
            size = len(picture.payload) + sum(len(strip.payload) for strip in picture.strips)
            self._cell_bytes += (size / max(picture.columns * picture.rows, 1) - self._cell_bytes) / 8

    def _is_complete(self, surface_id: int, cells: CellScreen) -> bool:
        surface = self._surfaces[surface_id]
        if (wanted := surface.terminal_picture()) is not None:
            return self._standing.is_whole(surface_id, wanted[0])
        region = surface.cell_picture_region()
        return region is None or not cells.has_unsent_pictures(region)

    def _is_sendable(self, surface_id: int, cells: CellScreen) -> bool:
        """It is not complete, and not because something stands in front of it."""
        wanted = self._surfaces[surface_id].terminal_picture()
        is_covered = wanted is not None and not cells.is_kept_free(wanted[1], surface_id)
        return not is_covered and not self._is_complete(surface_id, cells)

    def written(self, frame_bytes: int, cells: CellScreen) -> None:
        """The frame was handed over: keep count, look for more, tell surfaces whose picture is drawn."""
        now_s = self._monotonic()
        if frame_bytes:
            self.pace.written(frame_bytes, now_s, is_asked=self._is_asked)
        self._is_asked = False
        if self._has_more:
            self._on_work(self.pace.wait_s(now_s))
        drawn = [surface_id for surface_id in self._owed if self._is_complete(surface_id, cells)]
        for surface_id in drawn:
            del self._owed[surface_id]
            self._surfaces[surface_id].drawn()
