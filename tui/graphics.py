"""Pictures that the terminal draws itself (sixel, kitty): written one at a time, never ahead of keys, erased whole.

`PictureOutput` belongs to the app (`app.picture_output`); `VideoCell`s register with it as surfaces. Each frame asks it
twice: which pictures went stale (they are erased: their cells are sent again, kitty placements deleted), and which
picture comes next. With each picture goes a question for the cursor's position; until the terminal has answered,
it has not drained the last picture, and nothing more is sent. After that the line stays free for as long as the
picture took, so that keys see at most one picture ahead of them and half of the time none. A picture that was
replaced while it waited is never sent.

Not here: decoding and encoding (the engine's picture workers), and any drawing in cells (widgets/video_cell.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from textual.geometry import Region

from tui.cell_screen import CellScreen
from widgets.picture import PictureSurface, TerminalPicture

ACKNOWLEDGE: Final = "\x1b[6n"
"""Asks for the cursor's position; Textual's parser understands the answer."""
ACKNOWLEDGE_TIMEOUT_S: Final = 5.0
"""A terminal that has not answered by now is taken to have lost the question."""
MAX_PAUSE_S: Final = 2.0
"""The line is kept free no longer than this."""


@dataclass(slots=True)
class _Placed:
    picture: TerminalPicture
    region: Region
    is_drawn: bool


class PictureOutput:
    """Which picture stands where. Event-loop thread only.

    Invariants: at most one picture is on its way; a picture stands only where its surface keeps cells free.
    """

    def __init__(
        self,
        on_work: Callable[[float], None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            on_work: called when a frame is wanted after so many seconds.
        """
        self._on_work = on_work
        self._monotonic = monotonic
        self._surfaces: dict[int, PictureSurface] = {}
        self._placed: dict[int, _Placed] = {}
        self._gone: list[_Placed] = []
        self._sent_at: float | None = None
        self._free_at = 0.0
        self._last_surface = 0
        self.drain_s = 0.0
        """How long the last picture took to drain."""
        self.pictures_sent = 0

    # -- surfaces ----------------------------------------------------------------------------------------

    def register(self, surface: PictureSurface) -> None:
        """A place for pictures came."""
        self._surfaces[surface.surface_id] = surface

    def unregister(self, surface: PictureSurface) -> None:
        """It went: its picture is erased with the next frame."""
        self._surfaces.pop(surface.surface_id, None)
        if (placed := self._placed.pop(surface.surface_id, None)) is not None:
            self._gone.append(placed)
            self._on_work(0.0)

    def changed(self, surface: PictureSurface) -> None:
        """Another picture, or none: a frame is wanted."""
        if surface.surface_id in self._surfaces:
            self._on_work(0.0)

    has_pixels = True

    def painted(self, surface: PictureSurface) -> None:
        """The surface's cells are those of its newest picture."""
        surface.drawn()

    def strip_rows(self, columns: int) -> int:
        """Cell rows of a strip that suit the link; 0 = whole pictures."""
        return 0

    def forget(self) -> None:
        """The screen was cleared or resized: nothing stands anywhere any more."""
        self._placed.clear()
        self._gone.clear()

    # -- acknowledgement ---------------------------------------------------------------------------------

    @property
    def is_waiting(self) -> bool:
        """A picture is on its way."""
        return self._sent_at is not None

    def acknowledge(self) -> None:
        """The terminal answered: the picture was drained."""
        if self._sent_at is None:
            return
        now = self._monotonic()
        self.drain_s = now - self._sent_at
        self._sent_at = None
        pause = min(self.drain_s, MAX_PAUSE_S)
        self._free_at = now + pause
        self._on_work(pause)

    # -- a frame -----------------------------------------------------------------------------------------

    def erase_stale(self, cells: CellScreen) -> str:
        """Before the cells are sent: take away what no longer belongs where it stands."""
        parts: list[str] = []
        for placed in self._gone:
            parts.append(self._erase(placed, cells))
        self._gone.clear()
        for surface_id, placed in list(self._placed.items()):
            wanted = self._surfaces[surface_id].terminal_picture()
            is_at_home = wanted is not None and wanted[1] == placed.region
            if not is_at_home or not cells.is_kept_free(placed.region, surface_id):
                parts.append(self._erase(placed, cells))
                del self._placed[surface_id]
        return "".join(parts)

    def next_picture(self, cells: CellScreen) -> str:
        """After the cells were sent: the one picture to send now, if the line is free."""
        self._note_overwritten(cells)
        now = self._monotonic()
        if self._sent_at is not None:
            if (left_s := self._sent_at + ACKNOWLEDGE_TIMEOUT_S - now) > 0:
                self._on_work(left_s)
                return ""
            self.acknowledge()
        if now < self._free_at:
            # This frame was for something else, and may have stood for the one wished for at the end of the pause.
            self._on_work(self._free_at - now)
            return ""
        # Round robin, beginning after the surface served last.
        turn = sorted(self._surfaces, key=lambda each: (each <= self._last_surface, each))
        for surface_id in turn:
            wanted = self._surfaces[surface_id].terminal_picture()
            if wanted is None or not cells.is_kept_free(wanted[1], surface_id):
                continue
            picture, region = wanted
            placed = self._placed.get(surface_id)
            if placed is not None and placed.is_drawn and placed.picture is picture:
                continue
            self._placed[surface_id] = _Placed(picture, region, is_drawn=True)
            self._last_surface = surface_id
            self._sent_at = now
            self.pictures_sent += 1
            self._on_work(ACKNOWLEDGE_TIMEOUT_S)
            payload = picture.payload.decode("ascii", errors="ignore")
            return f"\x1b7\x1b[{region.y + 1};{region.x + 1}H{payload}\x1b8{ACKNOWLEDGE}"
        return ""

    def _note_overwritten(self, cells: CellScreen) -> None:
        """Cells that were sent again wiped the sixel above them."""
        for placed in self._placed.values():
            region = placed.region
            if any(
                region.y <= span.row < region.bottom and span.start < region.right and span.end > region.x
                for span in cells.sent_spans
            ):
                placed.is_drawn = False

    def _erase(self, placed: _Placed, cells: CellScreen) -> str:
        cells.forget(placed.region)
        if placed.picture.kind == "kitty" and placed.picture.image_id:
            return f"\x1b_Ga=d,d=I,i={placed.picture.image_id},q=2\x1b\\"
        return ""
