"""Cameras: what each one does and why, with a live picture of the one selected; add, edit, test, remove."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content

from engine import wire
from engine.wire_pictures import LiveStream
from tui.commands import Scope, bindings_of
from tui.desk import Desk, Undo
from tui.export_job import SaveFailed, file_name, save_bytes
from tui.mirror import Change
from tui.picture_feed import PictureBoard
from tui.picture_wish import Wish
from tui.screens.camera_text import COLUMNS, SORTS, camera_line, detail_pairs, summary_lines
from tui.screens.help import PageScreen
from tui.screens.text_pane import TextPane
from tui.screens.view import View
from tui.work import start
from widgets.dialog import TypedDialog
from widgets.line_list import LineList
from widgets.line_source import Line
from widgets.video_cell import VideoCell

DETAIL_INDENT = 15
"""Cells for the names in the details."""


class CamerasView(View):
    """Number key 2."""

    SCOPE = Scope.CAMERAS
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(Scope.CAMERAS)]
    DEFAULT_CSS = """
    CamerasView > .title { height: 1; background: $surface; }
    CamerasView > #camera-body { height: 1fr; layout: vertical; }
    CamerasView #camera-side { height: 11; layout: horizontal; }
    CamerasView #camera-side VideoCell { width: 36; }
    CamerasView #camera-side TextPane { padding: 0 1; }
    CamerasView.-no-preview #camera-side VideoCell { display: none; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._lines: list[Line] = []
        self._sort = 0
        self._wanted_camera = ""
        self._has_preview = desk.profile.graphics != "none"
        self.set_class(not self._has_preview, "-no-preview")

    def compose(self) -> ComposeResult:
        yield TextPane(classes="title")
        with Container(id="camera-body"):
            yield LineList(COLUMNS, empty_text="no cameras: press a to add the first one", free_keys=("K",))
            with Container(id="camera-side"):
                yield VideoCell(reason="no camera selected")
                yield TextPane(id="camera-summary")

    def on_mount(self) -> None:
        self._board = PictureBoard(self)
        self._draw_rows()

    # -- the view ----------------------------------------------------------------------------------------

    def arrive(self) -> None:
        self.query_one(LineList).focus()
        self._follow_selected()

    def leave(self) -> None:
        self._board.stop()

    def show_target(self, camera: str, at_us: int | None) -> None:
        found = self.desk.mirror.camera(camera)
        if found is not None:
            self.query_one(LineList).move_to_key(found.uuid)

    def refresh_from(self, change: Change) -> None:
        if change & (Change.CAMERAS | Change.LINK | Change.STATION):
            self._draw_rows()
        self._draw_summary()
        if change & Change.LINK:
            self._follow_selected()

    @property
    def filter_text(self) -> str | None:
        return self.query_one(LineList).filter_text

    def set_filter(self, text: str) -> None:
        self.query_one(LineList).filter_text = text
        self._draw_title()

    def sent_target(self) -> tuple[str, tuple[int, int] | None] | None:
        camera = self.selected
        return (camera.name, None) if camera is not None else None

    def back(self) -> bool:
        if self.filter_text:
            self.set_filter("")
            return True
        return False

    # -- drawing -----------------------------------------------------------------------------------------

    def _draw_rows(self) -> None:
        mirror = self.desk.mirror
        lines = [
            camera_line(camera, mirror.now_us, self.desk.glyphs, self.desk.zone, is_live=mirror.is_live)
            for camera in mirror.cameras
        ]
        if lines != self._lines:
            self._lines = lines
            self.query_one(LineList).set_lines(lines)
        self._draw_title()

    def _draw_title(self) -> None:
        cameras = self.desk.mirror.cameras
        recording = sum(camera.state is wire.CameraState.RECORDING for camera in cameras)
        parts: list[Content | tuple[str, str]] = [
            (" Cameras", "bold"),
            (f"  {len(cameras)}, {recording} recording", ""),
            (f"  by {SORTS[self._sort]}" if self._sort else "", "dim"),
        ]
        if not self.desk.mirror.is_live:
            parts.append(("  not live", "bold $text-warning"))
        self.query_one(".title", TextPane).show([Content.assemble(*parts)])

    def _draw_summary(self) -> None:
        camera = self.selected
        pane = self.query_one("#camera-summary", TextPane)
        if camera is None:
            pane.show([])
            return
        mirror = self.desk.mirror
        lines = summary_lines(camera, mirror.now_us, self.desk.zone, self.desk.glyphs)
        pane.show(lines if mirror.is_live else [Content.styled(line.plain, "dim") for line in lines])

    @property
    def selected(self) -> wire.CameraView | None:
        """The camera under the cursor, as the mirror knows it now."""
        key = self.query_one(LineList).cursor_key
        return next((camera for camera in self.desk.mirror.cameras if camera.uuid == key), None)

    @on(LineList.Highlighted)
    def _moved(self) -> None:
        self._draw_summary()
        self._follow_selected()

    def _follow_selected(self) -> None:
        camera, cell = self.selected, self.query_one(VideoCell)
        cell.caption = camera.name if camera is not None else ""
        if camera is None or not self.desk.mirror.is_connected:
            self._board.stop()
            cell.clear("no camera selected" if camera is None else "no engine")
        elif self._has_preview and self.display:
            self._board.show([(cell, Wish(camera.name))])

    # -- actions -----------------------------------------------------------------------------------------

    def _chosen(self) -> wire.CameraView | None:
        camera = self.selected
        if camera is None:
            self.say("no camera is selected", is_error=True)
        return camera

    def _work(self, work: Callable[[], Awaitable[None]]) -> None:
        start(self, work, "dialog")

    def action_details(self, name: str = "") -> None:
        camera = self.desk.mirror.camera(name) if name else self._chosen()
        if camera is not None:
            self.app.push_screen(CameraDetails(self.desk, camera.uuid))
        elif name:
            self.say(f"no camera is called {name!r}", is_error=True)

    @on(LineList.Selected)
    def _entered(self) -> None:
        self.action_details()

    def action_add(self) -> None:
        if self.may_change():
            self._work(self._add)

    async def _add(self) -> None:
        from tui.screens.camera_form import CameraForm

        values = await self.app.push_screen_wait(CameraForm(self.desk))
        if values is not None:
            self.say(f"added {values['name']}")

    def action_edit(self) -> None:
        if self.may_change() and self._chosen() is not None:
            self._work(self._edit)

    async def _edit(self) -> None:
        from tui.screens.camera_form import CameraForm

        camera = self.selected
        if camera is not None and await self.app.push_screen_wait(CameraForm(self.desk, camera)) is not None:
            self.say(f"saved {camera.name}")

    def action_analytics(self, name: str = "") -> None:
        camera = self.desk.mirror.camera(name) if name else self._chosen()
        if camera is None and name:
            self.say(f"no camera is called {name!r}", is_error=True)
        elif camera is not None and self.may_change():
            self._work(lambda: self._analytics(camera.name))

    async def _analytics(self, camera: str) -> None:
        from tui.screens.analytics_dialog import AnalyticsDialog

        found = await self.ask(self.desk.client.analytics(camera), f"analytics of {camera}")
        if found is None:
            return
        if await self.app.push_screen_wait(AnalyticsDialog(self.desk, found)) is not None:
            self.say(f"saved: analytics of {camera}")

    def action_test(self) -> None:
        from tui.screens.camera_form import CameraTestDialog

        camera = self._chosen()
        if camera is not None and self.has_engine():
            self.app.push_screen(CameraTestDialog(self.desk, camera.name))

    def action_remove(self) -> None:
        if self.may_change() and self._chosen() is not None:
            self._work(self._remove)

    async def _remove(self) -> None:
        camera = self.selected
        if camera is None:
            return
        text = (
            f"Recording of {camera.name} stops now and its settings and password are forgotten.\n"
            "What is recorded stays on the volumes until it is recycled by the group's retention. "
            "This cannot be undone."
        )
        dialog = TypedDialog(f"Remove camera {camera.name}", text, word=camera.name, confirm="Remove")
        if not await self.app.push_screen_wait(dialog):
            return
        if await self.carry(self.desk.client.remove_camera(camera.uuid), f"remove {camera.name}"):
            self.say(f"removed {camera.name}; its recordings stay until they are recycled")

    def action_toggle_enabled(self) -> None:
        if self.may_change() and (camera := self._chosen()) is not None:
            self.keep(lambda: self._toggle_enabled(camera))

    async def _toggle_enabled(self, camera: wire.CameraView) -> None:
        is_on = not camera.is_enabled
        word = "on" if is_on else "off"
        if await self._enable(camera, is_on):
            self.say(f"{camera.name} is switched {word} (z takes it back)")
            undo = Undo(f"{camera.name} switched {word}", lambda: self._enable(camera, not is_on))
            self.desk.undo.append(undo)

    async def _enable(self, camera: wire.CameraView, is_on: bool) -> bool:
        edit = wire.CameraEdit(is_enabled=is_on)
        return await self.carry(self.desk.client.edit_camera(camera.uuid, edit), f"switch {camera.name}")

    def action_snapshot(self) -> None:
        camera = self._chosen()
        if camera is not None and self.has_engine():
            self.keep(lambda: save_snapshot(self, camera.name, None))

    def action_toggle_preview(self) -> None:
        if self.desk.profile.graphics == "none":
            self.say("this terminal shows no pictures (--graphics says otherwise)", is_error=True)
            return
        self._has_preview = not self._has_preview
        self.set_class(not self._has_preview, "-no-preview")
        if self._has_preview:
            self._follow_selected()
        else:
            self._board.stop()

    def action_sort(self, column: str = "") -> None:
        if column and column not in SORTS:
            self.say(f"sort by one of: {', '.join(SORTS)}", is_error=True)
            return
        self._sort = SORTS.index(column) if column else (self._sort + 1) % len(SORTS)
        name = SORTS[self._sort]
        self.query_one(LineList).order_by(name, is_descending=name == "bitrate")
        self._draw_title()

    def action_recordings(self) -> None:
        self.action_go(Scope.RECORDINGS)

    def action_go(self, scope: str) -> None:
        """The camera in hand elsewhere: recordings, playback, thumbnail search, motion search."""
        camera = self._chosen()
        if camera is not None:
            self.post_message(self.Wanted(Scope(scope), camera=camera.name))


