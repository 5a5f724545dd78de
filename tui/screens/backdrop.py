"""The picture that a region or areas are drawn on: one, made of cells, live or of a time."""

from __future__ import annotations

import msgspec

from engine import wire
from engine.client import WatchdeckError
from tui.desk import Desk
from tui.picture_wish import Wish, request_for
from widgets import format
from widgets.polygon_cell import PolygonCell


async def fetch_backdrop(desk: Desk, cell: PolygonCell, camera: str, at_us: int | None) -> None:
    """Give the cell its picture, or the reason why there is none. `at_us` None = live; of a camera that is away the last one recorded.

    One picture: drawing over pictures that come and go would flicker.
    """
    if desk.profile.graphics == "none":
        cell.clear("drawn without a picture (--graphics none)")
        return
    last_us = None
    if (known := desk.mirror.camera(camera)) is not None:
        last_us = known.last_written_us
    times = [at_us] if at_us is not None or last_us is None else [None, last_us]
    for time_us in times:
        request = _request(desk, cell, camera, time_us)
        try:
            reply = await desk.client.picture(request)
        except WatchdeckError as error:
            cell.clear(error.what)
            continue
        if reply.cells is not None:
            cell.set_picture(reply.cells, request.colors)
            cell.note = format.recent_time(reply.time_us, desk.mirror.now_us, desk.zone)
            return


def _request(desk: Desk, cell: PolygonCell, camera: str, at_us: int | None) -> wire.PictureRequest:
    """Made of cells, whatever the terminal can: what it draws itself cannot be drawn over."""
    profile = desk.profile
    kind = wire.PictureFormat.ASCII if profile.graphics == "ascii" else wire.PictureFormat.HALF_BLOCK
    columns, rows = cell.room
    request = request_for(desk, Wish(camera, at_us), max(columns, 8), max(rows, 3))
    return msgspec.structs.replace(request, format=kind, colors=profile.colors, image_id=0)
