"""Calls about searching in footage: activity, motion in a region."""

from __future__ import annotations

from engine import wire_search
from engine.api.services import Call, Services
from storage.catalog.records import Camera


async def get_activity(
    services: Services, call: Call[wire_search.ActivityQuery, None]
) -> wire_search.ActivityView:
    camera: Camera = await services.catalog.read("camera", call.query.camera, with_removed=True)
    return await services.search.activity(camera, call.query)


async def begin_motion_search(
    services: Services, call: Call[None, wire_search.MotionSearch]
) -> wire_search.MotionSearchView:
    camera: Camera = await services.catalog.read("camera", call.body.camera, with_removed=True)
    return await services.search.begin(camera, call.body, call.caller)


async def get_motion_search(
    services: Services, call: Call[wire_search.SearchWait, None]
) -> wire_search.MotionSearchView:
    return await services.search.view(call.path["id"], call.caller, call.query.wait_ms)


async def cancel_motion_search(services: Services, call: Call[None, None]) -> None:
    services.search.cancel(call.path["id"], call.caller)
