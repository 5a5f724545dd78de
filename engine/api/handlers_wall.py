"""Calls about the live wall: layouts, views, tours, start-up. Manual rows LV, CL, VT.

Views keep their cameras by UUID: a renamed camera stays in its views, one removed leaves an empty cell. What names what is the
catalog's business.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from engine import wire_wall
from engine.api.services import Call, Services
from engine.api.wall_checks import (
    check_last_wall,
    check_layout,
    check_view,
    checked_start_up,
    checked_terminal,
)
from storage.catalog.arrangements import ArrangementKind, ArrangementRow, StartUpRecord
from storage.catalog.names import checked_name
from storage.catalog.records import Camera
from storage.errors import NotFound


class _LayoutBody(msgspec.Struct, frozen=True, kw_only=True):
    """How a layout is kept: its name is the row's."""

    columns: int
    rows: int
    cells: tuple[wire_wall.LayoutCell, ...]


class _ViewBody(msgspec.Struct, frozen=True, kw_only=True):
    layout_name: str
    layout: _LayoutBody
    cameras: tuple[str, ...]
    """UUIDs, "" = empty."""
    overlay: tuple[str, ...] | None = None
    is_overlay_on_top: bool | None = None


class _TourBody(msgspec.Struct, frozen=True, kw_only=True):
    stops: tuple[wire_wall.TourStop, ...]


_LAYOUT = msgspec.json.Decoder(_LayoutBody)
_VIEW = msgspec.json.Decoder(_ViewBody)
_TOUR = msgspec.json.Decoder(_TourBody)
_LAST_WALL = msgspec.json.Decoder(wire_wall.LastWall)


async def get_arrangements(services: Services, call: Call[None, None]) -> wire_wall.Arrangements:
    return await _all(services)


async def _all(services: Services) -> wire_wall.Arrangements:
    rows: list[ArrangementRow]
    rows, start_up = await services.catalog.read("arrangements")
    cameras: list[Camera] = await services.catalog.read("cameras")
    names = {str(camera.uuid): camera.name for camera in cameras}
    return wire_wall.Arrangements(
        layouts=tuple(_layout(row.name, _LAYOUT.decode(row.body)) for row in rows if row.kind == "layout"),
        views=tuple(_view(row, names) for row in rows if row.kind == "view"),
        tours=tuple(
            wire_wall.Tour(name=row.name, stops=_TOUR.decode(row.body).stops)
            for row in rows
            if row.kind == "tour"
        ),
        start_up=tuple(wire_wall.StartUpRow(terminal=row.terminal, shows=row.shows) for row in start_up),
    )


def _layout(name: str, body: _LayoutBody) -> wire_wall.Layout:
    return wire_wall.Layout(name=name, columns=body.columns, rows=body.rows, cells=body.cells)


def _view(row: ArrangementRow, names: Mapping[str, str]) -> wire_wall.WallView:
    body = _VIEW.decode(row.body)
    return wire_wall.WallView(
        name=row.name,
        layout=_layout(body.layout_name, body.layout),
        cameras=tuple(names.get(uuid, "") for uuid in body.cameras),
        overlay=body.overlay,
        is_overlay_on_top=body.is_overlay_on_top,
    )


def _layout_body(layout: wire_wall.Layout) -> _LayoutBody:
    return _LayoutBody(columns=layout.columns, rows=layout.rows, cells=layout.cells)


# -- saving ----------------------------------------------------------------------------------------------


async def put_layout(services: Services, call: Call[None, wire_wall.Layout]) -> wire_wall.Arrangements:
    check_layout(call.body)
    return await _put(services, call, "layout", call.body.name, _layout_body(call.body))


async def put_view(services: Services, call: Call[None, wire_wall.WallView]) -> wire_wall.Arrangements:
    view = call.body
    check_view(view)
    cameras: list[Camera] = await services.catalog.read("cameras")
    body = _ViewBody(
        layout_name=checked_name(view.layout.name, "layout"),
        layout=_layout_body(view.layout),
        cameras=tuple(_camera_uuid(name, cameras) for name in view.cameras),
        overlay=view.overlay,
        is_overlay_on_top=view.is_overlay_on_top,
    )
    return await _put(services, call, "view", view.name, body)


