"""What is done with the camera in hand on the wall: digital zoom, snapshot, instant bookmark (LV-15, VC-01, VC-08, HK-06 to HK-08)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.timer import Timer

from engine.wire import CameraView
from engine.wire_bookmarks import BOOKMARK_S, BookmarkAdd
from tui.desk import Undo
from tui.picture_zoom import Zoom
from tui.screens.cameras import save_snapshot
from widgets import format

if TYPE_CHECKING:
    from tui.screens.wall import LiveWall

FLASH_S = 0.5
"""LV-15: how long the ratio stands on the picture."""
TOAST_S = 2.0
"""VC-08."""
US = 1_000_000


class WallCamera:
    """Belongs to the wall. Event-loop thread only."""

    def __init__(self, wall: LiveWall) -> None:
        self._wall = wall
        self._zooms: dict[str, Zoom] = {}
        """By camera; only those zoomed."""
        self._flash: tuple[str, str] = ("", "")
        self._timer: Timer | None = None

    # -- zoom --------------------------------------------------------------------------------------------

    def zoom_of(self, uuid: str) -> Zoom:
        return self._zooms.get(uuid, Zoom())

    def flashed(self, uuid: str) -> str:
        """The ratio, for half a second after it was chosen."""
        return self._flash[1] if uuid and uuid == self._flash[0] else ""

    def zoom(self, by: int) -> None:
        """1: nearer, -1: farther, 0: the whole picture."""
        uuid = self._wall.now.camera
        before = self.zoom_of(uuid)
        after = before.nearer() if by > 0 else before.farther() if by < 0 else Zoom()
        self._set(uuid, after)
        self._flash = uuid, after.words
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._wall.set_timer(FLASH_S, self._end_flash)
        self._wall.rearrange()

    def pan(self, across: int, down: int) -> None:
        uuid = self._wall.now.camera
        self._set(uuid, self.zoom_of(uuid).panned(across, down))
        self._wall.rearrange()

    def _set(self, uuid: str, zoom: Zoom) -> None:
        if zoom.is_zoomed:
            self._zooms[uuid] = zoom
        else:
            self._zooms.pop(uuid, None)

    def _end_flash(self) -> None:
        self._flash = ("", "")
        self._wall.rearrange()

    # -- keeping -----------------------------------------------------------------------------------------

    async def snapshot(self, camera: CameraView) -> None:
        """VC-08; the part that is seen, when it is zoomed (VC-09)."""
        region = self.zoom_of(camera.uuid).region
        await save_snapshot(self._wall, camera.name, None, region=region, seconds=TOAST_S)

    async def bookmark(self, camera: CameraView, now_us: int) -> None:
        """HK-08: the last ten seconds."""
        wall = self._wall
        name = f"{camera.name} {format.local_clock(now_us, wall.desk.zone)}"
        wanted = BookmarkAdd(camera=camera.name, start_us=now_us - BOOKMARK_S * US, end_us=now_us, name=name)
        made = await wall.ask(wall.desk.client.add_bookmark(wanted), "bookmark")
        if made is None:
            return

        async def take_back() -> bool:
            return await wall.carry(wall.desk.client.remove_bookmark(made.id), "undo of the bookmark")

        wall.desk.undo.append(Undo(f"bookmark {made.name}", take_back))
        wall.say(f"bookmark {made.name}: the last {BOOKMARK_S} s are kept (z takes it back)")
