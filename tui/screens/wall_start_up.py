"""Editing what consoles show first (VT-07, VT-08): a row for each terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.wire_wall import SCREENS, Arrangements, StartUpRow
from tui.start_up import StartUpChange, named_terminal, own_terminal, terminal_complaint
from widgets.dialog import Field, FormDialog
from widgets.shelf_dialog import ShelfDialog, ShelfEntry, ShelfVerb

if TYPE_CHECKING:
    from tui.screens.wall import LiveWall

VERBS = (
    ShelfVerb("enter", "edit", "change"),
    ShelfVerb("insert", "add", "new", ""),
    ShelfVerb("delete", "remove", "delete"),
)
HELP = "tty1 as `tty` names it, ssh = any over SSH, * = any other; none = a still, empty screen."


class StartUpEditor:
    """One dialog, and the form of a row."""

    def __init__(self, wall: LiveWall) -> None:
        self._wall = wall

    async def edit(self, found: Arrangements, said: str = "") -> StartUpChange | None:
        """What is to be done with one row; None = the dialog was left."""
        entries = [ShelfEntry(row.terminal, row.shows) for row in found.start_up]
        text = HELP if found.views else f"{HELP} There is no view to choose yet: V saves the wall as one."
        empty = "every console begins with the dashboard: ins chooses for one"
        dialog = ShelfDialog("Start-up", entries, VERBS, text=text, empty=empty, said=said)
        pick = await self._wall.app.push_screen_wait(dialog)
        if pick is None or not self._wall.may_change():
            return None
        before = next((row for row in found.start_up if row.terminal == pick.name), None)
        if pick.word == "remove":
            return StartUpChange(before, None)
        row = await self._row(found, before, pick.name)
        return StartUpChange(before, row or before)

    async def _row(self, found: Arrangements, before: StartUpRow | None, typed: str) -> StartUpRow | None:
        choices = (
            *SCREENS,
            *(f"view {view.name}" for view in found.views),
            *(f"tour {tour.name}" for tour in found.tours),
        )
        terminal = before.terminal if before else typed or own_terminal()
        shows = before.shows if before else "live"
        if shows not in choices:  # of a newer engine: it stays unless another is chosen
            choices = (*choices, shows)
        taken = {row.terminal for row in found.start_up if row is not before}
        fields = [
            Field(
                "terminal",
                "Terminal",
                terminal,
                is_required=True,
                check=lambda text: terminal_complaint(text, taken),
            ),
            Field("shows", "Shows", shows, kind="choice", choices=choices),
        ]
        values = await self._wall.app.push_screen_wait(FormDialog("Start-up", fields, text=HELP))
        if values is None:
            return None
        return StartUpRow(terminal=named_terminal(values["terminal"]), shows=values["shows"])
