"""Calls about searching in footage: activity, motion in a region."""

from __future__ import annotations

from engine import wire_search
from engine.api.services import Call, Services
from storage.errors import Conflict


async def get_activity(
    services: Services, call: Call[wire_search.ActivityQuery, None]
) -> wire_search.ActivityView:
    raise Conflict("not built yet")


async def begin_motion_search(
    services: Services, call: Call[None, wire_search.MotionSearch]
) -> wire_search.MotionSearchView:
    raise Conflict("not built yet")


async def get_motion_search(
    services: Services, call: Call[wire_search.SearchWait, None]
) -> wire_search.MotionSearchView:
    raise Conflict("not built yet")


async def cancel_motion_search(services: Services, call: Call[None, None]) -> None:
    raise Conflict("not built yet")
