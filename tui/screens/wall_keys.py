"""What the keys of the wall do. A mix-in of LiveWall: it turns them into steps of the history and calls of what the wall is made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from engine import wire
from tui.commands import Scope
from tui.screens.view import View
from tui.screens.wall_buttons import ButtonBar
from tui.screens.wall_camera import WallCamera
from tui.screens.wall_overlay import WallOverlay
from tui.screens.wall_shelf import WallShelf
from tui.wall_arrangement import Arrangement
from tui.wall_history import WallHistory
from widgets.pick_dialog import Option, PickDialog

EDIT_FIRST = "keep the layout (enter) or leave it (esc) first"


class WallKeys(View):
    """Needs what LiveWall makes when it begins."""

    history: WallHistory
    camera: WallCamera
    shelf: WallShelf
    overlay: WallOverlay
    view_name: str
    is_automatic: bool
    page: int
    is_full: bool
    is_bare: bool
    mark: tuple[str, int] | None

    @property
    def now(self) -> Arrangement:
        """What stands where."""
        return self.history.now

    def chosen(self) -> wire.CameraView | None:
        """The camera of the selected cell; says so when there is none."""
        raise NotImplementedError

    def show_bars(self) -> None:
        """With or without them, as it is bare or not."""
        raise NotImplementedError

    def rearrange(self) -> None:
        """Show what is arranged now."""
        raise NotImplementedError

    def do(self, after: Arrangement, *, is_own: bool = True) -> bool:
        """A step that can be taken back."""
        raise NotImplementedError

    def put(self, uuid: str) -> None:
        """A camera into the selected cell."""
        raise NotImplementedError

    def work(self, task: Callable[[], Awaitable[object]]) -> None:
        """A dialog or a call, one at a time."""
        raise NotImplementedError

    # -- moving ------------------------------------------------------------------------------------

    def action_step(self, across: int, down: int) -> None:
        if self.is_full:
            uuid = self.now.camera
            if self.camera.zoom_of(uuid).is_zoomed:
                self.camera.pan(across, down)
                return
            filled = [number for number, each in enumerate(self.now.cameras) if each]
            if len(filled) > 1:
                at = filled.index(self.now.selected) if self.now.selected in filled else 0
                self.history.look(self.now.select(filled[(at + across + down) % len(filled)]))
        else:
            self.history.look(self.now.step(across, down))
        self.rearrange()

    def action_open(self) -> None:
        if self.mark is not None:
            self._put_down(self.mark[0])
        elif self.history.is_editing:
            kept = self.history.keep_edit()
            self.view_name = "" if kept else self.view_name
            self.is_automatic = self.is_automatic and not kept
            self.say("layout kept: s saves it under a name" if kept else "the layout stays as it was")
            self.rearrange()
        elif not self.is_full and not self.now.camera:
            self.action_pick()
        else:
            self.is_full = not self.is_full
            self.rearrange()

    def action_bare(self) -> None:
        self.is_bare = not self.is_bare
        self.show_bars()

    def action_page(self, by: int) -> None:
        if self.history.is_editing:
            self.say(EDIT_FIRST)
            return
        count, cameras = len(self.now.layout.cells), self.desk.mirror.cameras
        last = max(0, (len(cameras) - 1) // count)
        wanted = self.page + by if self.is_automatic else 0
        if not 0 <= wanted <= last or (self.is_automatic and wanted == self.page):
            self.say("these are the last cameras" if by > 0 else "these are the first cameras")
            return
        self.page, self.is_automatic, self.view_name, self.is_full = wanted, True, "", False
        page = [camera.uuid for camera in cameras[wanted * count : (wanted + 1) * count]]
        self.do(self.now.with_cameras(page).select(0), is_own=False)

    # -- cameras in cells --------------------------------------------------------------------------

    def action_pick(self, name: str = "") -> None:
        if name:
            wanted = name.casefold()
            found = next((c for c in self.desk.mirror.cameras if c.name.casefold() == wanted), None)
            if found is None:
                self.say(f"no camera is called {name!r}", is_error=True)
            else:
                self.put(found.uuid)
        else:
            self.work(self._pick)

    async def _pick(self) -> None:
        cameras, shown = self.desk.mirror.cameras, set(self.now.cameras)
        if not cameras:
            self.say("there is no camera yet (:camera add)")
            return
        options = [
            Option(c.uuid, c.name, "on the wall" if c.uuid in shown else str(c.state)) for c in cameras
        ]
        dialog = PickDialog("Camera of this cell", options, chosen=(self.now.camera,), submit="Show")
        picked = await self.app.push_screen_wait(dialog)
        if picked:
            self.put(picked[0])

    def action_empty(self) -> None:
        if self.now.camera and not self.history.is_editing:
            self.do(self.now.put(""))

    def action_move(self) -> None:
        self._mark("move")

    def action_swap(self) -> None:
        self._mark("swap")

    def _mark(self, verb: str) -> None:
        if self.mark is not None:
            self._put_down(verb)
        elif self.is_full:
            self.say("go back to the wall first (esc)", is_error=True)
        elif verb == "swap" or self.chosen() is not None:
            self.mark = verb, self.now.selected
            self.rearrange()

    def _put_down(self, verb: str) -> None:
        assert self.mark is not None
        source, target = self.mark[1], self.now.selected
        self.mark = None
        after = self.now.swap(source, target) if verb == "swap" else self.now.move(source, target)
        self.do(after)

    # -- layout ------------------------------------------------------------------------------------

    def action_edit(self) -> None:
        if not self.history.is_editing:
            self.is_full, self.mark = False, None
            self.history.begin_edit()
            self.rearrange()

    def action_grow(self, across: int, down: int) -> None:
        if self.history.is_editing:
            if not self.history.do(self.now.grow(across, down)):
                self.say("the wall ends there")
            self.rearrange()
        else:
            self.say("e edits the layout: then shift+arrows grow this cell")

    def action_shrink(self, across: int, down: int) -> None:
        if self.history.is_editing:
            if not self.history.do(self.now.shrink(across, down)):
                self.say("this cell cannot be smaller that way")
            self.rearrange()
        else:
            self.say("e edits the layout: then ctrl+arrows shrink this cell")

    def action_undo_step(self) -> None:
        self._travel(self.history.undo(), "nothing to take back")

    def action_redo_step(self) -> None:
        self._travel(self.history.redo(), "nothing to do again")

    def _travel(self, is_done: bool, words: str) -> None:
        if is_done:
            if not self.history.is_editing:
                self.is_automatic, self.view_name, self.mark = False, "", None
            self.rearrange()
        else:
            self.say(words)

    def action_begin_new(self) -> None:
        """LV-12."""
        self.work(self.shelf.begin_new)

    def action_layout(self, name: str = "") -> None:
        self.work(lambda: self.shelf.pick_layout(name))

    def action_save_layout(self, name: str = "") -> None:
        if self.may_change():
            self.work(lambda: self.shelf.save_layout(name))

    def action_views(self, name: str = "") -> None:
        self.work(lambda: self.shelf.views(name))

    def action_save_view(self, name: str = "") -> None:
        if self.may_change():
            self.work(lambda: self.shelf.save_view(name))

    def action_tours(self, name: str = "") -> None:
        self.work(lambda: self.shelf.tours(name))

    def action_start_up(self) -> None:
        self.work(self.shelf.start_up)

    # -- the camera in hand ------------------------------------------------------------------------

    def action_zoom(self, by: int) -> None:
        if self.history.is_editing:
            if by < 0:
                cell = self.now.cell
                self.action_shrink(*((-1, 0) if cell.columns >= cell.rows else (0, -1)))
        elif self.chosen() is not None:
            self.camera.zoom(by)

    def action_snapshot(self) -> None:
        if (camera := self.chosen()) is not None and self.has_engine():
            self.keep(partial(self.camera.snapshot, camera))

    def action_bookmark(self) -> None:
        if (camera := self.chosen()) is not None and self.may_change():
            self.keep(partial(self.camera.bookmark, camera, self.desk.mirror.now_us))

    def action_go(self, scope: str) -> None:
        """To what this camera recorded."""
        camera = self.chosen()
        if camera is not None:
            self.post_message(self.Wanted(Scope(scope), camera=camera.name))

    def action_overlay(self) -> None:
        self.work(self.overlay.choose)

    def action_overlay_switch(self) -> None:
        self.overlay.switch()
        self.rearrange()

    def action_buttons(self) -> None:
        self.work(self.query_one(ButtonBar).toggle)
