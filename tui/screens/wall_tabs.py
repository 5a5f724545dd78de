"""Several walls open at once, one in front (manual rows LV-12, HK-02, HK-03), and how they are kept between runs (VT-07).

A tab is a wall of its own: layout, cameras, steps to take back, words of its view. Zoom belongs to the cameras. Tabs live as long as
the console; where this terminal begins with the last wall, the engine keeps layouts and cameras with every change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from rich.cells import cell_len
from textual.content import Content

from engine.client import WatchdeckError
from engine.wire_wall import TAB_LIMIT, LastTab, LastWall, Layout, StartUpRow
from tui.desk import Undo
from tui.screens.cell_menu import CellMenuView
from tui.screens.text_pane import TextPane
from tui.start_up import kept_under
from tui.wall_arrangement import Arrangement
from tui.wall_history import WallHistory
from tui.work import start
from widgets.dialog import Field, FormDialog
from widgets.format import fit
from widgets.overlay import Overlay
from widgets.pick_dialog import Option, PickDialog

if TYPE_CHECKING:
    from tui.app import WatchdeckApp
    from tui.screens.wall import LiveWall

NAME_LIMIT = 64
FRAME = len(" 1  ")
"""Cells of a tab around its label."""
LEAST_LABEL = 4
"""Cells of a label; with less room only the tab in front has one."""


@dataclass(slots=True)
class WallTab:
    """Everything of a wall that is not the cameras' or the console's."""

    history: WallHistory
    name: str = ""
    """Its own; empty = named after what it shows."""
    view_name: str = ""
    is_automatic: bool = False
    page: int = 0
    of_view: Overlay | None = None

    @property
    def label(self) -> str:
        return self.name or self.view_name or self.history.now.layout.name


class WallTabs:
    """Belongs to the wall, which has the state of the tab in front itself. Event-loop thread only."""

    def __init__(self, wall: LiveWall) -> None:
        self._wall = wall
        self._tabs = [WallTab(wall.history, is_automatic=True)]
        self._front = 0
        self._kept: LastWall | None = None
        """What the engine has."""
        self._was_asked = False
        """How the wall was left is known: from now on it may be kept anew."""

    @property
    def now(self) -> tuple[WallTab, ...]:
        """All, as they are."""
        wall, tab = self._wall, self._tabs[self._front]
        tab.history, tab.view_name, tab.page = wall.history, wall.view_name, wall.page
        tab.is_automatic, tab.of_view = wall.is_automatic, wall.overlay.of_view
        return tuple(self._tabs)

    @property
    def has_room(self) -> bool:
        """For one more; says so when there is none."""
        if len(self._tabs) < TAB_LIMIT:
            return True
        self._wall.say(f"{TAB_LIMIT} walls are open: ctrl+w closes the one in front", is_error=True)
        return False

    # -- one in front ------------------------------------------------------------------------------------

    def _show(self, number: int) -> None:
        wall, tab = self._wall, self._tabs[number]
        self._front = number
        wall.history, wall.view_name, wall.page = tab.history, tab.view_name, tab.page
        wall.is_automatic, wall.overlay.of_view = tab.is_automatic, tab.of_view
        wall.is_full, wall.mark = False, None
        wall.fill()

    def begin(self, layout: Layout) -> None:
        """An empty wall behind the one in front, and to the front."""
        self._put(self._front + 1, WallTab(WallHistory(Arrangement(layout, ("",) * len(layout.cells)))))

    def _put(self, number: int, tab: WallTab) -> None:
        self._tabs = [*self.now[:number], tab, *self.now[number:]]
        self._show(number)

    def step(self, by: int) -> None:
        """The next one, round and round."""
        count = len(self.now)
        if count < 2:
            self._wall.say("this is the only wall: ctrl+t opens another")
        else:
            self._show((self._front + by) % count)

    def go(self, wanted: str) -> None:
        """By number or name."""
        tabs = self.now
        labels = [tab.label.casefold() for tab in tabs]
        if wanted.isdecimal() and 1 <= int(wanted) <= len(tabs):
            self._show(int(wanted) - 1)
        elif wanted.casefold() in labels:
            self._show(labels.index(wanted.casefold()))
        else:
            self._wall.say(f"no wall is called {wanted!r}; there are 1 to {len(tabs)}", is_error=True)

    def close(self) -> None:
        """HK-02; it can be brought back as it was."""
        tabs, number, desk = self.now, self._front, self._wall.desk
        tab = tabs[number]
        if len(tabs) == 1:
            self._wall.say("this is the only wall")
            return
        del self._tabs[number]
        self._show(min(number, len(self._tabs) - 1))

        async def bring_back() -> bool:
            if not self.has_room:
                return False
            self._put(min(number, len(self._tabs)), tab)
            return True

        desk.undo.append(Undo(f"wall {tab.label} closed", bring_back))
        self._wall.say(f"wall {tab.label} closed (z brings it back)")

    def rename(self, name: str) -> None:
        """Of the one in front; empty = named after what it shows."""
        self.now[self._front].name = name
        self._wall.rearrange()

    # -- words -------------------------------------------------------------------------------------------

    def draw(self) -> None:
        """A line with all of them, when there are several."""
        wall, tabs = self._wall, self.now
        pane = wall.query_one("#wall-tabs", TextPane)
        pane.display = len(tabs) > 1 and not wall.is_bare
        if pane.display:
            pane.show(
                [
                    tab_line(
                        [tab.label for tab in tabs], self._front, wall.size.width, wall.desk.glyphs.ellipsis
                    )
                ]
            )

    def options(self) -> list[Option]:
        """To pick one of; keys are numbers."""
        return [
            Option(str(number), tab.label, tab.history.now.layout.name)
            for number, tab in enumerate(self.now, 1)
        ]

    @property
    def front(self) -> int:
        """Number of the one in front, from 1."""
        return self._front + 1

    # -- between runs ------------------------------------------------------------------------------------

    @property
    def left(self) -> LastWall:
        """What is kept."""
        return LastWall(tabs=tuple(_left(tab) for tab in self.now), front=self._front)

    def keep(self) -> None:
        """Where this terminal begins with the last wall; what a tour shows and layouts under edit are not kept."""
        wall, desk = self._wall, self._wall.desk
        if not desk.last_wall or not self._was_asked or desk.is_read_only:
            return
        if wall.tour.is_running or any(tab.history.is_editing for tab in self.now):
            return
        left = self.left
        if left != self._kept and desk.mirror.is_connected:
            self._kept = left
            start(wall, partial(self._send, desk.last_wall, left), "last-wall")

    def follow(self, rows: Iterable[StartUpRow]) -> None:
        """Another start-up choice was made here: from now on this wall is kept, or is not."""
        app = cast("WatchdeckApp", self._wall.app)
        self._wall.desk.last_wall = kept_under(rows, app.terminal_names)
        self._was_asked, self._kept = True, None
        self.keep()

    async def _send(self, terminal: str, left: LastWall) -> None:
        try:
            await self._wall.desk.client.put_last_wall(terminal, left)
        except WatchdeckError as error:
            self._kept = None
            self._wall.say(f"the wall is not kept: {error}", is_error=True)

    def restore(self) -> None:
        """As it was left, unless somebody arranged something meanwhile."""
        if self._wall.desk.last_wall and not self._was_asked and self._wall.desk.mirror.is_connected:
            start(self._wall, self._fetch, "last-wall")

    async def _fetch(self) -> None:
        wall = self._wall
        try:
            left = await wall.desk.client.last_wall(wall.desk.last_wall)
        except WatchdeckError as error:
            wall.say(f"the last wall: {error}", is_error=True)
            return
        self._was_asked = True
        is_untouched = len(self._tabs) == 1 and wall.is_automatic and not wall.history.can_undo
        if left.tabs and is_untouched:
            self._tabs = [self._tab(tab) for tab in left.tabs]
            self._kept = left
            self._show(min(left.front, len(self._tabs) - 1))
        self.keep()

    def _tab(self, left: LastTab) -> WallTab:
        """Cameras that are gone leave empty cells."""
        known = {camera.uuid for camera in self._wall.desk.mirror.cameras}
        cameras = tuple(uuid if uuid in known else "" for uuid in left.cameras)
        tab = WallTab(WallHistory(Arrangement(left.layout, cameras)), left.name, left.view, left.is_automatic)
        if left.overlay is not None:
            tab.of_view = Overlay(left.overlay, bool(left.is_overlay_on_top))
        return tab


def _left(tab: WallTab) -> LastTab:
    now, words = tab.history.now, tab.of_view
    return LastTab(
        name=tab.name,
        view=tab.view_name,
        layout=now.layout,
        cameras=("",) * len(now.cameras) if tab.is_automatic else now.cameras,
        is_automatic=tab.is_automatic,
        overlay=None if words is None else words.elements,
        is_overlay_on_top=None if words is None else words.is_on_top,
    )


def tab_line(labels: list[str], front: int, width: int, ellipsis: str) -> Content:
    """Numbers and labels in one line; long ones are cut alike. Where there is no room for all of them the others are numbers."""
    longest = width // len(labels) - FRAME
    if longest < LEAST_LABEL:
        own = max(1, width - (len(labels) - 1) * len(" 1 ") - FRAME)
        rooms = [own if number == front else 0 for number in range(len(labels))]
    else:
        cells = [cell_len(label) for label in labels]
        while longest < width and sum(min(each, longest + 1) + FRAME for each in cells) <= width:
            longest += 1
        rooms = [min(each, longest) for each in cells]
    parts = []
    for number, (label, room) in enumerate(zip(labels, rooms, strict=True)):
        text = f" {number + 1} {fit(label, room, ellipsis).rstrip()}".rstrip() + " "
        parts.append((text, "bold reverse" if number == front else ""))
    return Content.assemble(*parts)


class TabbedWall(CellMenuView):
    """The keys of tabs; the wall is one."""

    tabs: WallTabs

    def action_tab(self, wanted: str = "") -> None:
        if wanted:
            self.tabs.go(wanted)
        else:
            start(self, self._pick_tab, "dialog")

    async def _pick_tab(self) -> None:
        dialog = PickDialog("Walls", self.tabs.options(), chosen=(str(self.tabs.front),), submit="Show")
        picked = await self.app.push_screen_wait(dialog)
        if picked:
            self.tabs.go(picked[0])

    def action_tab_step(self, by: int) -> None:
        self.tabs.step(by)

    def action_close_tab(self) -> None:
        self.tabs.close()

    def action_name_tab(self, name: str = "") -> None:
        if name:
            self.tabs.rename(name[:NAME_LIMIT])
        else:
            start(self, self._ask_name, "dialog")

    async def _ask_name(self) -> None:
        tab = self.tabs.now[self.tabs.front - 1]
        field = Field("name", "Name", tab.name, hint="empty = what it shows", check=_name_complaint)
        values = await self.app.push_screen_wait(FormDialog(f"Name of wall {self.tabs.front}", [field]))
        if values is not None:
            self.tabs.rename(values["name"].strip())


def _name_complaint(text: str) -> str:
    return "" if len(text.strip()) <= NAME_LIMIT else f"at most {NAME_LIMIT} characters"
