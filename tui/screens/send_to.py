"""A video link as lines above the footer, to be pasted on somebody's own machine; what is behind them goes on. Esc takes them away.

Each command stands on lines of its own without a frame, so that a terminal's selection takes it whole; `y` copies the first (OSC 52).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

from textual.content import Content

from engine.wire_links import VideoLink
from tui.desk import Desk
from tui.paste_line import PasteLine, paste_lines
from tui.screens.text_pane import TextPane
from widgets import format


class SendToLines(TextPane):
    """Not there until a link is shown."""

    DEFAULT_CSS = """
    SendToLines { height: auto; display: none; background: $surface; color: $foreground; }
    """

    def __init__(self) -> None:
        super().__init__(id="send-to")
        self._link: VideoLink | None = None
        self._lines_made: tuple[PasteLine, ...] = ()

    @property
    def command(self) -> str:
        """The one to copy; empty when there is none."""
        return self._lines_made[0].text if self._link is not None and self._lines_made else ""

    @property
    def link(self) -> VideoLink | None:
        return self._link

    def draw(self, desk: Desk, link: VideoLink) -> None:
        """Show it, in place of the one before."""
        left_s = max((link.expires_us - desk.mirror.now_us) // 1_000_000, 1)
        self._link = link
        self._lines_made = paste_lines(link, os.environ, socket.gethostname(), left_s)
        self.again(desk)

    def again(self, desk: Desk) -> None:
        """The width changed, or a second passed; an address that is over goes by itself."""
        link = self._link
        if link is None:
            return
        left_us = link.expires_us - desk.mirror.now_us
        if left_us <= 0:
            self.forget()
            return
        what = "live" if link.start_us is None else format.local_time(link.start_us, desk.zone)
        title = Content.assemble(
            (f" {link.camera} {what}", "bold"),
            f"  on your own machine, for {format.duration(left_us)} more",
            ("  y copies, esc closes", "dim"),
        )
        lines = [title]
        for line in self._lines_made:
            lines += wrapped(line, max(self.app.size.width, 20))
        self.styles.height = len(lines)
        self.display = True
        self.show(lines)

    def forget(self) -> None:
        self._link = None
        self.display = False


def wrapped(line: PasteLine, columns: int) -> Sequence[Content]:
    """As many rows as it needs: what is selected over them and pasted is one line again."""
    label = f"{line.label}: "
    text = label + line.text
    pieces = [text[start : start + columns] for start in range(0, len(text), columns)]
    return [
        Content.assemble((piece[: len(label)], "dim"), piece[len(label) :]) if not number else Content(piece)
        for number, piece in enumerate(pieces)
    ]
