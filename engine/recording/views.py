"""State as clients see it: builds the wire views of cameras, volumes and groups. Pure reading, on the loop."""

from __future__ import annotations

from engine import wire
from engine.cameras.camera import ARRIVING, CameraRunner
from engine.recording.groups import RecordingGroup
from engine.recording.volume_thread import VolumeThread
from storage.segments.packet import Track
from storage.units import US_PER_DAY


def track_view(track: Track) -> wire.TrackView:
    return wire.TrackView(
        codec=track.codec,
        width=track.width,
        height=track.height,
        sample_rate_hz=track.sample_rate_hz,
        channels=track.channels,
    )


def camera_view(runner: CameraRunner, fps: float, oldest_us: int | None) -> wire.CameraView:
    camera, recorder, condition = runner.camera, runner.recorder, runner.condition
    schedule = camera.schedule
    keyframe = recorder.last_keyframe()
    is_streaming = condition.state in ARRIVING
    return wire.CameraView(
        id=camera.id,
        uuid=str(camera.uuid),
        name=camera.name,
        url=camera.url,
        user=camera.user,
        has_password=camera.has_password,
        group=camera.group,
        transport=camera.transport,
        mode=camera.mode,
        schedule=wire.ScheduleMessage(zone=schedule.zone, days=schedule.days)
        if schedule is not None
        else None,
        record_audio=camera.record_audio,
        verify_tls=camera.verify_tls,
        is_enabled=camera.is_enabled,
        pre_event_s=camera.pre_event_s,
        post_event_s=camera.post_event_s,
        live_url=camera.live_url,
        state=condition.state,
        state_since_us=condition.since_us,
        cause=condition.cause,
        cause_code=condition.cause_code,
        retry_at_us=condition.retry_at_us,
        tracks=tuple(map(track_view, recorder.tracks)),
        fps=round(fps, 2) if is_streaming else 0.0,
        bitrate_bps=round(recorder.rate.quick_bps) if is_streaming else 0,
        last_picture_us=keyframe.time_us if keyframe is not None else None,
        last_written_us=recorder.footage.written_end_us,
        volume=recorder.footage.volume_name,
        oldest_us=oldest_us,
        lost_packets=recorder.losses,
        reconnects=runner.reconnects,
    )


def volume_view(volume: VolumeThread) -> wire.VolumeView:
    record, space = volume.record, volume.space
    return wire.VolumeView(
        id=record.id,
        uuid=str(record.uuid),
        name=record.name,
        path=record.path,
        group=record.group,
        state=volume.state,
        cause=volume.cause,
        total_bytes=space.total_bytes if space is not None else 0,
        free_bytes=space.free_bytes if space is not None else 0,
        floor_bytes=record.floor_bytes,
        used_bytes=volume.used_bytes,
        write_bps=round(volume.rate.quick_bps),
        queue_bytes=volume.queue_bytes,
        is_on_system_disk=volume.is_on_system_disk,
    )


def group_view(group: RecordingGroup, cameras: tuple[str, ...], now_us: int) -> wire.GroupView:
    record, usage = group.record, group.usage
    oldest_us = usage.oldest_us if usage is not None else None
    recorded_days = max(0, now_us - oldest_us) / US_PER_DAY if oldest_us is not None else 0.0
    remaining_days = remaining(group)
    is_below = (
        record.retention_days is not None
        and remaining_days is not None
        and recorded_days + remaining_days < record.retention_days
    )
    return wire.GroupView(
        id=record.id,
        name=record.name,
        retention_days=record.retention_days,
        retention_bytes=record.retention_bytes,
        cameras=cameras,
        volumes=tuple(volume.name for volume in group.volumes.values()),
        used_bytes=usage.bytes if usage is not None else 0,
        locked_bytes=usage.locked_bytes if usage is not None else 0,
        oldest_us=oldest_us,
        recorded_days=round(recorded_days, 3),
        remaining_days=None if remaining_days is None else round(remaining_days, 3),
        write_bps=round(sum(volume.rate.quick_bps for volume in group.volumes.values())),
        is_below_retention=is_below,
    )


def remaining(group: RecordingGroup) -> float | None:
    """Days until the group begins to overwrite its oldest footage: at the measured rate its volumes, as far as they
    are in order, reach their floors, or it reaches the bytes it may keep.
    """
    bps = sum(volume.rate.slow_bps for volume in group.volumes.values())
    if bps <= 0:
        return None
    room_bytes = sum(max(0, volume.room_bytes) for volume in group.volumes.values() if volume.is_reachable)
    if group.record.retention_bytes is not None and group.usage is not None:
        room_bytes = min(room_bytes, max(0, group.record.retention_bytes - group.usage.bytes))
    return room_bytes * 8 / bps / 86_400
