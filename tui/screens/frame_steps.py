"""The single frames of a short stretch, found one after the other: each picture says what the frame after it is asked for by.

How many frames a stretch has is not known before; they are found as far as they are looked at, and a page ahead.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.client import WatchdeckError
from tui.picture_wish import Wish
from tui.screens.picture_grid import PictureGrid
from tui.screens.view import View
from tui.work import start

FRAMES_MAX = 1_000
"""Of one stretch: 4 s at 250 a second."""


class FrameSteps:
    """Times of the frames in [start, end) of a camera, as far as they were found; belongs to a view."""

    def __init__(self, view: View, grid: PictureGrid, on_found: Callable[[], None]) -> None:
        """`on_found` is called with each frame and at the end."""
        self._view = view
        self._grid = grid
        self._on_found = on_found
        self._camera = ""
        self._end_us = 0
        self._start_us = 0
        self._wanted = 0
        self.times_us: list[int] = []
        self.is_complete = False
        self.trouble = ""

    def begin(self, camera: str, start_us: int, end_us: int) -> None:
        """Another stretch: nothing is known of it."""
        self._camera, self._start_us, self._end_us = camera, start_us, end_us
        self.times_us = []
        self.is_complete = False
        self.trouble = ""
        self._wanted = 0

    def want(self, number: int) -> None:
        """At least so many, if there are."""
        if not self.is_complete and number > max(self._wanted, len(self.times_us)):
            self._wanted = min(number, FRAMES_MAX)
            start(self._view, self._find, "frames")

    def stop(self) -> None:
        """Look for no more."""
        self._wanted = 0
        self._view.workers.cancel_group(self._view, "frames")

    async def _find(self) -> None:
        while len(self.times_us) < self._wanted and not self.is_complete:
            last_us = self.times_us[-1] if self.times_us else None
            at_us, step = (self._start_us, 0) if last_us is None else (last_us, 1)
            wish = Wish(self._camera, at_us, is_exact=True, step=step, is_rough=True)
            cell = self._grid.cell_for(len(self.times_us))
            try:
                reply = await self._grid.board.fetch_ahead(cell, wish)
            except WatchdeckError as error:
                # After the newest frame of a camera there is no other.
                self.is_complete, self.trouble = True, "" if last_us is not None else error.what
                break
            # The stretch may begin within a frame that is shown since before it.
            time_us = max(reply.time_us, self._start_us) if last_us is None else reply.time_us
            if time_us >= self._end_us or (last_us is not None and time_us <= last_us):
                self.is_complete = True
                break
            self.times_us.append(time_us)
            self._on_found()
        if len(self.times_us) >= FRAMES_MAX:
            self.is_complete = True
        self._on_found()
