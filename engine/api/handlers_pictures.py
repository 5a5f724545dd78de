"""Pictures: which keyframe is wanted, live or at a time; making it is the picture service's work."""

from __future__ import annotations

import msgspec

from engine import wire
from engine.api import live_tail
from engine.api.services import Call, Services
from engine.pictures.keyframe import LiveKeyframe, RecordedKeyframe
from storage.catalog.records import Camera, Gap, Run, Segment, Volume
from storage.errors import PictureUnavailable
from storage.units import US_PER_SECOND, us_to_ticks

LIVE_REACH_US = 30 * US_PER_SECOND
"""A moment this close to now, and not yet on disk, is shown by the newest keyframe."""


async def make_picture(services: Services, call: Call[None, wire.PictureRequest]) -> wire.PictureReply:
    return await picture_of(services, call.body)


async def picture_of(services: Services, asked: wire.PictureRequest) -> wire.PictureReply:
    """Raises NotFound, PictureUnavailable, InvalidInput."""
    camera: Camera = await services.catalog.read("camera", asked.camera, with_removed=True)
    request = msgspec.structs.replace(asked, camera=camera.name)
    if request.at_us is None:
        reply = await services.pictures.render(_live(services, camera), request)
    elif (segment := await services.catalog.read("segment_at", camera.id, request.at_us)) is not None:
        source = await _recorded(services, camera, segment, request.at_us)
        reply = await services.pictures.render(source, request)
    else:
        reply = await _just_behind_live(services, camera, request, request.at_us)
    return msgspec.structs.replace(reply, camera=camera.name)


def _live(services: Services, camera: Camera) -> LiveKeyframe:
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


async def _recorded(services: Services, camera: Camera, segment: Segment, at_us: int) -> RecordedKeyframe:
    volumes: list[Volume] = await services.catalog.read("volumes")
    root = next((volume.path for volume in volumes if volume.id == segment.volume_id), None)
    if root is None:
        raise PictureUnavailable("the volume of that recording was removed", "add the volume again")
    length_us = segment.end_us - segment.start_us
    if length_us > 0:
        media_ticks = (at_us - segment.start_us) * segment.media_duration_ticks // length_us
    else:
        # Just begun: nothing of it is known to be on disk, and no slew.
        run: Run = await services.catalog.read("run", segment.run_id)
        video = next(track for track in run.tracks if track.is_video)
        media_ticks = us_to_ticks(at_us - segment.start_us, video.time_base_hz)
    return RecordedKeyframe(
        camera=str(camera.uuid),
        path=f"{root}/{segment.path}",
        media_ticks=media_ticks,
        start_us=segment.start_us,
        end_us=segment.end_us,
        duration_ticks=segment.media_duration_ticks,
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
        segment = None if is_reached else await _open_segment(services, camera, at_us)
        if segment is not None:
            try:
                source = await _recorded(services, camera, segment, at_us)
                return await services.pictures.render(source, request)
            except PictureUnavailable:
                # Nothing of it is in the file yet. What the camera shows is the next best.
                if newest is None:
                    raise
        if (
            newest is not None
            and (is_reached or segment is not None)
            and now_us <= newest.time_us + LIVE_REACH_US
        ):
            return await services.pictures.render(_live(services, camera), request)
    raise PictureUnavailable(
        f"nothing of camera {camera.name} is recorded at that time"
        + (f": {gaps[0].cause.value.replace('_', ' ')}" if gaps else ""),
        "choose a moment inside a recorded stretch",
    )


async def _open_segment(services: Services, camera: Camera, at_us: int) -> Segment | None:
    """The one being written at that moment: its file reaches further than its row, which grows with each sync."""
    segments = await live_tail.open_segments(services, [camera.id])
    own = [each for each in segments if each.start_us <= at_us]
    return max(own, key=lambda each: each.start_us, default=None)
