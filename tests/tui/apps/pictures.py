"""Two video cells with terminal pictures. Run as `python -m tests.tui.apps.pictures sixel|kitty`.

Keys: n new pictures, f flood (20 new pictures a second for two seconds), c clear the first, m dialog, s other screen, k echo.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Literal, cast

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Static

from tui.celldiff import CellDiffMixin
from widgets.dialog import ConfirmDialog
from widgets.picture import TerminalPicture
from widgets.video_cell import VideoCell

KIND = cast("Literal['sixel', 'kitty']", sys.argv[1] if len(sys.argv) > 1 else "sixel")


def picture(number: int, image_id: int) -> TerminalPicture:
    """20 x 5 cells of 10 x 20 pixels, about 4 kB."""
    if KIND == "kitty":
        payload = f"\x1b_Ga=T,f=100,q=2,C=1,c=20,r=5,i={image_id},p=1;{number:04}{'A' * 4000}\x1b\\"
    else:
        payload = f'\x1bP0;1;0q"1;1;200;100#{number}{"~" * 4000}\x1b\\'
    return TerminalPicture(KIND, 20, 5, payload.encode(), image_id)


class Pictures(CellDiffMixin):
    """Two cells side by side and a line below."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "VideoCell { width: 1fr; height: 10; } #line { height: 1; }"
    BINDINGS = [  # noqa: RUF012
        Binding("n", "new", "new"),
        Binding("f", "flood", "flood"),
        Binding("c", "clear", "clear"),
        Binding("m", "ask", "ask"),
        Binding("s", "other", "other"),
        Binding("k", "echo", "echo"),
        Binding("d", "drop", "drop"),
    ]
    number = 0
    echoes = 0

    def __init__(self) -> None:
        super().__init__()
        self.enable_pictures()

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield VideoCell(caption="one", id="one")
            yield VideoCell(caption="two", id="two")
        yield Static("ready", id="line")

    def action_new(self) -> None:
        self.number += 1
        for index, cell in enumerate(self.query(VideoCell)):
            cell.set_picture(picture(self.number, index + 1))

    def action_flood(self) -> None:
        self.run_worker(self.flood())

    async def flood(self) -> None:
        for _ in range(40):
            self.action_new()
            await asyncio.sleep(0.05)
        self.query_one("#line", Static).update(f"flooded {self.number}")

    def action_clear(self) -> None:
        self.query_one("#one", VideoCell).clear("switched off")

    def action_drop(self) -> None:
        self.query_one("#two", VideoCell).remove()

    def action_ask(self) -> None:
        self.push_screen(ConfirmDialog("Remove one?", "It goes."))

    def action_other(self) -> None:
        screen: Screen[None] = Screen()
        self.push_screen(screen)

    def action_echo(self) -> None:
        self.echoes += 1
        self.query_one("#line", Static).update(f"echo {self.echoes}")


if __name__ == "__main__":
    Pictures().run(mouse=False)
