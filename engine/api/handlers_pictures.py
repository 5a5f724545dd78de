"""Pictures: which keyframe is wanted, live or at a time; making it is the picture service's work."""

from __future__ import annotations

import msgspec

from engine import wire
from engine.api.services import Call, Services
from engine.pictures.keyframe import KeyframeSource, LiveKeyframe, RecordedKeyframe
from storage.catalog.records import Camera, Gap, Segment, Volume
from storage.errors import PictureUnavailable
from storage.units import US_PER_SECOND

LIVE_REACH_US = 30 * US_PER_SECOND
"""A moment this close to now, and not yet on disk, is shown by the newest keyframe."""


async def make_picture(services: Services, call: Call[None, wire.PictureRequest]) -> wire.PictureReply:
    camera: Camera = await services.catalog.read("camera", call.body.camera)
    request = msgspec.structs.replace(call.body, camera=camera.name)
    if request.at_us is None:
        source: KeyframeSource = _live(services, camera)
    else:
        source = await _recorded(services, camera, request.at_us)
    reply = await services.pictures.render(source, request)
    return msgspec.structs.replace(reply, camera=camera.name)


def _live(services: Services, camera: Camera) -> LiveKeyframe:
    newest = services.recording.last_keyframe(camera.uuid)
    if newest is None:
        cause = services.recording.camera_view(camera.uuid).cause
        raise PictureUnavailable(
            f"camera {camera.name} shows no picture now{f': {cause}' if cause else ''}",
            f"`watchdeck camera show '{camera.name}'` says more",
        )
    return LiveKeyframe(camera=str(camera.uuid), time_us=newest.time_us, track=newest.track, data=newest.data)


async def _recorded(services: Services, camera: Camera, at_us: int) -> KeyframeSource:
    segment: Segment | None = await services.catalog.read("segment_at", camera.id, at_us)
    if segment is None:
        newest = services.recording.last_keyframe(camera.uuid)
        now_us = services.clock.now_us()
        if newest is not None and newest.time_us <= at_us <= now_us <= newest.time_us + LIVE_REACH_US:
            return _live(services, camera)
        gaps: list[Gap] = await services.catalog.read("gaps", [camera.id], at_us, at_us + 1)
        raise PictureUnavailable(
            f"nothing of camera {camera.name} is recorded at that time"
            + (f": {gaps[0].cause.value.replace('_', ' ')}" if gaps else ""),
            "choose a moment inside a recorded stretch",
        )
    volumes: list[Volume] = await services.catalog.read("volumes")
    root = next((volume.path for volume in volumes if volume.id == segment.volume_id), None)
    if root is None:
        raise PictureUnavailable("the volume of that recording was removed", "add the volume again")
    length_us = max(1, segment.end_us - segment.start_us)
    return RecordedKeyframe(
        camera=str(camera.uuid),
        path=f"{root}/{segment.path}",
        media_ticks=(at_us - segment.start_us) * segment.media_duration_ticks // length_us,
        start_us=segment.start_us,
        end_us=segment.end_us,
        duration_ticks=segment.media_duration_ticks,
    )
