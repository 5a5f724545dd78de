"""Live pictures: the newest keyframe of a camera, at once or as soon as there is a newer one than the caller has."""

from __future__ import annotations

import msgspec

from engine import wire
from engine.api.services import Services
from engine.deadline import Deadline
from engine.pictures.keyframe import LiveKeyframe
from storage.catalog.records import Camera
from storage.errors import PictureUnavailable


async def live_picture(services: Services, camera: Camera, request: wire.PictureRequest) -> wire.PictureReply:
    """Raises PictureUnavailable, InvalidInput."""
    source = live_source(services, camera)
    if request.newer_than_us is not None:
        source = await _newer(services, camera, request.newer_than_us, request.wait_ms)
        if source.time_us <= request.newer_than_us:
            return _unchanged(source, request)
    reply = await services.pictures.render(source, request)
    return msgspec.structs.replace(reply, camera=camera.name)


def live_source(services: Services, camera: Camera) -> LiveKeyframe:
    """The newest keyframe. Raises PictureUnavailable with the reason why there is none."""
    if camera.is_removed:
        raise PictureUnavailable(f"camera {camera.name} was removed", "ask for a moment that is recorded")
    newest = services.recording.last_keyframe(camera.uuid)
    if newest is None:
        cause = services.recording.camera_view(camera.uuid).cause
        raise PictureUnavailable(
            f"camera {camera.name} shows no picture now{f': {cause}' if cause else ''}",
            f"`watchdeck camera show '{camera.name}'` says more",
        )
    return LiveKeyframe(camera=str(camera.uuid), time_us=newest.time_us, track=newest.track, data=newest.data)


async def _newer(services: Services, camera: Camera, than_us: int, wait_ms: int) -> LiveKeyframe:
    """The newest keyframe, as soon as it is newer than that; what there is when the time is over."""
    try:
        async with Deadline(wait_ms / 1000):
            while (source := live_source(services, camera)).time_us <= than_us:
                await services.recording.keyframes.wait(camera.uuid)
            return source
    except TimeoutError:
        return live_source(services, camera)


def _unchanged(source: LiveKeyframe, request: wire.PictureRequest) -> wire.PictureReply:
    return wire.PictureReply(
        camera=request.camera,
        time_us=source.time_us,
        format=request.format,
        width_px=source.track.width,
        height_px=source.track.height,
        is_unchanged=True,
    )
