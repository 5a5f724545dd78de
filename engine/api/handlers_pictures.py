"""Pictures: which one is wanted, live or at a time; making it is the picture service's work."""

from __future__ import annotations

import msgspec

from engine import wire
from engine.api import recorded_pictures
from engine.api.live_pictures import live_picture, live_source
from engine.api.services import Call, Services
from storage.catalog.records import Camera, Gap
from storage.errors import InvalidInput, PictureUnavailable
from storage.units import US_PER_SECOND

LIVE_REACH_US = 30 * US_PER_SECOND
"""A moment this close to now, and not yet on disk, is shown by the newest keyframe."""


async def make_picture(services: Services, call: Call[None, wire.PictureRequest]) -> wire.PictureReply:
    return await picture_of(services, call.body)


async def picture_of(services: Services, asked: wire.PictureRequest) -> wire.PictureReply:
    """Raises NotFound, PictureUnavailable, InvalidInput."""
    camera: Camera = await services.catalog.read("camera", asked.camera, with_removed=True)
    return await picture_of_camera(services, camera, asked)


async def picture_of_camera(
    services: Services, camera: Camera, asked: wire.PictureRequest
) -> wire.PictureReply:
    """Of this one, whatever the request names. Raises PictureUnavailable, InvalidInput."""
    request = msgspec.structs.replace(asked, camera=camera.name)
    if request.at_us is None:
        _check_live(request)
        return await live_picture(services, camera, request)
    if request.step:
        reply = await recorded_pictures.stepped(services, camera, request, request.at_us)
    elif (footage := await recorded_pictures.footage_at(services, camera, request.at_us)) is not None:
        source = recorded_pictures.source_of(camera, footage, request.at_us)
        reply = await services.pictures.render(source, request)
    else:
        reply = await _just_behind_live(services, camera, request, request.at_us)
    return msgspec.structs.replace(reply, camera=camera.name)


def _check_live(request: wire.PictureRequest) -> None:
    if request.exact or request.step:
        raise InvalidInput(
            f"picture {'exact' if request.exact else 'step'} without at_us: live there is the newest keyframe only",
            "name a moment",
        )


async def _just_behind_live(
    services: Services, camera: Camera, request: wire.PictureRequest, at_us: int
) -> wire.PictureReply:
    """A moment the catalog knows no footage of: if it is not over for long, the file or the camera has it."""
    gaps: list[Gap] = await services.catalog.read("gaps", [camera.id], at_us, at_us + 1)
    now_us = services.clock.now_us()
    if not gaps and not camera.is_removed and at_us <= now_us < at_us + LIVE_REACH_US:
        newest = services.recording.last_keyframe(camera.uuid)
        is_reached = newest is not None and newest.time_us <= at_us
        footage = None
        if not is_reached or request.exact:
            footage = await recorded_pictures.open_footage(services, camera, at_us)
        if footage is not None:
            try:
                source = recorded_pictures.source_of(camera, footage, at_us)
                return await services.pictures.render(source, request)
            except PictureUnavailable:
                # Nothing of it is in the file yet. What the camera shows is the next best.
                if newest is None:
                    raise
        if (
            newest is not None
            and (is_reached or footage is not None)
            and now_us <= newest.time_us + LIVE_REACH_US
        ):
            return await services.pictures.render(live_source(services, camera), request)
    raise PictureUnavailable(
        f"nothing of camera {camera.name} is recorded at that time"
        + (f": {gaps[0].cause.value.replace('_', ' ')}" if gaps else ""),
        "choose a moment inside a recorded stretch",
    )
