"""Calls about where events come from besides the station, and about mail and preservation. Manual rows TM, SM, PR."""

from __future__ import annotations

from engine.api.services import Call, Services
from engine.wire_alarm_rules import ActionResult
from engine.wire_sources import (
    AlarmSettings,
    AnalyticsView,
    CameraAnalytics,
    CameraIo,
    ListenView,
    MailTest,
)
from storage.catalog.records import Camera


async def get_alarm_settings(services: Services, call: Call[None, None]) -> AlarmSettings:
    return services.settings.view()


async def edit_alarm_settings(services: Services, call: Call[None, AlarmSettings]) -> AlarmSettings:
    return await services.settings.edit(call.body, call.caller.name)


async def test_mail(services: Services, call: Call[None, MailTest]) -> ActionResult:
    return await services.test_mail(call.body.to)


async def get_listening(services: Services, call: Call[None, None]) -> ListenView:
    return services.listening.view()


# -- cameras' own events ---------------------------------------------------------------------------------


async def _camera(services: Services, ref: str) -> Camera:
    camera: Camera = await services.catalog.read("camera", ref)
    return camera


async def get_analytics(services: Services, call: Call[None, None]) -> AnalyticsView:
    return services.camera_sources.view(await _camera(services, call.path["ref"]))


async def edit_analytics(services: Services, call: Call[None, CameraAnalytics]) -> AnalyticsView:
    return await services.camera_sources.edit(
        await _camera(services, call.path["ref"]), call.body, call.caller.name
    )


async def get_camera_io(services: Services, call: Call[None, None]) -> CameraIo:
    return await services.camera_sources.io(await _camera(services, call.path["ref"]))