def _camera_uuid(name: str, cameras: list[Camera]) -> str:
    """By name in any case, or by UUID. Raises NotFound."""
    wanted = name.strip().casefold()
    if not wanted:
        return ""
    for camera in cameras:
        if wanted in (camera.name.casefold(), str(camera.uuid)):
            return str(camera.uuid)
    raise NotFound(f"no camera is called {name!r}", "`watchdeck camera list` shows them")


async def put_tour(services: Services, call: Call[None, wire_wall.Tour]) -> wire_wall.Arrangements:
    return await _put(services, call, "tour", call.body.name, _TourBody(stops=call.body.stops))


async def _put(
    services: Services,
    call: Call[None, wire_wall.Layout] | Call[None, wire_wall.WallView] | Call[None, wire_wall.Tour],
    kind: ArrangementKind,
    name: str,
    body: _LayoutBody | _ViewBody | _TourBody,
) -> wire_wall.Arrangements:
    name = checked_name(name, kind)
    before: str = await services.catalog.write(
        "put_arrangement",
        kind,
        call.path["name"],
        name=name,
        body=msgspec.json.encode(body),
        changed_us=services.clock.now_us(),
        changed_by=call.caller.name,
    )
    how = f"renamed from {before}" if before not in ("", name) else "edited" if before else "saved"
    services.events.publish(
        "wall.edited", f"{kind.capitalize()} {name} {how}", source=name, actor=call.caller.name
    )
    return await _all(services)


async def put_start_up(services: Services, call: Call[None, wire_wall.StartUp]) -> wire_wall.Arrangements:
    rows = [
        StartUpRecord(terminal=terminal, shows=shows) for terminal, shows in checked_start_up(call.body.rows)
    ]
    await services.catalog.write("put_start_up", rows)
    shown = ", ".join(f"{row.terminal}: {row.shows}" for row in rows) or "the dashboard everywhere"
    services.events.publish("wall.edited", f"Consoles begin with {shown}"[:1000], actor=call.caller.name)
    return await _all(services)


# -- as it was left --------------------------------------------------------------------------------------


async def get_last_wall(services: Services, call: Call[None, None]) -> wire_wall.LastWall:
    """Of whoever asks."""
    terminal = checked_terminal(call.path["terminal"])
    body: str | None = await services.catalog.read("last_wall", call.caller.name, terminal)
    try:
        return wire_wall.LastWall() if body is None else _LAST_WALL.decode(body)
    except msgspec.DecodeError:  # kept by another version: the console begins with a new one
        return wire_wall.LastWall()


async def put_last_wall(services: Services, call: Call[None, wire_wall.LastWall]) -> None:
    """No event and no operation: it is one person's, and changes with every key of theirs."""
    terminal = checked_terminal(call.path["terminal"])
    check_last_wall(call.body)
    body = msgspec.json.encode(call.body).decode()
    await services.catalog.write("put_last_wall", call.caller.name, terminal, body)


# -- removing --------------------------------------------------------------------------------------------


async def remove_layout(services: Services, call: Call[None, None]) -> wire_wall.Arrangements:
    return await _remove(services, call, "layout")


async def remove_view(services: Services, call: Call[None, None]) -> wire_wall.Arrangements:
    return await _remove(services, call, "view")


async def remove_tour(services: Services, call: Call[None, None]) -> wire_wall.Arrangements:
    return await _remove(services, call, "tour")


async def _remove(
    services: Services, call: Call[None, None], kind: ArrangementKind
) -> wire_wall.Arrangements:
    known: str = await services.catalog.write("remove_arrangement", kind, call.path["name"])
    services.events.publish(
        "wall.removed", f"{kind.capitalize()} {known} removed", source=known, actor=call.caller.name
    )
    return await _all(services)
