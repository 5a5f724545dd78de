"""A clip in one large picture: its frames at the pace the link allows, never slower than time. Manual rows TH-05, SS-15, BM-04.

Each frame is asked for when the one before was drawn, for the moment that has come by then: a slow line leaves frames out
and keeps the time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from tui.clip import Clip
from tui.picture_feed import PictureBoard
from tui.picture_wish import Wish
from tui.playback_clock import PlaybackClock
from tui.screens.text_pane import TextPane
from tui.screens.view import View
from tui.work import start
from widgets import format
from widgets.glyphs import glyphs_of
from widgets.video_cell import VideoCell

LEAST_WAIT_S = 0.02
RETRY_S = 0.5
"""Where nothing is recorded: time goes on meanwhile."""
BAR_CELLS = 24


class ClipPlayer(Vertical, can_focus=True):
    """Plays one clip and says when it has ended; the view brings the next one."""

    DEFAULT_CSS = """
    ClipPlayer { height: 1fr; display: none; }
    ClipPlayer > VideoCell { height: 1fr; }
    ClipPlayer > TextPane { height: 1; background: $surface; }
    """

    class Ended(Message):
        """The clip was played to its end."""

    def __init__(self, view: View, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._view = view
        self._board = PictureBoard(view, writes_notes=False, settle_s=0.0)
        self._monotonic = monotonic
        self._clip: Clip | None = None
        self._caption = ""
        self._clock = PlaybackClock()
        self._shown_us = 0
        """Time of the frame in sight."""

        self._cell = VideoCell()
        self._line = TextPane()

    def compose(self) -> ComposeResult:
        yield self._cell
        yield self._line

    @property
    def is_open(self) -> bool:
        return self._clip is not None

    @property
    def clip(self) -> Clip | None:
        """What is played; None = closed."""
        return self._clip

    @property
    def is_playing(self) -> bool:
        return self._clock.is_playing

    @property
    def at_us(self) -> int:
        """The moment that has come."""
        self._tell_clock()
        return self._clock.playhead_us

    @property
    def shown(self) -> tuple[str, int] | None:
        """Camera and time of the frame in sight; None = closed."""
        return None if self._clip is None else (self._clip.camera, self._shown_us)

    def _tell_clock(self) -> None:
        # A clip ends before the present does: nothing here becomes live.
        end_us = self._clip.end_us if self._clip is not None else 0
        self._clock.advance(self._monotonic(), max(self._view.desk.mirror.now_us, end_us) + 1)

    # -- what the view does ------------------------------------------------------------------------------

    def play(self, clip: Clip, caption: str = "") -> None:
        """From its beginning."""
        self._clip, self._caption = clip, caption
        self._clock = PlaybackClock()
        self._play_from(clip.start_us)
        self.display = True
        self.focus()
        self._draw()
        start(self._view, self._run, "player")
        self._view.tell_keys()

    def close(self) -> None:
        """Nothing more is asked for."""
        self._clip = None
        self._clock.pause()
        self.display = False
        self._board.stop()
        self._view.workers.cancel_group(self._view, "player")
        self._view.tell_keys()

    def pause(self) -> None:
        """Hold, or go on; at the end from the beginning."""
        clip = self._clip
        if clip is None:
            return
        if self.is_playing:
            self._clock.hold(self._shown_us)
            self._view.workers.cancel_group(self._view, "player")
        else:
            self._play_from(clip.start_us if self.at_us >= clip.end_us else self.at_us)
            start(self._view, self._run, "player")
        self._draw()

    def _play_from(self, time_us: int) -> None:
        self._tell_clock()
        self._shown_us = time_us
        self._clock.seek(time_us)
        self._clock.play(1)

    def step(self, frames: int) -> None:
        """The frame before (-1) or after (1), and hold there (TH-03)."""
        if self._clip is None:
            return
        if self.is_playing:
            self._clock.hold(self._shown_us)
        start(self._view, lambda: self._step(frames), "player")

    # -- frames ------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while (clip := self._clip) is not None and self.is_playing:
            if self.at_us >= clip.end_us:
                self._clock.hold(clip.end_us)
                self._draw()
                self.post_message(self.Ended())
                return
            wait_s = await self._fetch(self.at_us)
            await asyncio.sleep(min(wait_s, max(LEAST_WAIT_S, (clip.end_us - self.at_us) / 1_000_000)))

    async def _step(self, frames: int) -> None:
        await self._fetch(self._shown_us, frames)
        self._clock.hold(self._shown_us)
        self._draw()

    async def _fetch(self, at_us: int, step: int = 0) -> float:
        """Show the frame of a moment (or the one beside it) and wait until it is drawn; seconds until the next one is due."""
        cell, clip = self._cell, self._clip
        if clip is None or not cell.is_attached:
            return RETRY_S
        self._board.show([(cell, Wish(clip.camera, at_us, is_exact=True, step=step))])
        await self._board.settled()
        reply = self._board.reply_of(cell)
        if reply is None:
            self._shown_us = at_us
            self._draw()
            return RETRY_S
        if step and not clip.start_us <= reply.time_us < clip.end_us:
            self._board.show(
                [(cell, Wish(clip.camera, at_us, is_exact=True))]
            )  # scrubbing ends at the clip's ends
            return RETRY_S
        # The first frame of a clip is shown since before it: the clip's own time counts.
        self._shown_us = max(reply.time_us, clip.start_us)
        self._draw()
        if reply.until_us is None:
            return LEAST_WAIT_S
        return max(LEAST_WAIT_S, (reply.until_us - self.at_us) / 1_000_000)

    def _draw(self) -> None:
        clip = self._clip
        if clip is None:
            return
        zone, glyphs = self._view.desk.zone, glyphs_of(self)
        cell = self._cell
        cell.caption = f"{clip.camera}  {self._caption}".rstrip()
        local = format.local_datetime(self._shown_us, zone)
        cell.note = f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 100_000}"
        length_us = max(clip.end_us - clip.start_us, 1)
        done_us = max(0, min(self._shown_us - clip.start_us, length_us))
        state = "playing" if self.is_playing else "paused "
        words = f"{done_us / 1_000_000:.1f} of {length_us / 1_000_000:.1f} s"
        cells = max(4, min(BAR_CELLS, self.size.width - len(state) - len(words) - 4))
        filled = cells * done_us // length_us
        bar = glyphs.full * filled + glyphs.bar_empty * (cells - filled)
        self._line.show([Content.assemble(f" {state} ", (bar, "$primary"), f" {words}")])
