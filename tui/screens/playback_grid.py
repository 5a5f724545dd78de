"""The pictures of playback: one cell a camera, in the grid that makes them largest; one may be enlarged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.containers import Container

from tui.alarm_wall import grid_of
from tui.picture_zoom import Zoom
from widgets.glyphs import glyphs_of
from widgets.video_cell import VideoCell

MOST = 16
"""Cameras at once. Q-26, PB-11."""
ADVISED = 4
AROUND = (1, 1)
"""Gutter and caption."""


class PlaybackCell(VideoCell):
    """One of several says by its caption that it is in front."""

    DEFAULT_CSS = """
    PlaybackCell {
        width: 1fr; height: 1fr;
        &.-front > .video-cell--caption { color: $block-cursor-foreground; background: $block-cursor-background; text-style: $block-cursor-text-style; }
    }
    """

    camera = ""

    def show_camera(self, camera: str, zoom: Zoom, *, is_front: bool) -> None:
        """Whose picture it is; `is_front` only where there are several."""
        self.camera = camera
        self.set_class(is_front, "-front")
        words = f"{camera} {zoom.words}" if zoom.is_zoomed else camera
        self.caption = f"{glyphs_of(self).cursor}{words}" if is_front else f" {words}"


class PlaybackGrid(Container):
    """Cells come and go with the cameras."""

    DEFAULT_CSS = """
    PlaybackGrid { layout: grid; height: 1fr; grid-gutter: 0 1; }
    """

    across = 1
    """Cells side by side."""

    def __init__(self, zoom_of: Callable[[str], Zoom], *, id: str | None = None) -> None:
        """`zoom_of`: which part of a camera's picture is shown, for its caption."""
        super().__init__(id=id)
        self.zoom_of = zoom_of

    @property
    def cells(self) -> list[PlaybackCell]:
        return list(self.query(PlaybackCell))

    async def place_cells(
        self, cameras: Sequence[str], front: str, *, is_enlarged: bool, room: tuple[int, int]
    ) -> None:
        """As many cells as cameras; enlarged, only that of the camera in front is in sight."""
        cells = self.cells
        if len(cells) < len(cameras):
            await self.mount_all(PlaybackCell() for _ in range(len(cameras) - len(cells)))
        for cell in cells[len(cameras) :]:
            await cell.remove()
        self.mark(cameras, front, is_enlarged=is_enlarged, room=room)

    def mark(self, cameras: Sequence[str], front: str, *, is_enlarged: bool, room: tuple[int, int]) -> None:
        """Names, which is in front, and how they stand in so many columns and rows."""
        self.across, down = grid_of(1 if is_enlarged else max(len(cameras), 1), *room, around=AROUND)
        self.styles.grid_size_columns = self.across
        self.styles.grid_size_rows = down
        for cell, camera in zip(self.cells, cameras, strict=False):
            cell.display = not is_enlarged or camera == front
            cell.show_camera(camera, self.zoom_of(camera), is_front=camera == front and len(cameras) > 1)
