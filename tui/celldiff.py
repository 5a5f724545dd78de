"""Only changed cells reach the wire: a mix-in over Textual's private `App._display` (docs/adr/0003-cell-diff.md).

Stock Textual writes whole strips of every widget that was refreshed, several writes a frame, and blocks its event loop
when the terminal does not read. Here each frame is one write with the cells that differ from what was sent;
when the terminal is behind, frames are not queued: the newest state is sent once there is room again.

    class ConsoleApp(CellDiffMixin, App[str]): ...
        .enable_pictures(has_pixels=...)   make `app.picture_output` (tui/graphics.py): pictures go at the pace of the link
        .forget_screen()       clear the terminal and send everything with the next frame
        .forget_cells(region)  something else drew there: send those cells again
        .action_repaint()      the same, for ctrl+l

Textual is pinned because of this module; tests/tui/test_celldiff.py compares its screens with stock Textual's.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any, Final

from rich.color import ColorSystem
from rich.console import RenderableType
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.geometry import Offset, Region
from textual.screen import Screen
from textual.strip import Strip
from textual.timer import Timer

from tui.cell_screen import CellScreen
from tui.graphics import PictureOutput

SYNC_START: Final = "\x1b[?2026h"
SYNC_END: Final = "\x1b[?2026l"
CLEAR: Final = "\x1b[0m\x1b[?25l\x1b[?7l\x1b[H\x1b[2J"
"""Of a terminal that others wrote on: colours off, cursor hidden, no wrapping, empty."""
QUEUED_WRITES: Final = 2
"""More writes than this waiting for the terminal: it is behind, frames wait (Textual would block at 30)."""
RETRY_S: Final = 0.05


class CellDiffMixin(App[str]):
    """Put it before `App`. Without a terminal (tests, inline) everything is as in stock Textual."""

    picture_output: PictureOutput | None = None
    """Who sends pictures at the pace of the link; None = there are none, or they are sent like everything else."""
    _cells: CellScreen | None = None
    _frame_timer: Timer | None = None
    _frame_due = float("inf")
    _sent_cursor: Offset | None = None
    _must_clear = False
    is_sync_allowed = True
    """Wrap frames in synchronised updates where the terminal answered that it knows them."""

    def enable_pictures(self, *, has_pixels: bool = True) -> None:
        """There will be pictures: call before the first `VideoCell` is mounted. `has_pixels`: the terminal draws sixel or kitty."""
        self.picture_output = PictureOutput(
            self._want_frame, has_pixels=has_pixels, is_drawing=lambda: not self.is_headless
        )

    def forget_cells(self, region: Region | None = None) -> None:
        """These cells (None = all) may show anything: send them again."""
        if self._cells is not None:
            self._cells.forget(region)
            self._want_frame(0.0)

    def forget_screen(self) -> None:
        """Clear the terminal and send everything."""
        self._must_clear = True
        self.forget_cells()

    def action_repaint(self) -> None:
        """ctrl+l: others wrote on the screen."""
        self.forget_screen()

    def write_apart(self, text: str) -> bool:
        """A short sequence between two frames (a frame is one write: it is never inside a picture); False = not now."""
        driver = self._driver
        if driver is None or self.is_headless or self._closed or not self._running:
            return False
        if getattr(driver, "_writer_thread", self) is None or self._is_terminal_behind():
            return False
        driver.write(text)
        return True

    def bell(self) -> None:
        """Ring; a terminal that is behind would ring late, and is spared it."""
        self.write_apart("\a")

    async def _process_messages_loop(self) -> None:
        """As long as the app runs. Its end, also by a fault, is the last moment at which the screen is still its own."""
        try:
            await super()._process_messages_loop()
        finally:
            if self._driver is not None and self.picture_output is not None and not self.is_headless:
                self._driver.write(self.picture_output.leave())

    # -- events ------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """A resize (also sent after suspension) leaves the terminal's content unknown; a position is an answer."""
        if isinstance(event, events.Resize):
            if self.picture_output is not None:
                self.picture_output.forget()
            self.forget_screen()
        elif isinstance(event, events.CursorPosition) and self.picture_output is not None:
            self.picture_output.acknowledge(event.time)
        await super().on_event(event)

    @property
    def _background_screens(self) -> list[Screen[Any]]:
        """Screens that shine through. Textual counts the one below even when the top one is opaque, and paints it
        with each of its changes: half the cost of an open dialog."""
        return [] if self.screen.styles.background.a == 1 else super()._background_screens

    # -- frames ------------------------------------------------------------------------------------------

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        driver = self._driver
        is_ours = (
            isinstance(renderable, LayoutUpdate | ChopsUpdate)
            and not self._batch_count
            and self._running
            and not self._closed
            and not self.is_headless
            and driver is not None
            and not driver.is_inline
        )
        if not is_ours:
            super()._display(screen, renderable)
            if renderable is not None and not isinstance(renderable, LayoutUpdate | ChopsUpdate):
                self.forget_cells()
            return
        assert isinstance(renderable, LayoutUpdate | ChopsUpdate)
        try:
            cells = self._cells
            size = self.size
            if cells is None or (cells.width, cells.height) != (size.width, size.height):
                system = self.console._color_system or ColorSystem.TRUECOLOR
                has_bright = os.environ.get("TERM") != "linux"
                cells = CellScreen(size.width, size.height, system, has_bright_colors=has_bright)
                cells.paces_pictures = self.picture_output is not None
                self._cells = cells
            for x, y, strip in _strips(renderable):
                cells.put(x, y, strip)
            self._send_frame()
        finally:
            self.post_display_hook()

    def _want_frame(self, delay_s: float) -> None:
        """A frame within so many seconds; the earliest wish counts."""
        if not self._running or self.is_headless:
            return
        due = self._loop_time() + delay_s
        if self._frame_timer is not None:
            if due >= self._frame_due:
                return
            self._frame_timer.stop()
        self._frame_due = due
        self._frame_timer = self.set_timer(max(delay_s, 0.001), self._on_frame_timer)

    def _loop_time(self) -> float:
        return asyncio.get_running_loop().time()

    def _on_frame_timer(self) -> None:
        self._frame_timer = None
        self._frame_due = float("inf")
        self._send_frame()

    def _is_terminal_behind(self) -> bool:
        """Earlier writes still wait for the terminal."""
        writer = getattr(self._driver, "_writer_thread", None)
        return writer is not None and writer._queue.qsize() > QUEUED_WRITES

    def _send_frame(self) -> None:
        """One write: what to erase, the cells that differ, a slice of a picture, the cursor."""
        cells, driver, pictures = self._cells, self._driver, self.picture_output
        if cells is None or driver is None or self._closed or not self._running or self._batch_count:
            return
        if getattr(driver, "_writer_thread", self) is None:
            return  # suspended, or not started
        if self._is_terminal_behind():
            self._want_frame(RETRY_S)
            return
        if (cells.width, cells.height) != self.size:
            return  # resized, and not laid out yet: what is known is of another screen
        parts: list[str] = []
        if self._must_clear:
            self._must_clear = False
            self._sent_cursor = None
            cells.forget()
            if pictures is not None:
                pictures.forget()
            parts.append(CLEAR)
        if pictures is not None:
            parts.append(pictures.erase_stale(cells))
        parts.append(cells.flush())
        if pictures is not None:
            parts.append(pictures.next_slice(cells, sum(len(part.encode()) for part in parts)))
        text = "".join(parts)
        cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        if not text and cursor == self._sent_cursor:
            if pictures is not None:
                pictures.written(0, cells)
            return
        self._sent_cursor = self._previous_cursor_position = cursor
        text += f"\x1b[{cursor.y + 1};{cursor.x + 1}H"
        if self._sync_available and self.is_sync_allowed:
            text = SYNC_START + text + SYNC_END
        driver.write(text)
        driver.flush()
        if pictures is not None:
            pictures.written(len(text.encode()), cells)


def _strips(update: LayoutUpdate | ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """(x, y, strip) of all that the compositor wants painted."""
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in line:
                yield x, y, strip
                x += strip.cell_length
        return
    for y, first, last in update.spans:
        for end, (x, part) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if part is None or x > last or end <= first:
                continue
            if not (last > x >= first and end <= last):
                part = part.crop(0, min(end, last) - x)
            yield x, y, part
