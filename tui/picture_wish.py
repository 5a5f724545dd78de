"""What a cell is to show, as a request in the form this terminal draws, and what came as a picture for the cell.

Wish(camera, at_us=None, ...)                                 None = live
request_for(desk, wish, columns, rows, image_id, strip_rows)  for this terminal: format, colours, cell size
picture_of(reply, request)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine import wire
from engine.wire_pictures import LiveStream
from tui.desk import Desk
from widgets.picture import Picture, PictureStrip, TerminalPicture


@dataclass(frozen=True, slots=True)
class Wish:
    """One cell's wish; equal wishes are one."""

    camera: str
    at_us: int | None = None
    """None = live."""
    is_exact: bool = False
    """With `at_us`: that very frame; otherwise its keyframe, which costs least."""
    step: int = 0
    """With `at_us`: -1, 1 = the frame (or keyframe) before or after it."""
    region: tuple[int, int, int, int] | None = None
    """Digital zoom: left, top, width, height in 1/10,000; None = all of it."""
    stream: LiveStream = LiveStream.AUTO
    is_rough: bool = False
    """For small pictures: decoded faster."""


def request_for(
    desk: Desk, wish: Wish, columns: int, rows: int, image_id: int = 0, strip_rows: int = 0
) -> wire.PictureRequest:
    """For this terminal. `image_id` counts where it speaks kitty, `strip_rows` where it draws sixels."""
    profile = desk.profile
    is_sixel = profile.graphics == "sixel"
    if is_sixel and profile.sixel_width_px and profile.sixel_height_px:
        # A larger one is not drawn at all; a smaller one stands in the middle of its room.
        columns = min(columns, max(profile.sixel_width_px // profile.cell_width_px, 1))
        rows = min(rows, max(profile.sixel_height_px // profile.cell_height_px, 1))
    return wire.PictureRequest(
        camera=wish.camera,
        at_us=wish.at_us,
        format=wire.PictureFormat(profile.picture_format()),
        columns=columns,
        rows=rows,
        cell_width_px=profile.cell_width_px,
        cell_height_px=profile.cell_height_px,
        colors=profile.sixel_colors if is_sixel else profile.colors,
        image_id=image_id if profile.graphics == "kitty" else 0,
        exact=wish.is_exact,
        step=wish.step,
        region=wish.region,
        is_rough=wish.is_rough,
        stream=wish.stream,
        strip_rows=strip_rows if is_sixel else 0,
    )


def picture_of(reply: wire.PictureReply, request: wire.PictureRequest) -> Picture:
    """What a cell shows of an answer."""
    if reply.cells is not None:
        return reply.cells
    kind: Literal["sixel", "kitty"] = "sixel" if reply.format is wire.PictureFormat.SIXEL else "kitty"
    strips = tuple(
        PictureStrip(strip.row, strip.rows, strip.data, strip.column, strip.columns) for strip in reply.strips
    )
    image_id = request.image_id if kind == "kitty" else 0
    return TerminalPicture(kind, reply.columns, reply.rows, reply.data, image_id=image_id, strips=strips)
