"""What can be done with the picture in hand, as a menu: with the right mouse button, or M. Manual rows VC-01 to VC-05, PB-04, PB-06.

A view has the ids of its commands in `MENU`; the menu runs them as their keys do, so that it knows nothing of what they mean.
"""

from __future__ import annotations

from typing import ClassVar

from textual import on

from tui.commands import BY_ID, Scope
from tui.screens.frame import FooterLine, key_name
from tui.screens.view import View
from tui.work import start
from widgets.pick_dialog import Option, PickDialog
from widgets.video_cell import VideoCell

WALL_MENU = (
    "wall.open",
    "wall.playback",
    "wall.snapshot",
    "wall.thumbnails",
    "wall.motion",
    "wall.bookmark",
    "wall.nearer",
    "wall.whole",
    "wall.overlay",
    "wall.recordings",
    "app.send_to",
    "wall.pick",
    "wall.move",
    "wall.swap",
    "wall.empty",
)
PLAYBACK_MENU = (
    "playback.snapshot",
    "playback.bookmark",
    "playback.thumbnails",
    "playback.motion",
    "playback.live",
    "playback.zoom_in",
    "playback.zoom_out",
    "playback.sync",
    "playback.enlarge",
    "playback.types",
    "app.send_to",
    "playback.export",
    "playback.to_case",
    "playback.lock",
)
"""The last ones need a range."""


class CellMenuView(View):
    """Base of views with pictures that have a menu."""

    MENU: ClassVar[tuple[str, ...]] = ()
    """Ids of commands, most wanted first."""

    @property
    def menu_title(self) -> str:
        """The camera in hand; empty = there is none, and no menu."""
        return ""

    @property
    def no_menu(self) -> str:
        """Why there is no menu."""
        return "no camera is in hand"

    def take_in_hand(self, cell: VideoCell) -> bool:
        """The menu of this picture is wanted; False = not now."""
        return True

    @on(VideoCell.MenuWanted)
    def _menu_wanted(self, event: VideoCell.MenuWanted) -> None:
        event.stop()
        if self.take_in_hand(event.control):
            self.action_menu()

    def action_menu(self) -> None:
        if self.menu_title:
            start(self, self._choose, "menu")
        else:
            self.say(self.no_menu, is_error=True)

    async def _choose(self) -> None:
        own = self.app.screen_stack[0].query_one(FooterLine).keys
        options = [
            Option(id, BY_ID[id].title, key_name(own.get(id, BY_ID[id].keys).split(",")[0]), BY_ID[id].help)
            for id in self.MENU
        ]
        picked = await self.app.push_screen_wait(PickDialog(self.menu_title, options, submit="Do"))
        if picked:
            command = BY_ID[picked[0]]
            await self.app.run_action(command.action, self.app if command.scope is Scope.EVERYWHERE else self)
