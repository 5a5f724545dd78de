"""Live: cameras in layouts, views and tours (manual rows LV, CL, VT, HK-04 to HK-14).

What stands where is `WallHistory` over `Arrangement`; this view turns keys into its steps and shows it. Dialogs about what is saved
are in wall_shelf.py, what is done with a camera in wall_camera.py, tours in wall_tour.py, the widgets of the cells in wall_cells.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from engine import wire
from engine.wire_wall import Tour, WallView
from tui.commands import Scope, bindings_of
from tui.desk import Desk
from tui.mirror import Change
from tui.screens.frame import FooterLine, HeaderLine
from tui.screens.text_pane import TextPane
from tui.screens.wall_buttons import ButtonBar
from tui.screens.wall_camera import WallCamera
from tui.screens.wall_cells import WallCells, WallPicture, WordsPane
from tui.screens.wall_overlay import WallOverlay
from tui.screens.wall_shelf import WallShelf
from tui.screens.wall_stage import SketchPane, WallStage
from tui.screens.wall_tabs import TabbedWall, WallTabs
from tui.screens.wall_title import wall_title
from tui.screens.wall_tour import TourRun
from tui.wall_arrangement import Arrangement
from tui.wall_history import WallHistory
from tui.wall_layouts import equal_layout
from tui.work import start
from widgets.cell_grid import CellGrid
from widgets.pick_dialog import Option, PickDialog
from widgets.video_cell import VideoCell

FIRST_SIDE = 2
"""LV-02: the first start fills 2x2."""
BARE_MESSAGE_S = 3.0


class LiveWall(TabbedWall):
    """The wall."""

    SCOPE = Scope.WALL
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of(Scope.WALL),
        Binding("left", "step(-1,0)", show=False),
        Binding("right", "step(1,0)", show=False),
        Binding("up", "step(0,-1)", show=False),
        Binding("down", "step(0,1)", show=False),
        Binding("shift+left,H", "grow(-1,0)", show=False),
        Binding("shift+right,L", "grow(1,0)", show=False),
        Binding("shift+up,K", "grow(0,-1)", show=False),
        Binding("shift+down,J", "grow(0,1)", show=False),
        Binding("ctrl+left", "shrink(-1,0)", show=False),
        Binding("ctrl+right", "shrink(1,0)", show=False),
        Binding("ctrl+up", "shrink(0,-1)", show=False),
        Binding("ctrl+down", "shrink(0,1)", show=False),
    ]
    DEFAULT_CSS = """
    LiveWall > .title, LiveWall > #wall-tabs { height: 1; background: $surface; }
    LiveWall > #wall-tabs { display: none; }
    LiveWall.-above-last-row > #wall-grid { margin: 0 0 1 0; }
    LiveWall > #wall-sketch { height: 1fr; display: none; }
    """
    can_focus = True

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        layout = equal_layout(FIRST_SIDE)
        self.history = WallHistory(Arrangement(layout, ("",) * len(layout.cells)))
        self.view_name = ""
        """Of the saved view that is shown; empty = none is."""
        self.is_automatic = True
        """Cells are filled with the cameras in their order, until somebody puts one somewhere."""
        self.page = 0
        self.is_full = False
        """One camera alone."""
        self.is_bare = False
        """LV-14: no bars."""
        self.mark: tuple[str, int] | None = None
        """`move` or `swap`, and the cell it began with."""
        self.overlay = WallOverlay(self)
        self.camera = WallCamera(self)
        self.shelf = WallShelf(self)
        self.tour = TourRun(self)
        self.tabs = WallTabs(self)

    def compose(self) -> ComposeResult:
        yield TextPane(classes="title")
        yield TextPane(id="wall-tabs")
        yield CellGrid(id="wall-grid")
        yield SketchPane(id="wall-sketch")
        yield ButtonBar(self)

    def on_mount(self) -> None:
        grid = self.query_one(CellGrid)
        self.cells = WallCells(self, grid, has_pictures=self.desk.profile.graphics != "none")
        self.stage = WallStage(self)

    # -- the view ----------------------------------------------------------------------------------------

    def arrive(self) -> None:
        bar = self.query_one(ButtonBar)
        (bar if bar.display else self).focus()
        self._show_bars()
        self.fill()
        self.tabs.restore()

    def leave(self) -> None:
        self.cells.stop()
        self.tour.stop()
        if self.is_bare:
            self.is_bare = False
            self._show_bars()

    def refresh_from(self, change: Change) -> None:
        if change & Change.CAMERAS:
            self.fill()
        if change & Change.LINK and self.desk.mirror.is_connected:
            self.cells.again()
            self.tabs.restore()
        self.cells.draw_words()
        self.draw_title()

    def sent_target(self) -> tuple[str, tuple[int, int] | None] | None:
        return None if self.in_hand is None else (self.in_hand.name, None)

    def show_target(self, camera: str, at_us: int | None) -> None:
        """That camera alone; in its cell when it has one."""
        found = self.desk.mirror.camera(camera)
        if found is None:
            return
        now = self.now
        if found.uuid in now.cameras:
            self.history.look(now.select(now.cameras.index(found.uuid)))
        else:
            self.put(found.uuid)
        self.is_full = True
        self.rearrange()

    async def reload(self) -> None:
        self.cells.again()

    def back(self) -> bool:
        bar = self.query_one(ButtonBar)
        if self.mark is not None:
            self.mark = None
        elif self.history.is_editing:
            self.history.abandon_edit()
            self.say("the layout stays as it was")
        elif bar.display:
            bar.hide()
            self.focus()
        elif self.is_full:
            self.is_full = False
        elif self.is_bare:
            self.is_bare = False
            self._show_bars()
        else:
            return False
        self.rearrange()
        return True

    async def on_key(self, event: events.Key) -> None:
        """VT-05: any key stops a tour, and does nothing else."""
        if self._stop_tour():
            event.stop()
            event.prevent_default()

    def _stop_tour(self) -> bool:
        if not self.tour.is_running:
            return False
        self.tour.stop()
        self.say("the tour has stopped")
        self._show_bars()
        self.draw_title()
        return True

    def say(self, text: str, *, is_error: bool = False, seconds: float | None = None) -> None:
        if self.is_bare and self.is_front:
            self.app.screen_stack[0].query_one(FooterLine).display = True
            self.set_timer(seconds or BARE_MESSAGE_S, self._show_bars)
        super().say(text, is_error=is_error, seconds=seconds)

    def _show_bars(self) -> None:
        base = self.app.screen_stack[0]
        base.query_one(HeaderLine).display = not self.is_bare
        base.query_one(FooterLine).display = not self.is_bare
        self.query_one(".title").display = not self.is_bare or self.tour.is_running
        # A sixel on the last row scrolls some terminals, and is not drawn there.
        self.set_class(self.is_bare and self.desk.profile.graphics == "sixel", "-above-last-row")

    # -- what is shown -----------------------------------------------------------------------------------

    @property
    def now(self) -> Arrangement:
        return self.history.now

    def camera_of(self, uuid: str) -> wire.CameraView | None:
        return next((camera for camera in self.desk.mirror.cameras if camera.uuid == uuid), None)

    @property
    def in_hand(self) -> wire.CameraView | None:
        """The camera of the selected cell."""
        return self.camera_of(self.now.camera) if self.now.camera else None

    def chosen(self) -> wire.CameraView | None:
        """The same; says so when there is none."""
        camera = self.in_hand
        if camera is None:
            self.say("no camera in this cell: a picks one", is_error=True)
        return camera

    def fill(self) -> None:
        """LV-02: the cameras in their order, until somebody arranges them."""
        if self.is_automatic and not self.history.is_editing:
            count = len(self.now.layout.cells)
            cameras = [camera.uuid for camera in self.desk.mirror.cameras]
            self.page = min(self.page, max(0, (len(cameras) - 1) // count))
            self.history.look(self.now.with_cameras(cameras[self.page * count :]))
        self.rearrange()

    def rearrange(self) -> None:
        """Show what is arranged now."""
        if self.is_attached and self.display:
            start(self, self.stage.show, "arrange")
            self.tabs.keep()

    def draw_title(self) -> None:
        self.query_one(".title", TextPane).show([wall_title(self)])
        self.tabs.draw()

    # -- steps -------------------------------------------------------------------------------------------

    def do(self, after: Arrangement, *, is_own: bool = True) -> bool:
        """A step that can be taken back. `is_own`: from now on cells are no more filled by themselves."""
        done = self.history.do(after)
        self.is_automatic = self.is_automatic and not (done and is_own)
        self.rearrange()
        return done

    def put(self, uuid: str) -> None:
        self.do(self.now.put(uuid))

    def open_view(self, view: WallView, *, is_tour: bool = False) -> None:
        """VT-01: its cells with its cameras."""
        uuids = {camera.name.casefold(): camera.uuid for camera in self.desk.mirror.cameras}
        cameras = tuple(uuids.get(name.casefold(), "") for name in view.cameras)
        after = Arrangement(view.layout, cameras)
        self.is_automatic = self.is_full = False
        self.mark, self.view_name = None, view.name
        self.overlay.follow(view)
        if is_tour:
            self.history.look(after)
        else:
            self.history.do(after)
        self.rearrange()

    def start_tour(self, tour: Tour, views: dict[str, WallView]) -> None:
        self.tour.start(tour, views)
        self._show_bars()

    def work(self, task: Callable[[], Awaitable[object]]) -> None:
        """A dialog or a call, one at a time."""
        start(self, task, "dialog")

    # -- keys: moving ------------------------------------------------------------------------------------

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

    @on(CellGrid.Resized)
    @on(SketchPane.Resized)
    def _resized(self) -> None:
        self.rearrange()

    @on(VideoCell.Opened)
    def _picture_clicked(self, event: VideoCell.Opened) -> None:
        self._clicked(self.cells.number_of(event.control))

    @on(WordsPane.Clicked)
    def _words_clicked(self, event: WordsPane.Clicked) -> None:
        self._clicked(self.cells.number_of(event.pane))

    def _clicked(self, number: int | None) -> None:
        """Stops a tour; else selects; on the selected cell it opens, as enter does."""
        if self._stop_tour():
            return
        if number is None or self.is_full or number == self.now.selected:
            self.action_open()
        else:
            self.history.look(self.now.select(number))
            self.rearrange()

    @on(WallPicture.Turned)
    def _turned(self, event: WallPicture.Turned) -> None:
        number = self.cells.number_of(event.cell)
        if number is not None and not self.is_full and number != self.now.selected:
            self.history.look(self.now.select(number))
        self.action_zoom(event.by)

    def action_bare(self) -> None:
        self.is_bare = not self.is_bare
        self._show_bars()

    def action_page(self, by: int) -> None:
        if self.history.is_editing:
            self.say("keep the layout (enter) or leave it (esc) first")
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

    # -- keys: cameras in cells --------------------------------------------------------------------------

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

    # -- keys: layout ------------------------------------------------------------------------------------

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

    # -- keys: the camera in hand ------------------------------------------------------------------------

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
