"""Which words stand beside the pictures of the wall: as the console is set, as the view is, or for one cell (VC-10 to VC-12)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from engine.wire_wall import WallView
from tui.screens.own_files import keep_file
from tui.wall_settings import save_overlay
from tui.work import start
from widgets.dialog import Field, FormDialog
from widgets.overlay import ELEMENTS, Overlay

if TYPE_CHECKING:
    from tui.screens.wall import LiveWall

LABELS = {
    "name": "Camera name",
    "state": "State",
    "codec": "Codec",
    "resolution": "Resolution",
    "fps": "Frames a second",
    "throughput": "Throughput",
    "time": "Time",
}
PLACES = ("below", "above")
CONSOLE, VIEW, CELL = "all cells, this console", "all cells, this view", "this cell"


class WallOverlay:
    """Belongs to the wall. Event-loop thread only."""

    def __init__(self, wall: LiveWall) -> None:
        self._wall = wall
        self.of_view: Overlay | None = None
        """Saved with the view (VC-10); None = as the console is set."""
        self._of_cameras: dict[str, Overlay] = {}
        """Chosen for single cells, until all are set again."""

    @property
    def now(self) -> Overlay:
        """Of cells without one of their own."""
        console = self._wall.desk.overlay
        return console if self.of_view is None else replace(self.of_view, is_on=console.is_on)

    def of(self, uuid: str) -> Overlay:
        own = self._of_cameras.get(uuid)
        return self.now if own is None else replace(own, is_on=self.now.is_on)

    def follow(self, view: WallView) -> None:
        """What the view was saved with."""
        self._of_cameras.clear()
        self.of_view = None
        if view.overlay is not None or view.is_overlay_on_top is not None:
            console = self._wall.desk.overlay
            is_on_top = console.is_on_top if view.is_overlay_on_top is None else view.is_overlay_on_top
            self.of_view = Overlay(console.elements if view.overlay is None else view.overlay, is_on_top)

    def switch(self) -> None:
        """Names alone, or all that was chosen."""
        desk = self._wall.desk
        desk.overlay = replace(desk.overlay, is_on=not desk.overlay.is_on)
        self._keep()

    async def choose(self) -> None:
        """The form."""
        wall, before = self._wall, self.of(self._wall.now.camera)
        fields = [
            Field(element, LABELS[element], "yes" if element in before.elements else "no", kind="switch")
            for element in ELEMENTS
        ]
        where = PLACES[before.is_on_top]
        fields.append(Field("place", "Place", where, kind="choice", choices=PLACES))
        scope = CONSOLE if self.of_view is None else VIEW
        fields.append(Field("for", "Apply to", scope, kind="choice", choices=(CONSOLE, VIEW, CELL)))
        values = await wall.app.push_screen_wait(FormDialog("Words on pictures", fields, submit="Apply"))
        if values is None:
            return
        chosen = Overlay(
            tuple(element for element in ELEMENTS if values[element] == "yes"),
            is_on_top=values["place"] == PLACES[True],
        )
        if values["for"] == CELL:
            self._of_cameras[wall.now.camera] = chosen
        else:
            self._of_cameras.clear()
            if values["for"] == VIEW:
                self.of_view = chosen
                wall.say("shown now; saving the view (V) keeps it with the view")
            else:
                self.of_view, wall.desk.overlay = None, chosen
                self._keep()
        wall.rearrange()

    def _keep(self) -> None:
        wall, path, overlay = self._wall, self._wall.desk.wall_file, self._wall.desk.overlay
        if path is not None:
            start(wall, lambda: keep_file(wall, path, partial(save_overlay, path, overlay)), "wall-file")
