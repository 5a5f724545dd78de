"""Live: cameras in layouts, views and tours (manual rows LV, CL, VT, HK-04 to HK-14).

What stands where is `WallHistory` over `Arrangement`; this view shows it, wall_keys.py turns keys into its steps. Dialogs about what is saved
are in wall_shelf.py, what is done with a camera in wall_camera.py, tours in wall_tour.py, the widgets of the cells in wall_cells.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from engine import wire
from engine.wire_wall import Tour, WallView
from tui.commands import Scope, bindings_of
from tui.desk import Desk
from tui.mirror import Change
from tui.screens.cell_menu import WALL_MENU
from tui.screens.frame import FooterLine, HeaderLine
from tui.screens.mode_keys import BACK, WALL_EDIT, WALL_EMPTY, WALL_FULL, WALL_KEYS, WALL_MARKED, Labels
from tui.screens.text_pane import TextPane
from tui.screens.wall_buttons import ButtonBar
from tui.screens.wall_camera import WallCamera
from tui.screens.wall_cells import WallCells, WallPicture, WordsPane
from tui.screens.wall_keys import EDIT_FIRST, WallKeys
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
from widgets.video_cell import VideoCell

FIRST_SIDE = 2
"""LV-02: the first start fills 2x2."""
BARE_MESSAGE_S = 3.0


class LiveWall(WallKeys, TabbedWall):
    """The wall."""

    SCOPE = Scope.WALL
    MENU = WALL_MENU
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
        self.show_bars()
        self.fill()
        self.tabs.restore()

    def leave(self) -> None:
        self.cells.stop()
        self.tour.stop()
        if self.is_bare:
            self.is_bare = False
            self.show_bars()

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
            self.show_bars()
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
        self.show_bars()
        self.draw_title()
        return True

    def say(self, text: str, *, is_error: bool = False, seconds: float | None = None) -> None:
        if self.is_bare and self.is_front:
            self.app.screen_stack[0].query_one(FooterLine).display = True
            self.set_timer(seconds or BARE_MESSAGE_S, self.show_bars)
        super().say(text, is_error=is_error, seconds=seconds)

    def show_bars(self) -> None:
        base = self.app.screen_stack[0]
        base.query_one(HeaderLine).display = not self.is_bare
        base.query_one(FooterLine).display = not self.is_bare
        self.query_one(".title").display = not self.is_bare or self.tour.is_running
        # A sixel on the last row scrolls some terminals, and is not drawn there.
        self.set_class(self.is_bare and self.desk.profile.graphics == "sixel", "-above-last-row")

    # -- what is shown -----------------------------------------------------------------------------------

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

    @property
    def labels(self) -> Labels | None:
        if self.tour.is_running:
            return ((BACK, "Stop the tour"),)
        if self.mark is not None:
            return WALL_MARKED
        if self.history.is_editing:
            return WALL_EDIT
        bar = self.query_one(ButtonBar)
        labels = WALL_FULL if self.is_full else WALL_KEYS if self.now.camera else WALL_EMPTY
        return bar.labels(labels) if bar.display else labels

    def draw_title(self) -> None:
        self.tell_keys()
        self.write(".title", [wall_title(self)])
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
        self.show_bars()

    def work(self, task: Callable[[], Awaitable[object]]) -> None:
        """A dialog or a call, one at a time."""
        start(self, task, "dialog")

    # -- the mouse ----------------------------------------------------------------------------------------

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

    @property
    def menu_title(self) -> str:
        camera = self.in_hand
        return "" if camera is None or self.history.is_editing else camera.name

    @property
    def no_menu(self) -> str:
        return EDIT_FIRST if self.history.is_editing else super().no_menu

    def take_in_hand(self, cell: VideoCell) -> bool:
        """VT-05: any button stops a tour, and does nothing else."""
        if self._stop_tour():
            return False
        number = self.cells.number_of(cell)
        if number is not None and not self.is_full:
            self.history.look(self.now.select(number))
            self.rearrange()
        return True

    @on(WallPicture.Turned)
    def _turned(self, event: WallPicture.Turned) -> None:
        number = self.cells.number_of(event.cell)
        if number is not None and not self.is_full and number != self.now.selected:
            self.history.look(self.now.select(number))
        self.action_zoom(event.by)
