"""Calls about the live wall: layouts, views, tours, start-up. Manual rows LV, CL, VT."""

from __future__ import annotations

from engine import wire_wall
from engine.api.services import Call, Services
from storage.errors import Conflict


async def get_arrangements(services: Services, call: Call[None, None]) -> wire_wall.Arrangements:
    raise Conflict("not built yet")


async def put_layout(services: Services, call: Call[None, wire_wall.Layout]) -> wire_wall.Arrangements:
    raise Conflict("not built yet")


async def remove_layout(services: Services, call: Call[None, None]) -> wire_wall.Arrangements:
    raise Conflict("not built yet")


async def put_view(services: Services, call: Call[None, wire_wall.WallView]) -> wire_wall.Arrangements:
    raise Conflict("not built yet")


async def remove_view(services: Services, call: Call[None, None]) -> wire_wall.Arrangements:
    raise Conflict("not built yet")


async def put_tour(services: Services, call: Call[None, wire_wall.Tour]) -> wire_wall.Arrangements:
    raise Conflict("not built yet")


async def remove_tour(services: Services, call: Call[None, None]) -> wire_wall.Arrangements:
    raise Conflict("not built yet")


async def put_start_up(services: Services, call: Call[None, wire_wall.StartUp]) -> wire_wall.Arrangements:
    raise Conflict("not built yet")
