"""Which segment a recorded picture is in: the one of the moment, or, for a step out of it, its neighbour over gaps and files."""

from __future__ import annotations

import msgspec

from engine import wire
from engine.api import live_tail
from engine.api.services import Services
from engine.pictures.keyframe import LEFT_OUT, BeyondSegment, RecordedKeyframe, Unreadable, ticks_at
from storage.catalog.picture_footage import PictureFootage
from storage.catalog.records import Camera, Segment
from storage.errors import PictureUnavailable

ROUNDING_US = 2
"""A step begins at the picture that was shown; its time in a file that has grown since may be another by so much."""
_FOLLOWED_LIMIT = 32
"""Neighbours tried: a file that is gone or damaged must not hold up a step, and no search may go on for ever."""
FILES_LEFT_OUT = "footage that cannot be read was left out"


def source_of(camera: Camera, footage: PictureFootage, at_us: int) -> RecordedKeyframe:
    """For a worker: that moment of the segment."""
    segment = footage.segment
    video = next(track for track in footage.tracks if track.is_video)
    return RecordedKeyframe(
        camera=str(camera.uuid),
        path=footage.path,
        media_ticks=ticks_at(
            at_us,
            start_us=segment.start_us,
            end_us=segment.end_us,
            duration_ticks=segment.media_duration_ticks,
            time_base_hz=video.time_base_hz,
        ),
        start_us=segment.start_us,
        end_us=segment.end_us,
        duration_ticks=segment.media_duration_ticks,
        tracks=footage.tracks,
        places=footage.places,
        file_bytes=0 if segment.is_open else segment.bytes,
    )


async def footage_at(services: Services, camera: Camera, at_us: int) -> PictureFootage | None:
    """Of the segment that holds that moment by the catalog."""
    found: PictureFootage | None = await services.catalog.read("picture_footage", camera.id, at_us)
    return found


async def open_footage(services: Services, camera: Camera, at_us: int) -> PictureFootage | None:
    """Of the one being written at that moment: its file reaches further than its row, which grows with each sync."""
    segments = [
        each for each in await live_tail.open_segments(services, [camera.id]) if each.start_us <= at_us
    ]
    newest = max(segments, key=lambda each: each.start_us, default=None)
    return None if newest is None else await _footage_of(services, newest)


async def _footage_of(services: Services, segment: Segment) -> PictureFootage:
    found: PictureFootage = await services.catalog.read("footage_of", segment)
    return found


async def grown(services: Services, camera: Camera, footage: PictureFootage) -> PictureFootage:
    """With what the file holds now, where it is still being written."""
    if not footage.segment.is_open:
        return footage
    for segment in await live_tail.open_segments(services, [camera.id]):
        if segment.id == footage.segment.id:
            return msgspec.structs.replace(footage, segment=segment)
    return footage


async def stepped(
    services: Services, camera: Camera, request: wire.PictureRequest, at_us: int
) -> wire.PictureReply:
    """The picture before or behind the one at that moment. Raises PictureUnavailable at both ends of all that is recorded."""
    here = await footage_at(services, camera, at_us + ROUNDING_US) or await _open_at(services, camera, at_us)
    edge_us = at_us
    trouble: PictureUnavailable | None = None
    if here is not None:
        here = await grown(services, camera, here)
        try:
            return await services.pictures.render(source_of(camera, here, at_us + ROUNDING_US), request)
        except BeyondSegment:
            pass
        except Unreadable as error:
            trouble = error
        edge_us = here.segment.end_us if request.step > 0 else here.segment.start_us
    passed = {here.segment.id} if here is not None else set()
    for _ in range(_FOLLOWED_LIMIT):
        beside = await _beside(services, camera, request.step, edge_us)
        if beside is None or beside.segment.id in passed:
            break
        passed.add(beside.segment.id)
        beside = await grown(services, camera, beside)
        try:
            reply = await _edge_picture(services, camera, beside, request, edge_us)
        except BeyondSegment:
            pass  # nothing of it on that side: a file that has only just begun
        except Unreadable as error:
            trouble = error
        else:
            return reply if trouble is None else msgspec.structs.replace(reply, notice=FILES_LEFT_OUT)
        edge_us = beside.segment.end_us if request.step > 0 else beside.segment.start_us
    if trouble is not None:
        raise PictureUnavailable(
            f"{'behind' if request.step > 0 else 'before'} that picture nothing of camera {camera.name} can be shown: {trouble.what}",
            "name a moment further on, or step the other way",
        )
    raise PictureUnavailable(
        f"that is the {'last' if request.step > 0 else 'first'} recorded picture of camera {camera.name}",
        "step the other way",
    )


async def _open_at(services: Services, camera: Camera, at_us: int) -> PictureFootage | None:
    """A moment that is in the file and not in its row yet."""
    footage = await open_footage(services, camera, at_us)
    return footage if footage is not None and at_us < footage.segment.end_us else None


async def _beside(services: Services, camera: Camera, step: int, edge_us: int) -> PictureFootage | None:
    call = "footage_from" if step > 0 else "footage_until"
    found: PictureFootage | None = await services.catalog.read(call, camera.id, edge_us)
    if found is None and step > 0:
        # One that no sync has made known yet.
        segments = await live_tail.open_segments(services, [camera.id])
        behind = [each for each in segments if each.start_us >= edge_us and each.end_us > each.start_us]
        if behind:
            found = await _footage_of(services, min(behind, key=lambda each: each.start_us))
    return found


async def _edge_picture(
    services: Services, camera: Camera, footage: PictureFootage, request: wire.PictureRequest, edge_us: int
) -> wire.PictureReply:
    """Its first picture at or behind the edge, or its last one before it."""
    if request.step > 0:
        return await services.pictures.render(source_of(camera, footage, edge_us - 1), request)
    last = msgspec.structs.replace(request, step=0)
    source = source_of(camera, footage, edge_us - 1)
    try:
        if services.pictures.has_lost(source, last):
            raise Unreadable("a worker was lost over that picture a moment ago")
        return await services.pictures.render(source, last)
    except Unreadable:
        before = await services.pictures.render(source, request)
        return msgspec.structs.replace(before, notice=LEFT_OUT)
