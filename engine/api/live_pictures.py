"""Live pictures: the newest keyframe of a camera, at once or as soon as there is a newer one than the caller has."""

from __future__ import annotations

import msgspec

from engine import wire
from engine.api.services import Services
from engine.deadline import Deadline
from engine.pictures.fit import effective_width_px
from engine.pictures.keyframe import LiveKeyframe
from storage.catalog.records import Camera
from storage.errors import InvalidInput, PictureUnavailable
from storage.units import US_PER_SECOND

ALL_PIXELS = 1 << 16
"""Wider than any second stream: a picture as large as the camera makes it."""
STALE_US = 5 * US_PER_SECOND
"""A second stream so far behind the main one hangs."""


async def live_picture(services: Services, camera: Camera, request: wire.PictureRequest) -> wire.PictureReply:
    """Raises PictureUnavailable, InvalidInput."""
    if request.stream is wire.LiveStream.SUB and not camera.live_url:
        raise InvalidInput(
            f"camera {camera.name} has no second stream",
            f"`watchdeck camera edit '{camera.name}' --live-url URL` gives it one",
        )
    source, stream = _newest(services, camera, request)
    if request.newer_than_us is not None:
        source, stream = await _newer(services, camera, request, request.newer_than_us)
        if source.time_us <= request.newer_than_us:
            return _unchanged(source, stream, request)
    reply = await services.pictures.render(source, request)
    return msgspec.structs.replace(reply, camera=camera.name, stream=stream)


def live_source(services: Services, camera: Camera) -> LiveKeyframe:
    """The newest keyframe of the main stream. Raises PictureUnavailable with the reason why there is none."""
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


def _newest(
    services: Services, camera: Camera, request: wire.PictureRequest
) -> tuple[LiveKeyframe, wire.LiveStream]:
    """Of the second stream where that is wanted and comes; else of the main one. Raises PictureUnavailable."""
    sub = None
    if request.stream is not wire.LiveStream.MAIN:
        is_any = request.stream is wire.LiveStream.SUB
        sub = services.live_streams.newest(camera, 0 if is_any else effective_width_px(request) or ALL_PIXELS)
    if sub is None:
        return live_source(services, camera), wire.LiveStream.MAIN
    main = services.recording.last_keyframe(camera.uuid)
    if main is not None and main.time_us > sub.time_us + STALE_US:
        return live_source(services, camera), wire.LiveStream.MAIN
    return sub, wire.LiveStream.SUB


async def _newer(
    services: Services, camera: Camera, request: wire.PictureRequest, than_us: int
) -> tuple[LiveKeyframe, wire.LiveStream]:
    """The newest keyframe, as soon as it is newer than that; what there is when the time is over."""
    try:
        async with Deadline(request.wait_ms / 1000):
            while (found := _newest(services, camera, request))[0].time_us <= than_us:
                await services.recording.keyframes.wait(camera.uuid)
            return found
    except TimeoutError:
        return _newest(services, camera, request)


def _unchanged(
    source: LiveKeyframe, stream: wire.LiveStream, request: wire.PictureRequest
) -> wire.PictureReply:
    return wire.PictureReply(
        camera=request.camera,
        time_us=source.time_us,
        format=request.format,
        width_px=source.track.width,
        height_px=source.track.height,
        stream=stream,
        is_unchanged=True,
    )
