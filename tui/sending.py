"""`:send to`: a video link for what is in hand, shown as lines to paste; a mix-in of the app."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from engine.client import WatchdeckError
from engine.wire_links import VideoLinkAsk
from tui.celldiff import CellDiffMixin
from tui.desk import Desk
from tui.screens.send_to import SendToLines
from tui.work import start

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.screens.view import View

MINUTES = 10
MINUTES_MAX = 1_440


class SendingMixin(CellDiffMixin):
    """Asks for the link and shows it; `watchdeck link remove` closes one early."""

    desk: Desk

    if TYPE_CHECKING:

        @property
        def view(self) -> View | None: ...

        @property
        def base(self) -> Screen[object]: ...

    def tell(self, text: str, *, is_error: bool = False) -> None:
        raise NotImplementedError

    def action_send_to(self, minutes: str = "") -> None:
        if minutes and not (minutes.isdecimal() and 1 <= int(minutes) <= MINUTES_MAX):
            self.tell(f"minutes: 1 to {MINUTES_MAX:,}", is_error=True)
            return
        target = self.view.sent_target() if self.view is not None else None
        if target is None:
            self.tell("no camera is in hand on this screen", is_error=True)
        elif not self.desk.mirror.is_connected:
            self.tell("no engine: wait until it is back", is_error=True)
        else:
            camera, stretch = target
            start(self, partial(self._send, camera, stretch, int(minutes or MINUTES)), "send_to")

    async def _send(self, camera: str, stretch: tuple[int, int] | None, minutes: int) -> None:
        start_us, end_us = stretch or (None, None)
        ask = VideoLinkAsk(camera=camera, start_us=start_us, end_us=end_us, minutes=minutes)
        try:
            link = await self.desk.client.add_video_link(ask)
        except WatchdeckError as error:
            self.tell(f"send to: {error}", is_error=True)
            return
        self.base.query_one(SendToLines).draw(self.desk, link)

    def action_copy_link(self) -> None:
        lines = self.base.query_one(SendToLines)
        if not lines.command:
            self.tell("no address is shown: ctrl+o makes one")
        else:
            self.copy_to_clipboard(lines.command)
            self.tell("sent to your terminal's clipboard, if it takes that (OSC 52)")

    def forget_link(self) -> bool:
        """Escape: the lines go, the address stays until its time is over: most often it has been pasted. False = none shown."""
        lines = self.base.query_one(SendToLines)
        if lines.link is None:
            return False
        lines.forget()
        return True
