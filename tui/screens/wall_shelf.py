"""What is saved of the wall: layouts, views, tours and start-up, in dialogs (rows CL-03 to CL-05, LV-12, VT-01 to VT-09).

The engine keeps all of it, for everybody; each dialog asks for it anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import msgspec

from engine.client import WatchdeckError
from engine.wire_wall import Arrangements, Layout, StartUp, Tour, TourStop, WallView
from tui.screens.wall_start_up import StartUpEditor
from tui.wall_layouts import STANDARD, LayoutType, shape_of, standard_layout
from widgets import format
from widgets.dialog import ConfirmDialog, Field, FormDialog
from widgets.layout_picker import LayoutColumn, LayoutItem, LayoutPicker
from widgets.shelf_dialog import ShelfDialog, ShelfEntry, ShelfPick, ShelfVerb
from widgets.tour_editor import TourEditor

if TYPE_CHECKING:
    from tui.screens.wall import LiveWall

N = TypeVar("N", Layout, WallView, Tour)
NAME_LIMIT = 64
TITLES = {
    LayoutType.EQUAL: "Equal",
    LayoutType.PANORAMA: "Panorama",
    LayoutType.FOCUS: "Focus",
    LayoutType.VERTICAL: "Vertical",
    LayoutType.OWN: "Own",
}
VIEW_VERBS = (
    ShelfVerb("enter", "open", "open"),
    ShelfVerb("ctrl+t", "beside", "open beside this wall"),
    ShelfVerb("ctrl+s", "save", "save the wall under this name", "name"),
    ShelfVerb("f2", "rename", "rename"),
    ShelfVerb("delete", "remove", "delete"),
)
TOUR_VERBS = (
    ShelfVerb("enter", "start", "start"),
    ShelfVerb("insert", "add", "new", ""),
    ShelfVerb("ctrl+e", "edit", "change"),
    ShelfVerb("f2", "rename", "rename"),
    ShelfVerb("delete", "remove", "delete"),
)


def name_complaint(text: str) -> str:
    """What is wrong with a name; empty = nothing."""
    if "/" in text:
        return "a name holds no slash"
    return "" if len(text.strip()) <= NAME_LIMIT else f"at most {NAME_LIMIT} characters"


class WallShelf:
    """Belongs to the wall; its methods run as the wall's only dialog."""

    def __init__(self, wall: LiveWall) -> None:
        self._wall = wall
        self._said = ""

    async def _all(self) -> Arrangements | None:
        wall = self._wall
        return await wall.ask(wall.desk.client.arrangements(), "views") if wall.has_engine() else None

    async def _name(self, title: str, value: str = "") -> str | None:
        field = Field("name", "Name", value, is_required=True, check=name_complaint)
        values = await self._wall.app.push_screen_wait(FormDialog(title, [field]))
        return None if values is None else values["name"].strip()

    async def _confirm(self, title: str, text: str, confirm: str) -> bool:
        dialog = ConfirmDialog(title, text, confirm=confirm)
        return await self._wall.app.push_screen_wait(dialog)

    async def _change(self, call: Awaitable[Arrangements], doing: str, done: str) -> bool:
        try:
            await call
        except WatchdeckError as error:
            self._tell(f"{doing}: {error}", is_error=True)
            return False
        self._tell(done)
        return True

    def _tell(self, text: str, *, is_error: bool = False) -> None:
        """In the footer, and in the dialog that opens next, which covers it."""
        self._said = text
        self._wall.say(text, is_error=is_error)

    def _take_said(self) -> str:
        said, self._said = self._said, ""
        return said

    # -- layouts -----------------------------------------------------------------------------------------

    async def begin_new(self) -> None:
        """LV-12: an empty wall beside this one."""
        if self._wall.tabs.has_room and (layout := await self._choose_layout("Layout of another wall")):
            self._wall.tabs.begin(layout)

    async def pick_layout(self, name: str = "") -> None:
        if not name:
            layout = await self._choose_layout("Layout")
        else:
            layout = standard_layout(name)
            if layout is None and (found := await self._all()) is not None:
                layout = _named(found.layouts, name)
                if layout is None:
                    self._wall.say(f"no layout is called {name!r}", is_error=True)
        if layout is not None:
            self._open_layout(layout)

    def _open_layout(self, layout: Layout) -> None:
        wall = self._wall
        if wall.history.is_editing:
            wall.history.keep_edit()
        wall.is_full, wall.view_name, wall.mark = False, "", None
        after = wall.now.with_layout(layout)
        wall.do(after, is_own=False)
        wall.fill()

    async def _choose_layout(self, title: str) -> Layout | None:
        wall, self._said = self._wall, ""
        while True:
            own = found.layouts if (found := await self._all()) is not None else ()
            by_key = {f"own {each.name}": each for each in own}
            columns = [LayoutColumn(TITLES[kind], _items("", several)) for kind, several in STANDARD.items()]
            columns.append(LayoutColumn(TITLES[LayoutType.OWN], _items("own ", own), is_own=True))
            now = wall.now.layout.name
            chosen = f"own {now}" if f"own {now}" in by_key else now
            picker = LayoutPicker(title, columns, chosen=chosen, said=self._take_said())
            pick = await wall.app.push_screen_wait(picker)
            if pick is None:
                return None
            if pick.verb == "open":
                return by_key.get(pick.key) or standard_layout(pick.key)
            if wall.may_change():
                layout = by_key[pick.key]
                await (self._rename_layout if pick.verb == "rename" else self._remove_layout)(layout)

    async def _rename_layout(self, layout: Layout) -> None:
        name = await self._name("Rename layout", layout.name)
        if name and name != layout.name:
            renamed = msgspec.structs.replace(layout, name=name)
            call = self._wall.desk.client.put_layout(renamed, old_name=layout.name)
            await self._change(call, "layout", f"layout {layout.name} is now {name}")

    async def _remove_layout(self, layout: Layout) -> None:
        text = "Views made with it stay as they are."
        if await self._confirm(f"Delete layout {layout.name}?", text, "Delete"):
            call = self._wall.desk.client.remove_layout(layout.name)
            await self._change(call, "layout", f"layout {layout.name} deleted")

    async def save_layout(self, name: str = "") -> None:
        """CL-03."""
        wall, found = self._wall, await self._all()
        if found is None:
            return
        now = wall.now.layout
        own = _named(found.layouts, now.name)
        name = name or await self._name("Save layout", own.name if own else "") or ""
        if complaint := name_complaint(name):
            wall.say(complaint, is_error=True)
        elif name and await self._may_replace("layout", _named(found.layouts, name)):
            layout = msgspec.structs.replace(now, name=name)
            call = wall.desk.client.put_layout(layout)
            if await self._change(call, "layout", f"layout {name} saved: {shape_of(layout)}"):
                kept = wall.history.keep_edit()
                wall.is_automatic = wall.is_automatic and not kept
                wall.history.look(replace(wall.now, layout=layout))
                wall.rearrange()

    async def _may_replace(self, kind: str, known: Layout | WallView | Tour | None) -> bool:
        if known is None:
            return True
        return await self._confirm(
            f"Replace {kind} {known.name}?", f"There is a {kind} of this name already.", "Replace"
        )

    # -- views -------------------------------------------------------------------------------------------

    async def views(self, name: str = "") -> None:
        """VT-01."""
        self._said = ""
        while (found := await self._all()) is not None:
            if name:
                self._open_named(found, name)
                return
            entries = [ShelfEntry(view.name, _view_note(view, found)) for view in found.views]
            empty = "no view yet: type a name, ctrl+s saves the wall under it"
            pick = await self._wall.app.push_screen_wait(
                ShelfDialog("Views", entries, VIEW_VERBS, empty=empty, said=self._take_said())
            )
            if pick is None:
                return
            if pick.word in ("open", "beside"):
                self._open_named(found, pick.name, is_beside=pick.word == "beside")
                return
            if pick.word == "save":
                if self._wall.may_change():
                    await self.save_view(pick.name)
                return
            if self._wall.may_change():
                await self._change_view(pick, found)

    def _open_named(self, found: Arrangements, name: str, *, is_beside: bool = False) -> None:
        view = _named(found.views, name)
        if view is None:
            self._wall.say(f"no view is called {name!r} (v lists them)", is_error=True)
        elif not is_beside:
            self._wall.open_view(view)
        elif self._wall.tabs.has_room:
            self._wall.tabs.begin(view.layout)
            self._wall.open_view(view)

    async def _change_view(self, pick: ShelfPick, found: Arrangements) -> None:
        wall = self._wall
        view = _named(found.views, pick.name)
        if view is None:
            return
        if pick.word == "rename":
            name = await self._name("Rename view", view.name)
            if name and name != view.name:
                call = wall.desk.client.put_view(msgspec.structs.replace(view, name=name), old_name=view.name)
                if await self._change(call, "view", f"view {view.name} is now {name}"):
                    wall.view_name = name if wall.view_name == view.name else wall.view_name
                    wall.draw_title()
        elif await self._confirm(
            f"Delete view {view.name}?", "The cameras and their footage stay.", "Delete"
        ):
            call = wall.desk.client.remove_view(view.name)
            await self._change(call, "view", f"view {view.name} deleted")

    async def save_view(self, name: str = "") -> None:
        wall, found = self._wall, await self._all()
        if found is None:
            return
        if not name:
            name = await self._name("Save view", wall.view_name) or ""
        known = _named(found.views, name)
        is_own = known is not None and known.name == wall.view_name
        if complaint := name_complaint(name):
            wall.say(complaint, is_error=True)
        elif name and (is_own or await self._may_replace("view", known)):
            overlay = wall.overlay.of_view
            view = WallView(
                name=name,
                layout=wall.now.layout,
                cameras=tuple(c.name if (c := wall.camera_of(uuid)) else "" for uuid in wall.now.cameras),
                overlay=None if overlay is None else overlay.elements,
                is_overlay_on_top=None if overlay is None else overlay.is_on_top,
            )
            if await self._change(wall.desk.client.put_view(view), "view", f"view {name} saved"):
                wall.view_name, wall.is_automatic = name, False
                wall.draw_title()

    # -- tours -------------------------------------------------------------------------------------------

    async def tours(self, name: str = "") -> None:
        """VT-02 to VT-05."""
        wall, self._said = self._wall, ""
        while (found := await self._all()) is not None:
            if name:
                self._start(found, name)
                return
            entries = [ShelfEntry(tour.name, _tour_note(tour)) for tour in found.tours]
            empty = (
                "no tour yet: ins makes one"
                if found.views
                else "no tour yet, and no view: V saves the wall as one"
            )
            dialog = ShelfDialog("Tours", entries, TOUR_VERBS, empty=empty, said=self._take_said())
            pick = await wall.app.push_screen_wait(dialog)
            if pick is None:
                return
            if pick.word == "start":
                self._start(found, pick.name)
                return
            if wall.may_change():
                await self._change_tour(pick, found)

    def _start(self, found: Arrangements, name: str) -> None:
        tour = _named(found.tours, name)
        views = {view.name.casefold(): view for view in found.views}
        if tour is None:
            self._wall.say(f"no tour is called {name!r} (T lists them)", is_error=True)
        elif missing := [stop.view for stop in tour.stops if stop.view.casefold() not in views]:
            self._wall.say(f"tour {tour.name}: no view is called {missing[0]!r}", is_error=True)
        else:
            self._wall.start_tour(tour, views)

    async def _change_tour(self, pick: ShelfPick, found: Arrangements) -> None:
        wall = self._wall
        if pick.word == "add":
            await self._edit_tour(found, None, pick.name)
            return
        tour = _named(found.tours, pick.name)
        if tour is None:
            return
        if pick.word == "edit":
            await self._edit_tour(found, tour, tour.name)
        elif pick.word == "rename":
            name = await self._name("Rename tour", tour.name)
            if name and name != tour.name:
                renamed = msgspec.structs.replace(tour, name=name)
                call = wall.desk.client.put_tour(renamed, old_name=tour.name)
                await self._change(call, "tour", f"tour {tour.name} is now {name}")
        elif await self._confirm(f"Delete tour {tour.name}?", "Its views stay.", "Delete"):
            await self._change(wall.desk.client.remove_tour(tour.name), "tour", f"tour {tour.name} deleted")

    async def _edit_tour(self, found: Arrangements, tour: Tour | None, name: str) -> None:
        wall = self._wall
        if not found.views:
            self._tell("a tour is made of views: save one first (V)", is_error=True)
            return
        if tour is None:
            name = name or await self._name("New tour") or ""
            if not name or not await self._may_replace("tour", _named(found.tours, name)):
                return
        stops = [(stop.view, stop.seconds) for stop in tour.stops] if tour else []
        editor = TourEditor(f"Tour {name}", [view.name for view in found.views], stops)
        chosen = await wall.app.push_screen_wait(editor)
        if chosen is not None:
            wanted = Tour(
                name=name, stops=tuple(TourStop(view=view, seconds=seconds) for view, seconds in chosen)
            )
            await self._change(wall.desk.client.put_tour(wanted), "tour", f"tour {name} saved")

    # -- start-up ----------------------------------------------------------------------------------------

    async def start_up(self) -> None:
        """VT-07 to VT-09."""
        self._said = ""
        while (found := await self._all()) is not None:
            change = await StartUpEditor(self._wall).edit(found, self._take_said())
            if change is None or not self._wall.may_change():
                return
            # Only this row is changed: another console may have saved its own since the dialog opened.
            if not change.is_one or (newest := await self._all()) is None:
                continue
            rows = change.of(newest.start_up)
            if isinstance(rows, str):
                self._tell(rows, is_error=True)
                continue
            call = self._wall.desk.client.put_start_up(StartUp(rows=rows))
            if await self._change(call, "start-up", "saved; consoles follow when they start"):
                self._wall.tabs.follow(rows)


def _named(things: Iterable[N], name: str) -> N | None:
    return next((each for each in things if each.name.casefold() == name.casefold()), None)


def _items(prefix: str, layouts: Iterable[Layout]) -> list[LayoutItem]:
    return [
        LayoutItem(prefix + each.name, each.name, each.columns, each.rows, each.cells) for each in layouts
    ]


def _view_note(view: WallView, found: Arrangements) -> str:
    cameras = sum(bool(name) for name in view.cameras)
    tours = [tour.name for tour in found.tours if any(stop.view == view.name for stop in tour.stops)]
    return f"{view.layout.name}, {format.plural(cameras, 'camera')}" + (
        f", in {', '.join(tours)}" if tours else ""
    )


def _tour_note(tour: Tour) -> str:
    seconds = sum(stop.seconds for stop in tour.stops)
    return f"{format.plural(len(tour.stops), 'view')}, {seconds} s"