async def save_snapshot(
    view: View,
    camera: str,
    at_us: int | None,
    *,
    is_exact: bool = False,
    region: tuple[int, int, int, int] | None = None,
    seconds: float | None = None,
) -> None:
    """The picture as a JPEG in the exports folder; says where (for `seconds`), or why not.

    `is_exact`: the frame of that time, not its keyframe. `region`: a part of it, in 1/10,000.
    """
    desk = view.desk
    stream = LiveStream.MAIN if at_us is None else LiveStream.AUTO
    request = wire.PictureRequest(camera=camera, at_us=at_us, exact=is_exact, region=region, stream=stream)
    reply = await view.ask(desk.client.picture(request), f"snapshot of {camera}")
    if reply is None:
        return
    path = desk.folder / file_name(camera, reply.time_us, desk.zone, ".jpg")
    try:
        saved = await save_bytes(reply.data, path)
    except SaveFailed as error:
        view.say(f"snapshot not saved: {error}", is_error=True)
    else:
        view.say(f"saved {saved}", seconds=seconds)


class CameraDetails(PageScreen):
    """Everything about one camera, kept up to date while it is open."""

    def __init__(self, desk: Desk, uuid: str) -> None:
        self._desk = desk
        self._uuid = uuid
        camera = self._camera
        super().__init__(camera.name if camera else "camera", self._detail_lines(), DETAIL_INDENT)

    @property
    def _camera(self) -> wire.CameraView | None:
        return next((camera for camera in self._desk.mirror.cameras if camera.uuid == self._uuid), None)

    def on_mount(self) -> None:
        self.set_interval(1.0, lambda: self.show_lines(self._detail_lines()))

    def _detail_lines(self) -> list[Content]:
        camera = self._camera
        if camera is None:
            return [Content("this camera was removed")]
        pairs = detail_pairs(camera, self._desk.mirror.now_us, self._desk.zone)
        return [Content.assemble((f"{name:<{DETAIL_INDENT}}", "dim"), value) for name, value in pairs]
