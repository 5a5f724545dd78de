"""Calls about what is on disk and what is not: recordings, gaps, timeline, locks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine import wire, wire_calls
from engine.api import live_tail
from engine.api.services import Call, Services
from engine.api.validation import checked_stretch
from storage.catalog.records import Camera, Gap, Lock, Segment, Volume
from storage.errors import InvalidInput
from storage.units import Interval

REASON_LENGTH = 500


async def _cameras(
    services: Services, refs: Sequence[str], *, with_removed: bool = False
) -> dict[int, Camera]:
    """The cameras named, in that order, removed ones too; when none is named, all in use (`with_removed`: all)."""
    if not refs:
        known: list[Camera] = await services.catalog.read("cameras", with_removed=with_removed)
        return {camera.id: camera for camera in known}
    found: dict[int, Camera] = {}
    for ref in refs:
        camera: Camera = await services.catalog.read("camera", ref, with_removed=True)
        found[camera.id] = camera
    return found


async def list_recordings(
    services: Services, call: Call[wire_calls.RecordingQuery, None]
) -> wire_calls.RecordingList:
    query = call.query
    checked_stretch(query.start_us, query.end_us)
    cameras = await _cameras(services, query.camera)
    if not cameras:
        return wire_calls.RecordingList(recordings=())
    # Every page begins with the segments that reach into it, at most a few a camera: a page must hold more.
    limit = query.limit + 2 * len(cameras)
    segments = await live_tail.segments(services, list(cameras), query.start_us, query.end_us, limit=limit)
    locks: list[Lock] = await services.catalog.read("locks", list(cameras), query.start_us, query.end_us)
    volumes = {volume.id: volume for volume in await services.catalog.read("volumes")}
    return wire_calls.RecordingList(
        recordings=tuple(recording_view(segment, cameras, volumes, locks) for segment in segments),
        resume_us=segments[-1].start_us if len(segments) >= limit else None,
    )


def recording_view(
    segment: Segment, cameras: Mapping[int, Camera], volumes: Mapping[int, Volume], locks: Sequence[Lock]
) -> wire.RecordingView:
    volume = volumes.get(segment.volume_id)
    return wire.RecordingView(
        camera=cameras[segment.camera_id].name,
        start_us=segment.start_us,
        end_us=segment.end_us,
        bytes=segment.bytes,
        path=f"{volume.path}/{segment.path}" if volume else segment.path,
        volume=volume.name if volume else "",
        is_open=segment.is_open,
        is_locked=any(
            lock.camera_id == segment.camera_id
            and lock.start_us < segment.end_us
            and segment.start_us < lock.end_us
            for lock in locks
        ),
        is_recovered=segment.is_recovered,
    )


async def list_gaps(services: Services, call: Call[wire_calls.StretchQuery, None]) -> wire_calls.GapList:
    checked_stretch(call.query.start_us, call.query.end_us)
    cameras = await _cameras(services, call.query.camera)
    gaps: list[Gap] = await services.catalog.read(
        "gaps", list(cameras), call.query.start_us, call.query.end_us
    )
    return wire_calls.GapList(
        gaps=tuple(
            wire.GapView(
                camera=cameras[gap.camera_id].name,
                start_us=gap.start_us,
                end_us=gap.end_us,
                cause=gap.cause,
                detail=gap.detail,
            )
            for gap in gaps
        )
    )


async def get_timeline(services: Services, call: Call[wire_calls.StretchQuery, None]) -> wire.Timeline:
    start_us, end_us = call.query.start_us, call.query.end_us
    checked_stretch(start_us, end_us)
    cameras = await _cameras(services, call.query.camera)
    ids = list(cameras)
    coverage = await live_tail.coverage(services, ids, start_us, end_us)
    gaps: list[Gap] = await services.catalog.read("gaps", ids, start_us, end_us)
    locks: list[Lock] = await services.catalog.read("locks", ids, start_us, end_us)
    oldest: dict[int, int] = await services.catalog.read("oldest_us", ids)
    now_us = services.clock.now_us()
    asked = Interval(start_us, end_us)
    gaps_of: dict[int, list[tuple[int, int, str]]] = {camera_id: [] for camera_id in ids}
    for gap in gaps:
        reaches_us = now_us if gap.end_us is None else gap.end_us
        shown = Interval(gap.start_us, max(gap.start_us, reaches_us)).clipped_to(asked)
        if shown is not None:
            gaps_of[gap.camera_id].append((shown.start_us, shown.end_us, gap.cause.value))
    locks_of: dict[int, list[tuple[int, int]]] = {camera_id: [] for camera_id in ids}
    for lock in locks:
        locked = Interval(lock.start_us, lock.end_us).clipped_to(asked)
        if locked is not None:
            locks_of[lock.camera_id].append((locked.start_us, locked.end_us))
    return wire.Timeline(
        start_us=start_us,
        end_us=end_us,
        now_us=now_us,
        rows=tuple(
            wire.TimelineRow(
                camera=camera.name,
                recorded=tuple((part.start_us, part.end_us) for part in coverage.get(camera_id, [])),
                gaps=tuple(sorted(gaps_of[camera_id])),
                locks=tuple(sorted(locks_of[camera_id])),
                oldest_us=oldest.get(camera_id),
            )
            for camera_id, camera in cameras.items()
        ),
    )


# -- locks -----------------------------------------------------------------------------------------------


async def list_locks(services: Services, call: Call[wire_calls.LockQuery, None]) -> wire_calls.LockList:
    checked_stretch(call.query.start_us, call.query.end_us)
    cameras = await _cameras(services, call.query.camera, with_removed=True)
    locks: list[Lock] = await services.catalog.read(
        "locks", list(cameras), call.query.start_us, call.query.end_us
    )
    return wire_calls.LockList(locks=tuple(lock_view(lock, cameras[lock.camera_id]) for lock in locks))


def lock_view(lock: Lock, camera: Camera) -> wire.LockView:
    return wire.LockView(
        id=lock.id,
        camera=camera.name,
        start_us=lock.start_us,
        end_us=lock.end_us,
        reason=lock.reason,
        created_us=lock.created_us,
        created_by=lock.created_by,
        expires_us=lock.expires_us,
    )


async def add_lock(services: Services, call: Call[None, wire.LockAdd]) -> wire.LockView:
    asked = call.body
    checked_stretch(asked.start_us, asked.end_us)
    if len(asked.reason) > REASON_LENGTH:
        raise InvalidInput(f"$.reason is longer than {REASON_LENGTH} characters", "shorten it")
    now_us = services.clock.now_us()
    if asked.expires_us is not None and asked.expires_us <= now_us:
        raise InvalidInput("$.expires_us: the lock would expire before it begins", "give a later time")
    camera: Camera = await services.catalog.read("camera", asked.camera, with_removed=True)
    lock: Lock = await services.catalog.write(
        "add_lock",
        camera_id=camera.id,
        start_us=asked.start_us,
        end_us=asked.end_us,
        reason=asked.reason,
        created_us=now_us,
        created_by=call.caller.name,
        expires_us=asked.expires_us,
    )
    because = f": {asked.reason}" if asked.reason else ""
    services.events.publish(
        "lock.added",
        f"Recordings of {camera.name} locked (lock {lock.id}){because}",
        source=camera.name,
        actor=call.caller.name,
    )
    return lock_view(lock, camera)


async def remove_lock(services: Services, call: Call[None, None]) -> None:
    try:
        lock_id = int(call.path["id"])
    except ValueError:
        raise InvalidInput(f"{call.path['id']!r} is no lock id", "see GET /v1/locks") from None
    await services.catalog.write("remove_lock", lock_id)
    services.events.publish("lock.removed", f"Lock {lock_id} removed", actor=call.caller.name)
